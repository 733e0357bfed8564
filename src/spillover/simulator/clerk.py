"""Check a request as a real provider would, in its order: key, path, body, model, limits.

What passes counts as used. Refuses to know sockets, threads, and how answers are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from spillover.simulator.asked import Asked, Malformed, Operation, read
from spillover.simulator.desk import Charge, Desk
from spillover.simulator.exchange import Request, Turned
from spillover.simulator.native_asked import read_native
from spillover.simulator.native_speech import NATIVE
from spillover.simulator.records import Outcome
from spillover.simulator.replies import (
    Circumstances,
    Complaint,
    Headers,
    Reply,
    json_reply,
    mask,
)
from spillover.simulator.spec import Metric

if TYPE_CHECKING:
    from spillover.simulator.flavours import Flavour
    from spillover.simulator.flavours.base import Addressed
    from spillover.simulator.spec import ProviderSpec

_OK: Final = 200


class Clerk:
    """Admits requests for one spec."""

    def __init__(self, spec: ProviderSpec, flavour: Flavour) -> None:
        """Take the spec and its flavour."""
        self._spec = spec
        self._flavour = flavour

    def new_desk(self) -> Desk:
        """Return an unused desk for the spec's limits, counted as the flavour counts."""
        return Desk(tuple(self._flavour.resolved(one) for one in self._spec.limits))

    def read(self, request: Request) -> Asked:
        """Return a request that may be counted.

        Raises `Turned` with the flavour's complaint, or with the list of models that was asked for.
        """
        spec, flavour, key = self._spec, self._flavour, request.key
        if spec.keys and flavour.asks_keys and key not in spec.keys:
            said = Circumstances(masked_key=mask(key))
            raise Turned(flavour.complaint(Complaint.UNAUTHORIZED, said), Outcome.UNAUTHORIZED)
        told = flavour.account(request.path, spec.balance_usd) if request.method == "GET" else None
        if told is not None:
            raise Turned(told, Outcome.ANSWERED)
        path = request.path.removeprefix(flavour.base_path)
        if request.method == "GET" and path.startswith("/models"):
            self._list(path.removeprefix("/models").removeprefix("/"))
        addressed = flavour.addressed(path, request.target.partition("?")[2])
        if addressed is None or not request.path.startswith(flavour.base_path):
            self._turn(404, f"Unknown request URL: {request.method} {request.path}.")
        if request.method != "POST":
            self._turn(405, f"{request.method} is not allowed for {request.path}.")
        operation = addressed.operation
        try:
            asked = self._asked(request, addressed)
        except Malformed as error:
            said = Circumstances(message=str(error), param=error.param)
            reply = flavour.complaint(Complaint.BAD_REQUEST, said)
            raise Turned(reply, Outcome.REJECTED) from None
        self._find(asked.model, embeds=operation is Operation.EMBEDDINGS)
        return asked

    def _asked(self, request: Request, addressed: Addressed) -> Asked:
        """Return what is asked for, or raise `Malformed`."""
        objection = self._flavour.objection(request.headers)
        if objection is not None:
            raise Malformed(objection)
        operation, model, stream = addressed
        if operation in NATIVE:
            return read_native(request.body, operation, model=model, stream=stream)
        return read(request.body, operation)

    def admit(self, asked: Asked, desk: Desk, key: str, now: float) -> Charge:
        """Count a request on every limit, or raise `Turned` with the flavour's refusal."""
        assumed = self._flavour.assumed_max_tokens
        reserved = 0
        if assumed is not None and asked.operation is not Operation.EMBEDDINGS:
            reserved = asked.choices * (asked.max_tokens or assumed)
        charge = Charge(
            key=key,
            model=asked.model,
            input_tokens=asked.prompt_tokens,
            output_tokens=reserved,
        )
        refusal = desk.admit(charge, now)
        if refusal is None:
            return charge
        said = Circumstances(model=asked.model, masked_key=mask(key), now=now)
        crowded = refusal.allowance.metric is Metric.CONCURRENCY
        worded = self._flavour.crowded if crowded else self._flavour.refusal
        reply = worded(refusal, said)
        told = self.told(desk, charge, now, status=reply.status, stream=asked.stream)
        reply = msgspec.structs.replace(reply, headers=(*told, *reply.headers))
        raise Turned(reply, Outcome.REFUSED)

    def told(
        self, desk: Desk, charge: Charge, now: float, *, status: int = _OK, stream: bool
    ) -> Headers:
        """Return what an answer's headers tell of the caller's limits."""
        return self._flavour.limit_headers(
            desk.gauges(charge.key, charge.model, now),
            status=status,
            stream=stream,
            cost=charge.input_tokens + charge.output_tokens,
        )

    def _find(self, name: str, *, embeds: bool) -> None:
        if not self._spec.models:
            return
        model = self._spec.models.get(name)
        if model is None or (model.dimensions is not None) is not embeds:
            self._missing(name)

    def _list(self, name: str) -> NoReturn:
        models = self._spec.models
        if not name:
            listed = [self._flavour.listed(one) for one in models]
            raise Turned(json_reply(_OK, {"object": "list", "data": listed}), Outcome.ANSWERED)
        if models and name not in models:
            self._missing(name)
        raise Turned(json_reply(_OK, self._flavour.listed(name)), Outcome.ANSWERED)

    def _missing(self, name: str) -> NoReturn:
        said = Circumstances(model=name)
        raise Turned(self._flavour.complaint(Complaint.MODEL_NOT_FOUND, said), Outcome.REJECTED)

    def _turn(self, status: int, message: str) -> NoReturn:
        reply: Reply = self._flavour.error(status, message, kind="invalid_request_error", code=None)
        raise Turned(reply, Outcome.REJECTED)

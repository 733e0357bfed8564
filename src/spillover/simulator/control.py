"""Script and read a simulated provider over HTTP, under `/_control`.

GET `counters`, `records`, `faults`, `spec`; POST `faults`, `reset`, `refuse`; DELETE `faults`;
PATCH `spec`. Refuses to know sockets. Asks for no key: it is meant for tests on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import msgspec

from spillover.simulator.faults import FAULTS, Fault
from spillover.simulator.records import view
from spillover.simulator.replies import Reply, json_reply
from spillover.simulator.spec import Model, ScriptedCall, limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.simulator.exchange import Request
    from spillover.simulator.provider import Provider

PREFIX: Final = "/_control"
_WINDOW_S: Final = 60.0
_LAST: Final = 100


class ScriptOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /_control/faults`."""

    fault: Fault | str
    """A fault's fields, or the name of a ready-made one."""
    times: int | None = 1
    """How many answers it hits; null: all until cleared."""
    model: str | None = None
    carrying: str | None = None


class SpecChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `PATCH /_control/spec`; what is absent stays."""

    models: dict[str, Model] | msgspec.UnsetType = msgspec.UNSET
    limits: list[str] | msgspec.UnsetType = msgspec.UNSET
    """In their written form; new ones start unused."""
    keys: frozenset[str] | msgspec.UnsetType = msgspec.UNSET
    answer: str | msgspec.UnsetType | None = msgspec.UNSET
    calls: tuple[ScriptedCall, ...] | msgspec.UnsetType = msgspec.UNSET
    events: int | msgspec.UnsetType | None = msgspec.UNSET
    events_per_s: float | msgspec.UnsetType | None = msgspec.UNSET
    delay_s: float | msgspec.UnsetType = msgspec.UNSET
    first_token_s: float | msgspec.UnsetType = msgspec.UNSET


class RefuseOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /_control/refuse`."""

    for_s: float


class Control:
    """The control interface of one provider."""

    def __init__(self, provider: Provider, refuse: Callable[[float], None]) -> None:
        """Take the provider, and what closes its listener for some seconds."""
        self._provider = provider
        self._refuse = refuse

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request whose path begins with `PREFIX`."""
        name = request.path.removeprefix(PREFIX).strip("/")
        act = self._acts().get((request.method, name))
        if act is None:
            known = sorted(f"{method} {PREFIX}/{path}" for method, path in self._acts())
            return json_reply(404, {"error": f"no such control; there are {', '.join(known)}"})
        try:
            return json_reply(200, act(request))
        except (msgspec.DecodeError, ValueError) as error:
            return json_reply(400, {"error": str(error)})

    def _acts(self) -> dict[tuple[str, str], Callable[[Request], Any]]:
        return {
            ("GET", "counters"): self._counters,
            ("GET", "records"): self._records,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._script,
            ("DELETE", "faults"): self._clear,
            ("GET", "spec"): self._spec,
            ("PATCH", "spec"): self._change,
            ("POST", "reset"): self._reset,
            ("POST", "refuse"): self._close,
        }

    def _counters(self, request: Request) -> Any:
        """Return the sums, and the most within any `?window=` seconds."""
        seconds = float(_query(request, "window", _WINDOW_S))
        counters = msgspec.to_builtins(self._provider.counters())
        return counters | {
            "window_s": seconds,
            "most_requests": self._provider.most_requests(seconds),
            "most_tokens": self._provider.most_tokens(seconds),
        }

    def _records(self, request: Request) -> Any:
        """Return the `?last=` requests, the oldest first."""
        last = int(_query(request, "last", _LAST))
        kept = self._provider.records
        return [view(record) for record in kept[max(0, len(kept) - last) :]]

    def _faults(self, request: Request) -> Any:
        del request
        return {"scripted": self._provider.scripted, "ready_made": sorted(FAULTS)}

    def _script(self, request: Request) -> Any:
        order = msgspec.json.decode(request.body, type=ScriptOrder)
        self._provider.script(
            order.fault, times=order.times, model=order.model, carrying=order.carrying
        )
        return self._faults(request)

    def _clear(self, request: Request) -> Any:
        self._provider.clear_script()
        return self._faults(request)

    def _spec(self, request: Request) -> Any:
        del request
        spec = self._provider.spec
        shown = msgspec.to_builtins(spec) | {"limits": [str(one) for one in spec.limits]}
        return shown | {"keys": len(spec.keys)}

    def _change(self, request: Request) -> Any:
        change = msgspec.json.decode(request.body, type=SpecChange)
        fields: dict[str, Any] = {
            name: value
            for name in change.__struct_fields__
            if (value := getattr(change, name)) is not msgspec.UNSET
        }
        if "limits" in fields:
            fields["limits"] = limits(*fields["limits"])
        self._provider.change(msgspec.structs.replace(self._provider.spec, **fields))
        return self._spec(request)

    def _reset(self, request: Request) -> Any:
        self._provider.reset()
        return self._counters(request)

    def _close(self, request: Request) -> Any:
        order = msgspec.json.decode(request.body, type=RefuseOrder)
        self._refuse(order.for_s)
        return {"refuses_for_s": order.for_s}


def _query(request: Request, name: str, default: float) -> str:
    found = parse_qs(request.target.partition("?")[2]).get(name)
    return found[0] if found else str(default)

"""Mistral: wall-clock minutes, flat errors, no `retry-after`, strict about unknown fields.

Refuses to know counting. Shapes and texts follow answers that users of the real API reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spillover.simulator.flavours.base import Flavour, StreamUsage, gauge_of
from spillover.simulator.replies import Circumstances, Complaint, Headers, Json, Reply, json_reply
from spillover.simulator.spec import Metric, WindowKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spillover.simulator.desk import Gauge, Refusal

_COMPLAINTS: Final[dict[Complaint, tuple[int, str, str, str]]] = {
    Complaint.MODEL_NOT_FOUND: (400, "invalid_model", "1500", "Invalid model: {said.model}"),
    Complaint.CONTEXT_LENGTH: (
        400,
        "invalid_request_invalid_args",
        "3051",
        (
            "Prompt contains {said.prompt_tokens} tokens and 0 draft tokens, too large for model"
            " with {said.context_tokens} maximum context length"
        ),
    ),
    Complaint.OVERLOADED: (
        429,
        "service_tier_capacity_exceeded",
        "3505",
        "Service tier capacity exceeded for this model.",
    ),
}
_REFUSED: Final = 429


class Mistral(Flavour):
    """The `mistral` flavour."""

    name: ClassVar[str] = "mistral"
    other_kind: ClassVar[WindowKind] = WindowKind.CALENDAR
    stream_usage: ClassVar[StreamUsage] = StreamUsage.UNASKED
    answer_id: ClassVar[str] = "simulated0mistral"

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Word a wrong key as `detail`, a refused field as a list of them, the rest flat."""
        if why is Complaint.UNAUTHORIZED:
            return json_reply(401, {"detail": "Unauthorized"})
        if why is Complaint.STREAM_OPTIONS:
            refused = {
                "type": "extra_forbidden",
                "loc": ["body", "stream_options"],
                "msg": "Extra inputs are not permitted",
                "input": {"include_usage": True},
            }
            body = {"object": "error", "message": {"detail": [refused]}, "param": None}
            return json_reply(422, body | {"type": "invalid_request_error", "code": None})
        row = _COMPLAINTS.get(why)
        if row is None:
            return super().complaint(why, said)
        status, kind, code, text = row
        return self.error(status, text.format(said=said), kind=kind, code=code)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Say that it is exceeded, and never for how long."""
        del refusal, said
        return self.error(429, "Rate limit exceeded", kind="rate_limited", code="1300")

    def limit_headers(
        self, gauges: Sequence[Gauge], *, status: int, stream: bool, cost: int
    ) -> Headers:
        """On unstreamed answers; of a refusal only the requests are told."""
        found: list[tuple[str, str]] = []
        requests = gauge_of(gauges, Metric.REQUESTS, "minute")
        tokens = gauge_of(gauges, Metric.TOKENS, "minute")
        refused = status == _REFUSED
        if requests is not None and (refused or not stream):
            found += (
                ("x-ratelimit-limit-req-minute", str(requests.allowance.amount)),
                ("x-ratelimit-remaining-req-minute", str(requests.remaining)),
            )
        if tokens is not None and not refused and not stream:
            found += (
                ("x-ratelimit-limit-tokens-minute", str(tokens.allowance.amount)),
                ("x-ratelimit-remaining-tokens-minute", str(tokens.remaining)),
                ("x-ratelimit-tokens-query-cost", str(cost)),
            )
        return tuple(found)

    def error(
        self,
        status: int,
        message: str,
        *,
        kind: str,
        code: str | int | None,
        param: str | None = None,
    ) -> Reply:
        """Return a flat error whose code is a text of digits."""
        body: Json = {"object": "error", "message": message, "type": kind, "param": param}
        return json_reply(status, body | {"code": code})

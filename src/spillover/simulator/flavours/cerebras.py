"""Cerebras: buckets that refill, headers by window on 200 alone, `max_tokens` counted up front.

Refuses to know counting. Shapes and texts follow answers that users of the real API reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spillover.simulator.flavours.base import Flavour, gauge_of
from spillover.simulator.replies import Circumstances, Complaint, Headers, Json, Reply, json_reply
from spillover.simulator.spec import Metric, WindowKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spillover.simulator.desk import Gauge, Refusal

_RETRY_AFTER_S: Final = {"minute": "60", "hour": "3600", "day": "86400"}
"""It states the window's length, though its buckets give room much sooner."""
_OK: Final = 200


class Cerebras(Flavour):
    """The `cerebras` flavour."""

    name: ClassVar[str] = "cerebras"
    other_kind: ClassVar[WindowKind] = WindowKind.REFILL
    assumed_max_tokens: ClassVar[int | None] = 16_384

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Overload is a 429 that says not to retry, of the same type as a spent quota."""
        match why:
            case Complaint.UNAUTHORIZED:
                kind, code = "invalid_request_error", "wrong_api_key"
                return self.error(401, "Wrong API Key", kind=kind, code=code, param="api_key")
            case Complaint.MODEL_NOT_FOUND:
                message = f"Model {said.model} does not exist or you do not have access to it."
                kind, code = "not_found_error", "model_not_found"
                return self.error(404, message, kind=kind, code=code, param="model")
            case Complaint.CONTEXT_LENGTH:
                message = (
                    "Please reduce the length of the messages or completion. Current length is"
                    f" {said.prompt_tokens} while limit is {said.context_tokens}"
                )
                kind, code = "invalid_request_error", "context_length_exceeded"
                return self.error(400, message, kind=kind, code=code, param="messages")
            case Complaint.OVERLOADED:
                message = "We're experiencing high traffic right now! Please try again soon."
                kind = "too_many_requests_error"
                reply = self.error(429, message, kind=kind, code="queue_exceeded", param="queue")
                return reply.with_headers(("x-should-retry", "false"))
            case _:
                return super().complaint(why, said)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Name metric and window; `retry-after` is its only header."""
        del said
        allowance = refusal.allowance
        if allowance.metric is Metric.REQUESTS:
            what, code = "Requests", "request_quota_exceeded"
            tail = "too many requests sent"
        else:
            what, code = "Tokens", "token_quota_exceeded"
            tail = "too many tokens processed"
        message = f"{what} per {allowance.per} limit exceeded - {tail}."
        kind = "too_many_requests_error"
        reply = self.error(429, message, kind=kind, code=code, param="quota")
        wait = _RETRY_AFTER_S.get(allowance.per, str(max(1, round(allowance.seconds))))
        return reply.with_headers(("retry-after", wait))

    def limit_headers(
        self, gauges: Sequence[Gauge], *, status: int, stream: bool, cost: int
    ) -> Headers:
        """Limit, remaining and reset, in seconds with a fraction, for each window it has."""
        del stream, cost
        found: list[tuple[str, str]] = []
        if status != _OK:
            return ()
        for metric in (Metric.REQUESTS, Metric.TOKENS):
            for per in ("minute", "hour", "day"):
                gauge = gauge_of(gauges, metric, per)
                if gauge is not None:
                    found += (
                        (f"x-ratelimit-limit-{metric}-{per}", str(gauge.allowance.amount)),
                        (f"x-ratelimit-remaining-{metric}-{per}", str(gauge.remaining)),
                        (f"x-ratelimit-reset-{metric}-{per}", str(gauge.resets_in_s)),
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
        """Return a flat error."""
        body: Json = {"message": message, "type": kind, "param": param, "code": code}
        return json_reply(status, body)

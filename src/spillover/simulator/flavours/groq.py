"""Groq: buckets that refill, a day's requests in the headers, `max_tokens` counted up front.

Refuses to know counting. Shapes and texts follow answers that users of the real API reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spillover.simulator.flavours.base import Flavour, bucket_headers, go_duration, seconds_up
from spillover.simulator.replies import Circumstances, Complaint, Headers, Json, Reply
from spillover.simulator.spec import Metric, WindowKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spillover.simulator.desk import Gauge, Refusal

ABBREVIATIONS: Final = {
    ("requests", "minute"): "requests per minute (RPM)",
    ("requests", "day"): "requests per day (RPD)",
    ("tokens", "minute"): "tokens per minute (TPM)",
    ("tokens", "day"): "tokens per day (TPD)",
}
_BILLING: Final = "Upgrade to Dev Tier today at https://console.groq.com/settings/billing"


class Groq(Flavour):
    """The `groq` flavour."""

    name: ClassVar[str] = "groq"
    base_path: ClassVar[str] = "/openai/v1"
    other_kind: ClassVar[WindowKind] = WindowKind.REFILL
    assumed_max_tokens: ClassVar[int | None] = 1_024

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Overload is 498 here, and a wrong key has a text of its own."""
        match why:
            case Complaint.UNAUTHORIZED:
                kind, code = "invalid_request_error", "invalid_api_key"
                return self.error(401, "Invalid API Key", kind=kind, code=code)
            case Complaint.OVERLOADED:
                message = "Flex tier capacity exceeded, please try again later."
                kind = "internal_server_error"
                return self.error(498, message, kind=kind, code="capacity_exceeded")
            case Complaint.CONTEXT_LENGTH:
                message = "Please reduce the length of the messages or completion."
                kind, code = "invalid_request_error", "context_length_exceeded"
                return self.error(400, message, kind=kind, code=code, param="messages")
            case _:
                return super().complaint(why, said)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Name limit, used and requested; a call larger than the limit is 413."""
        allowance = refusal.allowance
        metric = str(allowance.metric)
        what = ABBREVIATIONS.get((metric, allowance.per), f"{metric} per {allowance.per}")
        where = f"for model `{said.model}` in organization `org_sim` service tier `on_demand`"
        if refusal.wait_s is None:
            message = (
                f"Request too large {where} on {what}: Limit {allowance.amount}, Requested"
                f" {refusal.asked}, please reduce your message size and try again. {_BILLING}"
            )
            # The real one states a wait that mends nothing.
            status, wait = 413, "9"
        else:
            message = (
                f"Rate limit reached {where} on {what}: Limit {allowance.amount}, Used"
                f" {round(refusal.used)}, Requested {refusal.asked}. Please try again in"
                f" {go_duration(refusal.wait_s)}. Need more tokens? {_BILLING}"
            )
            status, wait = 429, seconds_up(refusal.wait_s)
        daily_tokens = allowance.metric is Metric.TOKENS and allowance.per == "day"
        kind = "compound" if daily_tokens else metric
        reply = self.error(status, message, kind=kind, code="rate_limit_exceeded")
        return reply.with_headers(("retry-after", wait))

    def limit_headers(
        self, gauges: Sequence[Gauge], *, status: int, stream: bool, cost: int
    ) -> Headers:
        """On every answer: requests of the day, tokens of the minute."""
        del status, stream, cost
        return bucket_headers(gauges, ("day",), ("minute",))

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Json:
        """Add the times that it tells."""
        usage = super().usage(prompt_tokens, completion_tokens)
        return usage | {"queue_time": 0.01, "prompt_time": 0.001, "completion_time": 0.01}

    def last_extras(self, usage: Json) -> Json:
        """Tell the usage unasked, in a place of its own."""
        return {"x_groq": {"id": "req_sim", "usage": usage}}

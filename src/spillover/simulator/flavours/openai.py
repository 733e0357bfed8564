"""OpenAI: buckets that refill, headers with Go durations, waits in milliseconds too.

Refuses to know counting. Shapes and texts follow answers that users of the real API reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spillover.simulator.asked import Operation
from spillover.simulator.flavours.base import Flavour, bucket_headers, go_duration, seconds_up
from spillover.simulator.replies import Circumstances, Complaint, Headers, Json, Reply
from spillover.simulator.spec import WindowKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.simulator.desk import Gauge, Refusal

ABBREVIATIONS: Final = {
    ("requests", "minute"): "requests per min (RPM)",
    ("requests", "day"): "requests per day (RPD)",
    ("tokens", "minute"): "tokens per min (TPM)",
    ("tokens", "day"): "tokens per day (TPD)",
}


class OpenAI(Flavour):
    """The `openai` flavour."""

    name: ClassVar[str] = "openai"
    operations: ClassVar[Mapping[str, Operation]] = {
        **Flavour.operations,
        "/responses": Operation.RESPONSES,
    }
    other_kind: ClassVar[WindowKind] = WindowKind.REFILL
    usage_null: ClassVar[bool] = True

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Billing is 429 here, and a wrong key is echoed with its middle masked."""
        match why:
            case Complaint.UNAUTHORIZED:
                message = (
                    f"Incorrect API key provided: {said.masked_key}. You can find your API key at"
                    " https://platform.openai.com/account/api-keys."
                )
                kind, code = "invalid_request_error", "invalid_api_key"
                return self.error(401, message, kind=kind, code=code)
            case Complaint.PAYMENT_REQUIRED:
                message = (
                    "You exceeded your current quota, please check your plan and billing details."
                    " For more information on this error, read the docs:"
                    " https://platform.openai.com/docs/guides/error-codes/api-errors."
                )
                kind = "insufficient_quota"
                return self.error(429, message, kind=kind, code=kind)
            case Complaint.OVERLOADED:
                message = (
                    "That model is currently overloaded with other requests. You can retry your"
                    " request, or contact us through our help center at help.openai.com if the"
                    " error persists."
                )
                return self.error(503, message, kind="server_error", code=None)
            case _:
                return super().complaint(why, said)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Name limit, used and requested, and the wait three times over."""
        allowance = refusal.allowance
        metric = str(allowance.metric)
        what = ABBREVIATIONS.get((metric, allowance.per), f"{metric} per {allowance.per}")
        headers: Headers
        if refusal.wait_s is None:
            message = (
                f"Request too large for {said.model} in organization org-sim on {what}: Limit"
                f" {allowance.amount}, Requested {refusal.asked}. The input or output tokens must"
                " be reduced in order to run successfully."
            )
            headers = (("x-should-retry", "false"),)
        else:
            message = (
                f"Rate limit reached for {said.model} in organization org-sim on {what}: Limit"
                f" {allowance.amount}, Used {round(refusal.used)}, Requested {refusal.asked}."
                f" Please try again in {go_duration(refusal.wait_s)}. Visit"
                " https://platform.openai.com/account/rate-limits to learn more."
            )
            milliseconds = max(1, round(refusal.wait_s * 1_000))
            headers = (
                ("retry-after", seconds_up(refusal.wait_s)),
                ("retry-after-ms", str(milliseconds)),
            )
        reply = self.error(429, message, kind=metric, code="rate_limit_exceeded")
        return reply.with_headers(*headers)

    def limit_headers(
        self, gauges: Sequence[Gauge], *, status: int, stream: bool, cost: int
    ) -> Headers:
        """On every answer: the minute's requests and tokens, the day's where there are none."""
        del status, stream, cost
        return bucket_headers(gauges, ("minute", "day"), ("minute", "day"))

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Json:
        """Add the details, all zero."""
        return super().usage(prompt_tokens, completion_tokens) | {
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }

    def extras(self) -> Json:
        """Add the fields that its answers always have."""
        return {"service_tier": "default", "system_fingerprint": "fp_sim"}

"""Gemini's OpenAI layer: wall-clock minutes, days of the Pacific zone, no headers, list errors.

Refuses to know counting. Shapes and texts follow answers that users of the real API reported.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from spillover.simulator.flavours.base import Flavour, StreamUsage
from spillover.simulator.replies import Circumstances, Complaint, Json, Reply, json_reply
from spillover.simulator.spec import Metric, Pool, WindowKind

if TYPE_CHECKING:
    from spillover.simulator.desk import Refusal

_TYPE: Final = "type.googleapis.com/google.rpc."
_STATES: Final = {
    400: "INVALID_ARGUMENT",
    402: "FAILED_PRECONDITION",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_OUTAGES_FROM: Final = 500
_DAILY_DELAY_S: Final = 13.0
"""The real one states a delay of seconds even where the day is spent; this one was reported."""


class Gemini(Flavour):
    """The `gemini` flavour."""

    name: ClassVar[str] = "gemini"
    base_path: ClassVar[str] = "/v1beta/openai"
    other_kind: ClassVar[WindowKind] = WindowKind.CALENDAR
    zones: ClassVar[dict[str, str]] = {"day": "America/Los_Angeles"}
    pools: ClassVar[dict[str, Pool]] = {"minute": Pool.PROJECT, "day": Pool.PROJECT}
    stream_usage: ClassVar[StreamUsage] = StreamUsage.EVERY
    role_first: ClassVar[bool] = False

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Word it as Google's APIs do; a wrong key is 400."""
        match why:
            case Complaint.UNAUTHORIZED:
                reason = {
                    "@type": f"{_TYPE}ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                    "metadata": {"service": "generativelanguage.googleapis.com"},
                }
                message = "API key not valid. Please pass a valid API key."
                return self._error(400, message, reason)
            case Complaint.MODEL_NOT_FOUND:
                message = (
                    f"models/{said.model} is not found for API version v1beta, or is not supported"
                    " for generateContent. Call ListModels to see the list of available models and"
                    " their supported methods."
                )
                return self._error(404, message)
            case Complaint.CONTEXT_LENGTH:
                message = (
                    f"The input token count ({said.prompt_tokens}) exceeds the maximum number of"
                    f" tokens allowed ({said.context_tokens})."
                )
                return self._error(400, message)
            case Complaint.OVERLOADED:
                return self._error(503, "The model is overloaded. Please try again later.")
            case _:
                return super().complaint(why, said)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Tell the violated quota and a delay, both in the body alone."""
        allowance = refusal.allowance
        name, metric = _quota(allowance.metric, allowance.per)
        wait_s = refusal.wait_s
        if wait_s is None or allowance.per == "day":
            wait_s = _DAILY_DELAY_S
        violation = {
            "quotaMetric": f"generativelanguage.googleapis.com/{metric}",
            "quotaId": name,
            "quotaDimensions": {"location": "global", "model": said.model},
        }
        if allowance.amount:
            # A quota of nothing comes without its value.
            violation["quotaValue"] = str(allowance.amount)
        message = (
            "You exceeded your current quota, please check your plan and billing details. For more"
            " information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
            f" \n* Quota exceeded for metric: generativelanguage.googleapis.com/{metric}, limit:"
            f" {allowance.amount}, model: {said.model}\nPlease retry in {wait_s:.6f}s."
        )
        return self._error(
            429,
            message,
            {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
            {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(1, math.ceil(wait_s))}s"},
        )

    def error(
        self,
        status: int,
        message: str,
        *,
        kind: str,
        code: str | int | None,
        param: str | None = None,
    ) -> Reply:
        """Return an error in Google's shape, which has neither type nor code nor field."""
        del kind, code, param
        return self._error(status, message)

    def stream_error(self, reply: Reply) -> bytes:
        """Tell the bare error, with the line ends of Google's own streams."""
        body = msgspec.json.decode(reply.body)
        bare = body[0] if isinstance(body, list) else body
        return b"data: " + msgspec.json.encode(bare) + b"\r\n\r\n"

    def listed(self, model: str) -> Json:
        """Prefix the name, as it does."""
        return {"id": f"models/{model}", "object": "model", "owned_by": "google"}

    def _error(self, status: int, message: str, *details: dict[str, Any]) -> Reply:
        fault: Json = {"code": status, "message": message, "status": _STATES.get(status, "UNKNOWN")}
        if details:
            fault["details"] = list(details)
        # Refusals come as a list of one, outages bare.
        wrapped = status < _OUTAGES_FROM
        return json_reply(status, [{"error": fault}] if wrapped else {"error": fault})


def _quota(metric: Metric, per: str) -> tuple[str, str]:
    window = {"minute": "PerMinute", "day": "PerDay"}.get(per, f"Per{per.capitalize()}")
    if metric is Metric.REQUESTS:
        name = f"GenerateRequests{window}PerProjectPerModel-FreeTier"
        return name, "generate_content_free_tier_requests"
    name = f"GenerateContentInputTokensPerModel{window}-FreeTier"
    return name, "generate_content_free_tier_input_token_count"

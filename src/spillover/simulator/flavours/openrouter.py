"""OpenRouter: wall-clock minutes, UTC days shared by a key's models, comments, errors in 200.

Refuses to know counting. Shapes and texts follow answers that users of the real API reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from spillover.simulator.flavours.base import Flavour
from spillover.simulator.replies import Circumstances, Complaint, Json, Reply, json_reply
from spillover.simulator.spec import Pool, WindowKind

if TYPE_CHECKING:
    from spillover.simulator.desk import Refusal


_BUDGET_USD: Final = 10.0


class OpenRouter(Flavour):
    """The `openrouter` flavour."""

    name: ClassVar[str] = "openrouter"
    base_path: ClassVar[str] = "/api/v1"
    other_kind: ClassVar[WindowKind] = WindowKind.CALENDAR
    pools: ClassVar[dict[str, Pool]] = {"day": Pool.KEY}
    comment: ClassVar[bytes] = b": OPENROUTER PROCESSING\n\n"
    answer_id: ClassVar[str] = "gen-sim"

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Its codes are statuses; its own upstreams fail as 'Provider returned error'."""
        match why:
            case Complaint.UNAUTHORIZED:
                return self._error(401, "User not found.")
            case Complaint.MODEL_NOT_FOUND:
                return self._error(404, f"No endpoints found for {said.model}.")
            case Complaint.PAYMENT_REQUIRED:
                message = (
                    "Insufficient credits. Add more using https://openrouter.ai/settings/credits"
                )
                return self._error(402, message, {"limit_source": "openrouter_credits"})
            case Complaint.CONTENT_FILTER:
                message = (
                    f"{said.model} requires moderation. Your input was flagged for"
                    ' "harassment". No credits were charged.'
                )
                metadata = {"reasons": ["harassment"], "model_slug": said.model}
                return self._error(403, message, metadata)
            case Complaint.OVERLOADED:
                message = "No available model provider that meets your routing requirements"
                return self._error(503, message)
            case Complaint.SERVER_ERROR:
                raw = '{"status":503,"title":"Service Unavailable"}'
                metadata = {"provider_name": "Simulated", "raw": raw}
                return self._error(502, "Provider returned error", metadata)
            case _:
                return super().complaint(why, said)

    def crowded(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Name the budget that calls in flight have."""
        del said
        most = refusal.allowance.amount
        message = f"Rate limit exceeded: at most {most} requests may be in flight."
        return self._error(429, message, {"limit_source": "openrouter_in_flight_budget"})

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Tell limit and reset as headers, and again in the body."""
        allowance = refusal.allowance
        if allowance.per == "day":
            message = (
                "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free"
                " model requests per day"
            )
        elif allowance.pool is Pool.KEY:
            message = f"Rate limit exceeded: free-models-per-{allowance.per[:3]}. "
        else:
            message = (
                f"Rate limit exceeded: limit_rpm/{said.model}. High demand for {said.model} on"
                f" OpenRouter - limited to {allowance.amount} {allowance.metric} per"
                f" {allowance.per}. Please retry shortly."
            )
        resets_at = said.now + (refusal.wait_s or 0.0)
        told = {
            "X-RateLimit-Limit": str(allowance.amount),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(round(resets_at * 1_000)),
        }
        reply = self._error(429, message, {"headers": told, "provider_name": None})
        return reply.with_headers(*((name.lower(), value) for name, value in told.items()))

    def account(self, path: str, balance_usd: float) -> Reply | None:
        """Tell of the key: a budget of ten dollars, for good."""
        if path != "/api/v1/key":
            return None
        spent = _BUDGET_USD - balance_usd
        key: Json = {
            "label": "sk-or-v1-sim",
            "limit": _BUDGET_USD,
            "limit_remaining": balance_usd,
            "limit_reset": None,
            "usage": spent,
            "usage_daily": spent,
            "usage_weekly": spent,
            "usage_monthly": spent,
            "is_free_tier": False,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
        }
        return json_reply(200, {"data": key})

    def error(
        self,
        status: int,
        message: str,
        *,
        kind: str,
        code: str | int | None,
        param: str | None = None,
    ) -> Reply:
        """Return an error whose code is the status."""
        del kind, code, param
        return self._error(status, message)

    def extras(self) -> Json:
        """Name the provider that it went to."""
        return {"provider": "Simulated"}

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Json:
        """Add what it cost, which is nothing."""
        return super().usage(prompt_tokens, completion_tokens) | {"cost": 0, "is_byok": False}

    def stream_error(self, reply: Reply) -> bytes:
        """Tell the error beside a choice that it finishes."""
        fault = msgspec.json.decode(reply.body)["error"]
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        event = {"id": self.answer_id, "object": "chat.completion.chunk", "error": fault}
        return b"data: " + msgspec.json.encode(event | {"choices": [choice]}) + b"\n\n"

    def _error(self, status: int, message: str, metadata: Json | None = None) -> Reply:
        fault: Json = {"message": message, "code": status}
        if metadata is not None:
            fault["metadata"] = metadata
        return json_reply(status, {"error": fault})

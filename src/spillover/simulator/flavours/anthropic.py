"""Anthropic's Messages: buckets that refill, `anthropic-ratelimit-*`, typed errors, 529.

Refuses to know counting. Shapes and texts follow https://platform.claude.com/docs/en/api/errors and
https://platform.claude.com/docs/en/api/rate-limits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from spillover.simulator.asked import Operation
from spillover.simulator.flavours.base import Flavour, gauge_of, seconds_up
from spillover.simulator.replies import Circumstances, Complaint, Headers, Json, Reply, json_reply
from spillover.simulator.spec import Metric, Pool, WindowKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.simulator.desk import Gauge, Refusal

_NAMES: Final = {
    Metric.REQUESTS: "requests",
    Metric.TOKENS: "tokens",
    Metric.INPUT_TOKENS: "input-tokens",
    Metric.OUTPUT_TOKENS: "output-tokens",
}
_WORDED: Final[dict[Complaint, tuple[int, str, str]]] = {
    Complaint.UNAUTHORIZED: (401, "authentication_error", "invalid x-api-key"),
    Complaint.MODEL_NOT_FOUND: (404, "not_found_error", "model: {said.model}"),
    Complaint.CONTEXT_LENGTH: (
        400,
        "invalid_request_error",
        "prompt is too long: {said.prompt_tokens} tokens > {said.context_tokens} maximum",
    ),
    Complaint.BAD_REQUEST: (400, "invalid_request_error", "{said.message}"),
    Complaint.PAYMENT_REQUIRED: (
        400,
        "invalid_request_error",
        (
            "Your credit balance is too low to access the Anthropic API. Please go to Plans &"
            " Billing to upgrade or purchase credits."
        ),
    ),
    Complaint.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    Complaint.SERVER_ERROR: (500, "api_error", "Internal server error"),
}


class Anthropic(Flavour):
    """The `anthropic` flavour."""

    name: ClassVar[str] = "anthropic"
    operations: ClassVar[Mapping[str, Operation]] = {"/messages": Operation.MESSAGES}
    other_kind: ClassVar[WindowKind] = WindowKind.REFILL
    pools: ClassVar[dict[str, Pool]] = {"minute": Pool.MODEL}

    def objection(self, headers: Headers) -> str | None:
        """Every request names the version of the protocol that it speaks."""
        named = any(name == "anthropic-version" for name, _ in headers)
        return None if named else "anthropic-version: header is required"

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Word it as Anthropic does."""
        worded = _WORDED.get(why)
        if worded is None:
            return super().complaint(why, said)
        status, kind, text = worded
        return self.error(status, text.format(said=said), kind=kind, code=None)

    def crowded(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Tell it as a rate limit."""
        del refusal, said
        message = "Number of concurrent connections has exceeded your rate limit."
        return self.error(429, message, kind="rate_limit_error", code=None)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Name the limit, and its reset in a header."""
        allowance = refusal.allowance
        metric = _NAMES[allowance.metric].replace("-", " ")
        message = (
            "This request would exceed your organization's rate limit of"
            f" {allowance.amount:,} {metric} per {allowance.per} (model: {said.model})."
        )
        reply = self.error(429, message, kind="rate_limit_error", code=None)
        if refusal.wait_s is None:
            return reply
        resets = datetime.fromtimestamp(said.now + refusal.wait_s, UTC)
        name = _NAMES[allowance.metric]
        return reply.with_headers(
            ("retry-after", seconds_up(refusal.wait_s)),
            (f"anthropic-ratelimit-{name}-reset", resets.strftime("%Y-%m-%dT%H:%M:%SZ")),
        )

    def limit_headers(
        self, gauges: Sequence[Gauge], *, status: int, stream: bool, cost: int
    ) -> Headers:
        """On every answer: limit and remaining of each of the minute's limits."""
        del status, stream, cost
        found: list[tuple[str, str]] = []
        for metric, name in _NAMES.items():
            gauge = gauge_of(gauges, metric, "minute")
            if gauge is not None:
                found += (
                    (f"anthropic-ratelimit-{name}-limit", str(gauge.allowance.amount)),
                    (f"anthropic-ratelimit-{name}-remaining", str(gauge.remaining)),
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
        """Return an error in Anthropic's shape, which has neither code nor field."""
        del code, param
        fault = {"type": kind, "message": message}
        return json_reply(status, {"type": "error", "error": fault, "request_id": "req_sim"})

    def stream_error(self, reply: Reply) -> bytes:
        """Name the event."""
        return b"event: error\ndata: " + reply.body + b"\n\n"

    def listed(self, model: str) -> Json:
        """As `GET /v1/models` has it."""
        return {
            "type": "model",
            "id": model,
            "display_name": model,
            "created_at": "2025-01-01T00:00:00Z",
        }

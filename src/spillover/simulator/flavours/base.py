"""What every flavour is: a provider's windows, error bodies, headers and habits in streams.

Refuses to know sockets, keys and counting. `Flavour` itself is the `generic` provider, which
speaks plain OpenAI shapes; each other flavour overrides what its real provider does otherwise.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from spillover.simulator.asked import Operation
from spillover.simulator.replies import (
    Circumstances,
    Complaint,
    Headers,
    Json,
    Reply,
    json_reply,
)
from spillover.simulator.spec import Allowance, Metric, Pool, WindowKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spillover.simulator.desk import Gauge, Refusal

_SECOND_MS: Final = 1_000


class StreamUsage(StrEnum):
    """Where a stream tells its usage."""

    FINAL = "final"
    """When asked for: in an event of its own, without choices, after the last."""
    EVERY = "every"
    """When asked for: in every event, each the sum so far."""
    UNASKED = "unasked"
    """In the event with the finish reason, always; the field `stream_options` is refused."""


class Addressed(NamedTuple):
    """What an address asks for."""

    operation: Operation
    model: str = ""
    """Where the address names it."""
    stream: bool = False
    """The address says so."""


_OPENAI: Final = {
    f"/{operation}": operation
    for operation in (Operation.CHAT, Operation.COMPLETIONS, Operation.EMBEDDINGS)
}


class Flavour:
    """The quirks of one provider; this one has none."""

    name: ClassVar[str] = "generic"
    base_path: ClassVar[str] = "/v1"
    operations: ClassVar[Mapping[str, Operation]] = _OPENAI
    """By the path behind the base path."""
    kinds: ClassVar[dict[str, WindowKind]] = {}
    """Window kinds by length, where it is not `other_kind`."""
    other_kind: ClassVar[WindowKind] = WindowKind.ROLLING
    zones: ClassVar[dict[str, str]] = {}
    """Zones of calendar windows by length, where it is not UTC."""
    pools: ClassVar[dict[str, Pool]] = {}
    """Pools by window length, where it is not the model of the key."""
    assumed_max_tokens: ClassVar[int | None] = None
    """A provider that counts `max_tokens` up front assumes this where the request has none;
    None: it counts output when it is there."""
    asks_keys: ClassVar[bool] = True
    truncates_prompts: ClassVar[bool] = False
    """A prompt that is too long is cut in silence instead of refused."""
    stream_usage: ClassVar[StreamUsage] = StreamUsage.FINAL
    usage_null: ClassVar[bool] = False
    """With usage asked for, the other events say `usage: null`."""
    role_first: ClassVar[bool] = True
    """The first event has the role and no content; else every event repeats the role."""
    comment: ClassVar[bytes] = b""
    """Opens every stream, and is repeated while it waits for its first content."""
    comment_every_s: ClassVar[float] = 1.0
    answer_id: ClassVar[str] = "chatcmpl-sim"

    def addressed(self, path: str, query: str) -> Addressed | None:
        """Return what is asked for at a path behind the base path; None: there is nothing."""
        del query
        operation = self.operations.get(path)
        return None if operation is None else Addressed(operation)

    def objection(self, headers: Headers) -> str | None:
        """Return what is wrong with a request's headers; None: nothing."""
        del headers
        return None

    def resolved(self, allowance: Allowance) -> Allowance:
        """Return an allowance with kind, pool and zone said, as this provider has them."""
        per = allowance.per
        kind = allowance.kind or self.kinds.get(per, self.other_kind)
        return Allowance(
            metric=allowance.metric,
            amount=allowance.amount,
            per=per,
            kind=kind,
            pool=allowance.pool or self.pools.get(per, Pool.MODEL),
            zone=allowance.zone or self.zones.get(per, "UTC"),
        )

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Return the error that a request gets; limits are refused by `refusal` instead."""
        status, kind, code, text = _COMPLAINTS[why]
        message = said.message or text.format(said=said)
        return self.error(status, message, kind=kind, code=code, param=said.param)

    def crowded(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Return the answer to a call beyond those that may be in flight at once."""
        del said
        most = refusal.allowance.amount
        message = f"Too many concurrent requests: at most {most} may be in flight at once."
        return self.error(429, message, kind="rate_limit_error", code="concurrency_limit_exceeded")

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Return the answer to a call that a window has no room for."""
        del said
        allowance = refusal.allowance
        message = f"Rate limit exceeded: {allowance.amount} {allowance.metric} per {allowance.per}."
        headers = () if refusal.wait_s is None else (("retry-after", seconds_up(refusal.wait_s)),)
        reply = self.error(429, message, kind="rate_limit_error", code="rate_limit_exceeded")
        return reply.with_headers(*headers)

    def limit_headers(
        self, gauges: Sequence[Gauge], *, status: int, stream: bool, cost: int
    ) -> Headers:
        """Return what an answer's headers tell of the caller's limits; `cost` is its own tokens."""
        del gauges, status, stream, cost
        return ()

    def account(self, path: str, balance_usd: float) -> Reply | None:
        """Return what `GET path` says is left of the caller's account; None: it is no such path."""
        del path, balance_usd
        return None

    def error(
        self,
        status: int,
        message: str,
        *,
        kind: str,
        code: str | int | None,
        param: str | None = None,
    ) -> Reply:
        """Return an error in this provider's shape."""
        fault: Json = {"message": message, "type": kind, "param": param, "code": code}
        return json_reply(status, {"error": fault})

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Json:
        """Return the `usage` object."""
        return {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        }

    def extras(self) -> Json:
        """Return the fields that this provider adds to answers and to every stream event."""
        return {}

    def last_extras(self, usage: Json) -> Json:
        """Return the fields that it adds to the stream event with the finish reason."""
        del usage
        return {}

    def stream_error(self, reply: Reply) -> bytes:
        """Return the stream event that tells an error after the head has been sent."""
        return b"data: " + reply.body + b"\n\n"

    def listed(self, model: str) -> Json:
        """Return a model's entry in `GET /models`."""
        return {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": self.name}


def seconds_up(wait_s: float) -> str:
    """Return whole seconds, at least one, as `retry-after` has them."""
    return str(max(1, math.ceil(wait_s - 1e-6)))


def go_duration(seconds: float) -> str:
    """Return a span as Go prints it: `370ms`, `7.66s`, `2m59.56s`, `1h0m0s`."""
    milliseconds = max(0, round(seconds * 1_000))
    if milliseconds < _SECOND_MS:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1_000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def gauge_of(gauges: Sequence[Gauge], metric: Metric, *pers: str) -> Gauge | None:
    """Return the gauge of a metric in the first of some windows that it is limited in."""
    for per in pers:
        for gauge in gauges:
            if gauge.allowance.metric is metric and gauge.allowance.per == per:
                return gauge
    return None


def bucket_headers(
    gauges: Sequence[Gauge], requests_per: tuple[str, ...], tokens_per: tuple[str, ...]
) -> Headers:
    """Return `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` with Go durations."""
    found: list[tuple[str, str]] = []
    for metric, pers in ((Metric.REQUESTS, requests_per), (Metric.TOKENS, tokens_per)):
        gauge = gauge_of(gauges, metric, *pers)
        if gauge is not None:
            found += (
                (f"x-ratelimit-limit-{metric}", str(gauge.allowance.amount)),
                (f"x-ratelimit-remaining-{metric}", str(gauge.remaining)),
                (f"x-ratelimit-reset-{metric}", go_duration(gauge.resets_in_s)),
            )
    return tuple(found)


_COMPLAINTS: Final[dict[Complaint, tuple[int, str, str | None, str]]] = {
    Complaint.UNAUTHORIZED: (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: {said.masked_key}.",
    ),
    Complaint.MODEL_NOT_FOUND: (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model `{said.model}` does not exist or you do not have access to it.",
    ),
    Complaint.CONTEXT_LENGTH: (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        (
            "This model's maximum context length is {said.context_tokens} tokens. However, your"
            " messages resulted in {said.prompt_tokens} tokens. Please reduce the length of the"
            " messages."
        ),
    ),
    Complaint.BAD_REQUEST: (400, "invalid_request_error", None, "Invalid request."),
    Complaint.STREAM_OPTIONS: (
        400,
        "invalid_request_error",
        "unknown_parameter",
        "Unknown parameter: 'stream_options'.",
    ),
    Complaint.CONTENT_FILTER: (
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    Complaint.PAYMENT_REQUIRED: (
        402,
        "insufficient_balance",
        "insufficient_balance",
        "Insufficient balance. Please add credits to your account.",
    ),
    Complaint.OVERLOADED: (
        503,
        "server_error",
        None,
        "The model is currently overloaded. Please try again later.",
    ),
    Complaint.SERVER_ERROR: (
        500,
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
}

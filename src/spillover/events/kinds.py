"""The kinds of events. No event holds a prompt, an answer or a secret.

Instants (`at`, `until`, `available_at`) are epoch seconds here and ISO 8601 UTC in JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec

from spillover.core.notices import NoticeKind


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    at: float


class RequestFallback(_Event, frozen=True, kw_only=True, tag="request.fallback"):
    """A request went on from one profile to another, or found nobody left (`to` is null)."""

    request_id: str
    chain: str
    source: str = msgspec.field(name="from")
    to: str | None
    cause: str
    until: float | None = None
    waited_ms: float = 0.0
    """How long the request had been with the profile that it left."""


class RequestDone(_Event, frozen=True, kw_only=True, tag="request.done"):
    """A request ended."""

    request_id: str
    chain: str
    profile: str | None
    outcome: str
    """`served`, `cached` (an answer kept from before), `broken`, `cancelled`, `provider_error` or `refused`."""
    code: str | None = None
    """The error's code, where Spillover refused."""
    trail: str = ""
    """One entry a send: `groq:rate_limited,glm:ok`."""
    took_ms: float
    ttft_ms: float | None = None
    reserve_ms: float = 0.0
    """Time that the ledger took to hold room."""
    input_tokens: int = 0
    output_tokens: int = 0
    reported: bool = True
    """Whether the provider reported the tokens; otherwise they are an estimate."""
    garbage_events: int = 0
    """Events of the stream that were not JSON and were dropped."""


class ProfileStatus(_Event, frozen=True, kw_only=True, tag="profile.status"):
    """A profile's status changed."""

    profile: str
    source: str = msgspec.field(name="from")
    to: str
    reason: str | None = None
    until: float | None = None


class UpstreamStatus(_Event, frozen=True, kw_only=True, tag="upstream.status"):
    """A local server that the gateway runs started, ended or is being renewed."""

    upstream: str
    state: str
    reason: str | None = None
    pid: int | None = None


class LimitReached(_Event, frozen=True, kw_only=True, tag="limit.reached"):
    """A call found no room under a limit; told once until there is room again."""

    profile: str
    limit: str
    amount: int
    available_at: float | None = None


class BudgetReached(_Event, frozen=True, kw_only=True, tag="budget.reached"):
    """A threshold of a budget was passed: the highest, where several were at once.

    Told once in a window, by one of the processes that share the ledger.
    """

    profile: str
    """The first of those whom the budget binds."""
    scope: str
    """Whose usage counts: the `profile`'s, its `model`'s or its `account`'s."""
    limit: str
    percent: int
    """50, 80, 90, or 100: spent, or so nearly that a call found no room."""
    used: float
    """US dollars for a budget of cost, else what its metric counts."""
    amount: float
    until: float | None = None
    """When some of it comes back; None: never by itself."""


class LedgerTrouble(_Event, frozen=True, kw_only=True, tag="ledger.trouble"):
    """Storage stopped or began to work, a useless ledger was moved aside, an entry was left out."""

    failing: bool
    message: str


class LedgerDrift(_Event, frozen=True, kw_only=True, tag="ledger.drift"):
    """The provider says that less is left than we count."""

    profile: str
    limit: str
    counted: float
    """In the limit's unit: US dollars for cost."""
    stated: float


class ConfigReloaded(_Event, frozen=True, kw_only=True, tag="config.reloaded"):
    """An edit of the configuration is in force."""

    path: str


class ConfigRejected(_Event, frozen=True, kw_only=True, tag="config.rejected"):
    """An edit of the configuration can't be used; the one before stays in force."""

    path: str
    problems: tuple[str, ...]


class Notice(_Event, frozen=True, kw_only=True, tag="notice"):
    """Something that people are told, once: a transition, or several folded into one."""

    id: int = 0
    """Rises with each that is told; 0 before."""
    kind: NoticeKind
    """Of several the gravest."""
    text: str
    """A line each."""
    count: int = 1
    chain: str | None = None
    profile: str | None = None
    source: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    cause: str | None = None
    until: float | None = None


Event: TypeAlias = (
    RequestFallback
    | RequestDone
    | ProfileStatus
    | UpstreamStatus
    | LimitReached
    | BudgetReached
    | LedgerTrouble
    | LedgerDrift
    | ConfigReloaded
    | ConfigRejected
    | Notice
)

INSTANTS: Final = frozenset({"at", "until", "available_at"})
"""Fields that are epoch seconds here and text in JSON."""
_encoder = msgspec.json.Encoder()


def iso(at: float) -> str:
    """Return an instant as ISO 8601 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def instant(iso: str) -> float:
    """Return the epoch seconds of an ISO 8601 instant with a zone; raises ValueError."""
    return datetime.fromisoformat(iso).timestamp()


def document(event: Event) -> dict[str, Any]:
    """Return the event as plain values, with `type` and ISO instants."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    for name in INSTANTS:
        value = fields.get(name)
        if value is not None:
            fields[name] = iso(value)
    return fields


def to_json(event: Event) -> bytes:
    """Return the event as one line of JSON, with `type` and ISO instants."""
    return _encoder.encode(document(event))

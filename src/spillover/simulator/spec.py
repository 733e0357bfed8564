"""Say what a simulated provider is: its flavour, models, keys, limits and pace.

Refuses to know sockets, HTTP and how limits are counted. Shares no code with the rest of
Spillover, so that what judges the ledger can't repeat the ledger's mistakes.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final

import msgspec


class Metric(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    """Input and output together."""
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CONCURRENCY = "concurrency"
    """Calls in flight; has no window."""


class WindowKind(StrEnum):
    """How used amounts come back."""

    ROLLING = "rolling"
    """Each one as it leaves the span that ends now."""
    CALENDAR = "calendar"
    """All at once, at the start of the zone's next minute, hour, day, week or month."""
    REFILL = "refill"
    """Continuously, as a bucket that holds the amount and gains it once per window."""


class Pool(StrEnum):
    """Who shares one counter."""

    MODEL = "model"
    """Each model of each key has its own."""
    KEY = "key"
    """All models of a key share one."""
    PROJECT = "project"
    """All keys share one for each model."""


SECONDS_OF: Final = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3_600.0,
    "day": 86_400.0,
    "week": 604_800.0,
    "month": 2_592_000.0,
}
"""Lengths of the named windows; a month is 30 days except in a calendar window."""

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_AMOUNTS: Final = {"": 1, "K": 1_000, "M": 1_000_000}
_LIMIT: Final = re.compile(
    r"(?P<metric>[a-z_]+)=(?P<amount>\d+)(?P<scale>[KM]?)"
    r"(?:/(?P<per>second|minute|hour|day|week|month|\d+(?:\.\d+)?[smhd]))?"
    r"(?:@(?P<kind>rolling|calendar|refill))?"
    r"(?::(?P<pool>model|key|project))?"
)


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that a simulated provider enforces: an amount of a metric per window."""

    metric: Metric
    amount: int
    per: str = "minute"
    """A name of `SECONDS_OF`, or a duration such as `20s`; ignored for concurrency."""
    kind: WindowKind | None = None
    """None: as this flavour's real provider counts windows of this length."""
    pool: Pool | None = None
    """None: as this flavour's real provider shares them."""
    zone: str | None = None
    """Of a calendar window; None: this flavour's."""

    @property
    def seconds(self) -> float:
        """The window's length."""
        return seconds_of(self.per)

    def __str__(self) -> str:
        """Return the written form, as `limits` reads it."""
        if self.metric is Metric.CONCURRENCY:
            window = ""
        else:
            window = f"/{self.per}" + (f"@{self.kind}" if self.kind else "")
        return f"{self.metric}={self.amount}{window}" + (f":{self.pool}" if self.pool else "")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a simulated provider serves."""

    context_tokens: int | None = None
    """Prompt and `max_tokens` may not exceed it together; None: any length fits."""
    max_output_tokens: int | None = None
    """Answers are cut to it; None: never cut but by the request."""
    dimensions: int | None = None
    """Length of its vectors, for an embedding model, which can't chat; None: a chat model."""


class ScriptedCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool call that a simulated model is to make."""

    tool: str
    """A name among the tools that a request offers."""
    arguments: dict[str, Any]


class ProviderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that defines a simulated provider, before any fault is scripted."""

    flavour: str = "generic"
    """Whose quirks it has: a name of `flavours.FLAVOURS`."""
    name: str = ""
    """What it calls itself in its answers; empty: `simulated <flavour>`."""
    models: dict[str, Model] = msgspec.field(default_factory=dict)
    """By name; empty: every name is a chat model that also embeds."""
    keys: frozenset[str] = frozenset()
    """The API keys it accepts; empty: no key is asked for."""
    limits: tuple[Allowance, ...] = ()
    answer: str | None = None
    """The text of every answer; None: a sentence that names the provider and the model."""
    calls: tuple[ScriptedCall, ...] = ()
    """What it calls before it says its text, in order, one an answer: as many as a conversation holds
    results of are behind it. One whose tool is not offered is not made."""
    events: int | None = None
    """Content events of a stream, the words being repeated or cut; None: one for each word."""
    events_per_s: float | None = None
    """Pace of streams, on an absolute schedule; None: as fast as the reader reads."""
    delay_s: float = 0.0
    """Wait before every answer's status line."""
    first_token_s: float = 0.0
    """Wait between a stream's head and its first content."""
    balance_usd: float = 10.0
    """What its usage endpoint, where the flavour has one, says is left of every account."""
    keep_records: int = 1_000
    """Requests kept for `Provider.records`, oldest dropped first; 0 keeps none."""

    @property
    def title(self) -> str:
        """What it calls itself."""
        return self.name or f"simulated {self.flavour}"


def seconds_of(per: str) -> float:
    """Return the length of a window written as a name (`minute`) or a duration (`20s`, `5h`)."""
    named = SECONDS_OF.get(per)
    if named is not None:
        return named
    if not re.fullmatch(r"\d+(\.\d+)?[smhd]", per):
        raise ValueError(
            f"no window: {per!r} (write minute, hour, day, week, month, or 20s, 5h, 2d)"
        )
    return float(per[:-1]) * _UNITS[per[-1]]


def limits(*written: str) -> tuple[Allowance, ...]:
    """Read limits written as `metric=amount[/window][@kind][:pool]`.

    Examples: `requests=5/minute`, `tokens=6K/minute@refill`, `requests=50/day:key`,
    `concurrency=4`. Kind and pool default to what the flavour's real provider does.
    Raises ValueError, which quotes what can't be read.
    """
    return tuple(_limit(text) for text in written)


def _limit(text: str) -> Allowance:
    found = _LIMIT.fullmatch(text.strip())
    metric = found["metric"] if found else ""
    if found is None or metric not in set(Metric):
        raise ValueError(
            f"no limit: {text!r} (write metric=amount/window, such as requests=5/minute;"
            f" metrics are {', '.join(Metric)})"
        )
    if (found["per"] is None) is not (metric == Metric.CONCURRENCY):
        raise ValueError(
            f"no limit: {text!r} (concurrency alone has no window, every other metric has)"
        )
    return Allowance(
        metric=Metric(metric),
        amount=int(found["amount"]) * _AMOUNTS[found["scale"]],
        per=found["per"] or "minute",
        kind=WindowKind(found["kind"]) if found["kind"] else None,
        pool=Pool(found["pool"]) if found["pool"] else None,
    )

"""Read how long a provider says to wait, however it says so.

Rules of this file:
- The order is that of trust: an absolute reset, then `retry-after-ms`, `retry-after`, the reset of a
  metric with nothing remaining, fields of the body, and prose last.
- A reset counts only for what is spent: it may say when a bucket is full again, not when to come back.
- Nothing is judged: a wait is read as it is stated, and whoever uses it knows what can be true.

Refuses to know what is waited for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spillover.core.values import Source
from spillover.protocols.prose import said_of_waiting
from spillover.protocols.spans import http_date_of, instant_of, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a provider says to wait."""

    seconds: float | None = None
    reset_at: float | None = None
    """An absolute reset; it comes before `seconds` while it can be true."""
    server_at: float | None = None
    """What time it was at the server, where it said so."""
    source: Source = Source.DEFAULT


@dataclass(slots=True)
class _Found:
    """What was read from one place so far."""

    seconds: float | None = None
    reset_at: float | None = None

    def later(self, seconds: float | None, reset_at: float | None) -> None:
        """Take what lies further off: with several metrics spent, the last to reset binds."""
        if seconds is not None:
            self.seconds = max(seconds, self.seconds or 0.0)
        if reset_at is not None:
            self.reset_at = max(reset_at, self.reset_at or 0.0)


def stated_wait(
    headers: Mapping[str, str],
    fields: Mapping[str, Any],
    text: str,
    *,
    provider: str = "",
    now: float | None = None,
) -> Wait:
    """Return the wait that is stated in headers, body fields or prose.

    Names in `headers` and `fields` are lower case, as is `text`. `now` stands in for the server's
    clock when no `date` header tells it. Spans are as stated, however absurd, but never negative.
    """
    server_at = http_date_of(headers.get("date"))
    head = _Found()
    head.later(*_spent(headers))
    retry = _retry_after(headers, server_at)
    body = _Found()
    if fields:
        body.later(None, _reset_in(fields))
        body.later(*_retry_after(fields, server_at))
    if head.reset_at is None and head.seconds is None and retry == (None, None):
        head.seconds = span_of(headers.get("x-ratelimit-timeremaining"))
    seconds = _first(retry[0], head.seconds)
    reset_at = _first(head.reset_at, retry[1], body.reset_at)
    source = Source.HEADER
    if head.reset_at is None and retry[1] is None and (seconds is None or reset_at is not None):
        source = Source.BODY
        seconds = _first(seconds, body.seconds)
        if seconds is None and reset_at is None:
            clock = server_at if server_at is not None else now
            said = said_of_waiting(text, provider=provider, now=clock)
            seconds, reset_at = said.seconds, said.reset_at
    if seconds is None and reset_at is None:
        return Wait()
    return Wait(seconds=seconds, reset_at=reset_at, server_at=server_at, source=source)


def _first(*stated: float | None) -> float | None:
    return next((each for each in stated if each is not None), None)


_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms", "retry_after_ms", "retryafterms")
_SECONDS: Final = (
    "retry-after",
    "x-retry-after",
    "retry_after",
    "retryafter",
    "retry_after_seconds",
    "retryafterseconds",
    "retry_after_s",
    "resets_in_seconds",
    "reset_in_seconds",
    "resets_in",
    "reset_in",
    "reset_after",
    "quotaresetdelay",
    "retrydelay",
    "retry_delay",
    "wait_seconds",
    "estimated_time",
)
_INSTANTS: Final = (
    "quotaresettimestamp",
    "resets_at",
    "reset_at",
    "resetat",
    "resetsat",
    "reset_time",
    "resettime",
    "retry_at",
    "available_at",
)
WAIT_FIELDS: Final = frozenset((*_MILLISECONDS, *_SECONDS, *_INSTANTS))
"""Fields of a body that state a wait."""
_LATEST_S, _FIRST_S = 4_200_000_000.0, 1_000_000_000.0


def _retry_after(
    fields: Mapping[str, Any], server_at: float | None
) -> tuple[float | None, float | None]:
    """Return (span, instant) of the first field that tells when to come back."""
    for name in _MILLISECONDS:
        if name in fields and (span := span_of(fields[name])) is not None:
            return span / 1_000, None
    for name in _SECONDS:
        if name not in fields:
            continue
        stated = fields[name]
        if isinstance(stated, dict):  # a protobuf duration written as JSON
            stated = stated.get("seconds")
        span = span_of(stated)
        if span is not None:
            # An instant may stand in its place; absurd spans are told from it by their size.
            if _FIRST_S <= span < _LATEST_S:
                return None, span
            if _FIRST_S * 1_000 <= span < _LATEST_S * 1_000:
                return None, span / 1_000
            return span, None
        until = http_date_of(stated)
        if until is not None and server_at is not None:
            return max(0.0, until - server_at), None
        until = until if until is not None else instant_of(stated)
        if until is not None:
            return None, until
    return None, None


def _reset_in(fields: Mapping[str, Any]) -> float | None:
    """Return the instant that a body states: a field for it, or a header that is repeated there."""
    for name in _INSTANTS:
        at = instant_of(fields.get(name))
        if at is not None:
            return at
    return _spent(fields)[1]


_BARE_RESETS: Final = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")
"""The one reset of a provider that counts one thing; many leave out what remains."""


def _spent(fields: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return (span, instant) of the last reset among the metrics that have nothing remaining."""
    found = _Found()
    for reset in _spent_resets(fields):
        at = instant_of(reset)
        found.later(None if at is not None else span_of(reset), at)
    return found.seconds, found.reset_at


_PLAN_STATUS: Final = "anthropic-ratelimit-unified-status"


def _spent_resets(fields: Mapping[str, Any]) -> Iterator[Any]:
    for name in spent_metrics(fields):
        reset = fields.get(name.replace("remaining", "reset"))
        if reset is not None:
            yield reset
    for name in _BARE_RESETS:
        if name in fields and name.replace("reset", "remaining") not in fields:
            yield fields[name]
    plan = fields.get("anthropic-ratelimit-unified-reset")
    # Subscriptions tell no amounts, but whether the plan refuses.
    if plan is not None and fields.get(_PLAN_STATUS, "rejected") == "rejected":
        yield plan
    limits = fields.get("ratelimit")
    if isinstance(limits, str):
        yield from _structured(limits)


def spent_metrics(fields: Mapping[str, Any]) -> list[str]:
    """Return the names of the headers that say that nothing remains."""
    return [
        name.lower()
        for name, value in fields.items()
        if "emaining" in name and _LIMIT.search(name.lower()) and _is_nothing(value)
    ]


_LIMIT: Final = re.compile("rate-?limit")


def _is_nothing(value: Any) -> bool:
    text = str(value).strip()
    return text in {"0", "0.0", "-1"} or text.startswith("-")


_ITEM: Final = re.compile(r'(?:^|,) ?"[^"]{0,200}" ?((?:; ?[a-z]+ ?= ?[^;,"]{1,40}){1,10})')
_PARAMETER: Final = re.compile(r"([a-z]+) ?= ?(-?\d{1,15})\b")


def _structured(limits: str) -> Iterator[str]:
    """Yield the spans after which spent policies reset: `"api";r=0;t=295` of RFC 9651's making.

    The dictionary of older drafts, `limit=100, remaining=0, reset=50`, is read too.
    """
    if limits.lstrip().startswith('"'):
        items = [dict(_PARAMETER.findall(item)) for item in _ITEM.findall(limits)]
        yield from (item["t"] for item in items if item.get("r") == "0" and "t" in item)
        return
    old = dict(_PARAMETER.findall(limits.lower()))
    if old.get("remaining") == "0" and "reset" in old:
        yield old["reset"]

"""Read how long a provider says to wait, however it says so.

Rules of this file:
- Headers beat the fields of a body, fields beat prose.
- A reset that is stated as an instant is an instant; all else is a span in seconds.
- Nothing is judged: a wait is read as it is stated, and whoever uses it knows what can be true.

Refuses to know what is waited for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from spillover.core.values import Source

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a provider says to wait."""

    seconds: float | None = None
    reset_at: float | None = None
    """The same as an instant, where it is stated as one."""
    source: Source = Source.DEFAULT


def stated_wait(headers: Mapping[str, str], fields: Mapping[str, Any], text: str) -> Wait:
    """Return the wait that is stated in headers, else in body fields, else in prose.

    Names in `headers` and `fields` are looked up in lower case; `text` is lower-case prose. Spans
    are as stated, however absurd: whoever uses them knows what can be true.
    """
    for source, stated in ((Source.HEADER, headers), (Source.BODY, fields)):
        wait = _stated(stated, headers.get("date"), source)
        if wait is not None:
            return wait
    spoken = _PROSE.search(text)
    if spoken is not None:
        return Wait(seconds=_span(spoken["span"]), source=Source.BODY)
    return Wait()


_MILLISECONDS: Final = ("retry-after-ms", "retry_after_ms")
_SECONDS: Final = ("retry-after", "retry_after", "retryafter", "quotaresetdelay", "retrydelay")
_INSTANTS: Final = ("x-ratelimit-reset", "quotaresettimestamp")


def _stated(fields: Mapping[str, Any], date: str | None, source: Source) -> Wait | None:
    seconds: float | None = None
    reset_at: float | None = None
    if str(fields.get("x-ratelimit-remaining", 0)).strip() == "0":
        reset_at = next(filter(None, (_instant(fields.get(n)) for n in _INSTANTS)), None)
    for name in _MILLISECONDS:
        span = _span(fields.get(name))
        if span is not None:
            seconds = span / 1_000
            break
    else:
        for name in _SECONDS:
            stated = fields.get(name)
            seconds = _span(stated)
            if seconds is not None:
                break
            until, since = _http_date(stated), _http_date(date)
            if until is not None and since is not None:
                seconds = max(0.0, until - since)
                break
            reset_at = reset_at or until
    if seconds is None and reset_at is None:
        return None
    return Wait(seconds=seconds, reset_at=reset_at, source=source)


_UNITS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
}
_UNIT: Final = "|".join(sorted(_UNITS, key=len, reverse=True))
_AMOUNT: Final = r"\d{1,12}(?:\.\d{1,12})?"
_PARTS: Final = re.compile(rf"({_AMOUNT}) ?({_UNIT})(?![a-z])")
_PART: Final = rf"{_AMOUNT} ?(?:{_UNIT})(?![a-z])"
_SPAN: Final = rf"{_PART}(?:,? ?(?:and )?{_PART}){{0,5}}"
_WHOLE_SPAN: Final = re.compile(_SPAN)
_PROSE: Final = re.compile(
    r"(?:try again|retry(?:ing)?|wait|resets?|available again)"
    rf"(?: (?:in|after|for|about|at least)){{0,2}}:? (?P<span>{_SPAN})"
)
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?")


def _span(stated: Any) -> float | None:
    """Return seconds from a number or a written span (`1.5`, `7m12.3s`, `5 hours`)."""
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        return None
    text = str(stated).strip().lower()
    if _NUMBER.fullmatch(text):
        return float(text)
    if _WHOLE_SPAN.fullmatch(text):
        return sum(float(amount) * _UNITS[unit] for amount, unit in _PARTS.findall(text))
    return None


_EPOCH_S: Final = 1e9
_EPOCH_MS: Final = 1e12


def _instant(stated: Any) -> float | None:
    """Return an instant from epoch seconds, epoch milliseconds or RFC 3339; a span is none."""
    number = _span(stated)
    if number is not None:
        if number < _EPOCH_S:
            return None
        return number / 1_000 if number >= _EPOCH_MS else number
    try:
        at = datetime.fromisoformat(str(stated))
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


_DATE: Final = re.compile(r"[a-z]{3}, (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) gmt")
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905


def _http_date(stated: Any) -> float | None:
    found = _DATE.fullmatch(str(stated).strip().lower())
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[n]) for n in (1, 3, 4, 5, 6))
    try:
        at = datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return at.timestamp()

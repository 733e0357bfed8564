"""Read one stated span or instant, in every way that providers write them.

Rules of this file:
- A span is in seconds and never negative: what lies in the past is 0.
- What can't be read is None; nothing here raises on any text or value.

Refuses to know headers, fields, and what is waited for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "second(s)"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minute(s)"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "hour(s)"), 3_600.0),
    **dict.fromkeys(("d", "day", "days", "day(s)"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks", "week(s)"), 604_800.0),
}
"""Seconds of each unit."""
_UNIT: Final = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_AMOUNT: Final = r"\d{1,12}(?:\.\d{1,12})?"
_PART: Final = rf"{_AMOUNT} ?(?:{_UNIT})(?![a-z])"
_NEXT: Final = rf"(?:,? ?(?:and )?{_AMOUNT} ?(?:{_UNIT})(?![a-z]))"
SPAN: Final = rf"(?:{_AMOUNT} ?(?:{_UNIT}))(?:(?![a-z]){_NEXT}){{0,5}}(?![a-z])"
"""A written span such as `7m12.345s`, `6m 11.52s` or `2 minutes and 30 seconds`."""

_PARTS: Final = re.compile(rf"({_AMOUNT}) ?({_UNIT})(?![a-z])")
_WHOLE_SPAN: Final = re.compile(rf"{_PART}{_NEXT}{{0,5}}")
_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?")
_ISO_SPAN: Final = re.compile(
    r"p(?:(\d{1,9})d)?(?:t(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?)?"
)


def span_of(stated: Any) -> float | None:
    """Return seconds from a number or a written span (`1.5`, `7m12.3s`, `5 hours`, `PT30S`)."""
    if isinstance(stated, str):
        return _span_of_text(stated)
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return None
    return max(0.0, _float(stated)) if isfinite(_float(stated)) else None


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _span_of_text(stated: str) -> float | None:
    text = stated.strip().lower()
    if _NUMBER.fullmatch(text):
        return max(0.0, float(text))
    if _WHOLE_SPAN.fullmatch(text):
        return sum_of(text)
    iso = _ISO_SPAN.fullmatch(text)
    if iso is not None and iso[0][-1] not in "pt":
        days, hours, minutes, seconds = (float(part or 0) for part in iso.groups())
        return days * 86_400 + hours * 3_600 + minutes * 60 + seconds
    return None


def sum_of(text: str) -> float:
    """Return the seconds that the parts of a written span come to."""
    return sum(float(amount) * UNITS[unit] for amount, unit in _PARTS.findall(text))


EPOCH_S: Final = 1e9
_EPOCH_MS: Final = 1e12


def instant_of(stated: Any) -> float | None:
    """Return an instant from epoch seconds, epoch milliseconds or RFC 3339; a span is none."""
    number = span_of(stated)
    if number is not None:
        if number < EPOCH_S:
            return None
        return number / 1_000 if number >= _EPOCH_MS else number
    if not isinstance(stated, str):
        return None
    try:
        at = datetime.fromisoformat(stated.strip().upper())
        return at.timestamp() if at.tzinfo is not None else None
    except ValueError:
        return None


_MONTHS: Final = dict(
    zip("jan feb mar apr may jun jul aug sep oct nov dec".split(), range(1, 13), strict=True)  # noqa: SIM905 - read as words
)
_TIME: Final = r"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
_DATES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[a-z]{{3}}, (?P<day>\d\d) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) {_TIME} gmt",
        rf"[a-z]{{6,9}}, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-(?P<year>\d\d) {_TIME} gmt",
        rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) [ ]?(?P<day>\d\d?) {_TIME} (?P<year>\d{{4}})",
    )
)
"""HTTP's date and the two obsolete forms that are to be read too (RFC 9110, 5.6.7)."""
_THIS_CENTURY: Final = 2_000


def month_of(name: str) -> int | None:
    """Return a month's number from its first three letters in lower case."""
    return _MONTHS.get(name[:3])


def http_date_of(stated: Any) -> float | None:
    """Return the instant of an HTTP date."""
    if not isinstance(stated, str):
        return None
    text = stated.strip().lower()
    found = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if found is None:
        return None
    month = month_of(found["month"])
    year = int(found["year"])
    if month is None:
        return None
    if len(found["year"]) < 4:  # noqa: PLR2004 - RFC 850 writes two digits
        year += _THIS_CENTURY
    day, hour, minute, second = (int(found[name]) for name in ("day", "h", "m", "s"))
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()
    except ValueError:
        return None

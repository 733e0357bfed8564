"""Read the quantities that people write: spans, amounts, sizes, hours of the day.

Refuses to know which field they stand in; a `ValueError` says what was expected, never where.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from spillover.core import values
from spillover.core.chains import Hours
from spillover.core.values import CalendarUnit

UNIT_S: Final = {"second": 1.0, **{unit.value: length for unit, length in values.UNIT_S.items()}}
"""Seconds in each unit word."""

_SUFFIX_S: Final[dict[str, float]] = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "w": 604_800.0,
}
_SPAN: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_AMOUNT: Final = re.compile(r"\$?(\d[\d_]*(?:\.\d+)?)\s*([kmgb]?)", re.IGNORECASE)
_MULTIPLE: Final[dict[str, int]] = {
    "": 1,
    "k": 1_000,
    "m": 1_000_000,
    "g": 1_000_000_000,
    "b": 1_000_000_000,
}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|kib|mib|gib)?", re.IGNORECASE)
_SIZE_BYTES: Final[dict[str, int]] = {
    "b": 1,
    "kb": 1_000,
    "mb": 1_000_000,
    "gb": 1_000_000_000,
    "kib": 1_024,
    "mib": 1_048_576,
    "gib": 1_073_741_824,
}
_HOURS: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?")

LONGEST_S: Final = 366 * 86_400.0
"""No span may be longer: it would outlive what the ledger keeps."""

A_DURATION: Final = "a duration such as 100ms, 30s, 5m, 5h, 1d or minute"
AN_AMOUNT: Final = "an amount such as 5000, 5K or 1M"
A_SIZE: Final = "a size such as 64MB"
HOURS: Final = "hours such as 18:00-09:00 America/New_York"


def seconds(written: object, *, expected: str = A_DURATION) -> float:
    """Return the seconds in `30s`, `1h30m` or `minute`; a bare 0 needs no unit.

    What is no duration is a ValueError with `expected`.
    """
    if written == 0 and not isinstance(written, bool):
        return 0.0
    if not isinstance(written, str):
        raise ValueError(expected)  # noqa: TRY004 (a caller reports one kind of error)
    text = written.strip().lower()
    if text.removesuffix("s") in UNIT_S:
        return UNIT_S[text.removesuffix("s")]
    if _SPAN.fullmatch(text) is None:
        raise ValueError(expected)
    total = sum(float(count) * _SUFFIX_S[unit] for count, unit in _PART.findall(text))
    if total > LONGEST_S:
        raise ValueError("a duration of a year at most")
    return round(total, 3)


def calendar_unit(length_s: float) -> CalendarUnit:
    """Return the calendar's unit of this length; an odd length has no start in a calendar."""
    for unit in CalendarUnit:
        if UNIT_S[unit.value] == length_s:
            return unit
    raise ValueError("minute, hour, day, week or month for a calendar window")


def amount(written: object, *, scale: int = 1) -> int | None:
    """Return an amount in base units (written units times `scale`); None: unlimited.

    None, blank and `unlimited` say that there is no limit. Fractions of a base unit are refused.
    """
    if written is None:
        return None
    if isinstance(written, bool) or not isinstance(written, (int, float, str)):
        raise ValueError(AN_AMOUNT)  # noqa: TRY004 (a caller reports one kind of error)
    text = str(written).strip()
    if text.lower() in {"", "unlimited"}:
        return None
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return _plain_number(text, scale)
    digits, multiple = match.groups()
    return _whole(Decimal(digits.replace("_", "")) * _MULTIPLE[multiple.lower()] * scale, scale)


def _plain_number(text: str, scale: int) -> int:
    """A number in another spelling (`1e6`), or an error that says what is wrong with it."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(AN_AMOUNT) from None
    if not number.is_finite():
        raise ValueError(AN_AMOUNT)
    if number < 0:
        raise ValueError("an amount of 0 or more")
    return _whole(number * scale, scale)


def _whole(number: Decimal, scale: int) -> int:
    if number > 10**18:
        raise ValueError("a smaller amount, or unlimited")
    if scale == 1 and number != number.to_integral_value():
        raise ValueError("a whole amount such as 5000, 5K or 1M")
    return int(number.to_integral_value())


def size(written: object) -> int:
    """Return the bytes in `64MB`, `8MiB` or a bare number of bytes."""
    match = None if isinstance(written, bool) else _SIZE.fullmatch(str(written).strip())
    if match is None:
        raise ValueError(A_SIZE)
    return int(Decimal(match[1]) * _SIZE_BYTES[(match[2] or "b").lower()])


def zone(written: object) -> str:
    """Return an IANA zone's name if the machine knows it."""
    try:
        return ZoneInfo(str(written)).key
    except (OSError, ValueError, KeyError):
        raise ValueError("a time zone such as UTC or America/New_York") from None


def hours(written: object) -> Hours:
    """Return the daily span in `18:00-09:00 America/New_York`; the zone is UTC unless named."""
    match = _HOURS.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        raise ValueError(HOURS)
    start, end = _minute(match[1], match[2]), _minute(match[3], match[4])
    if start == end:
        raise ValueError("hours that start and end at different times")
    return Hours(start_minute=start, end_minute=end, zone=zone(match[5] or "UTC"))


def _minute(hour: str, minute: str) -> int:
    """Minutes after midnight; 24:00 is the end of the day."""
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > 24 * 60:  # noqa: PLR2004 (minutes in an hour, hours in a day)
        raise ValueError(HOURS)
    return total

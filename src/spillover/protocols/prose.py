"""Read a wait from words that were written for people.

Rules of this file:
- A time counts only beside words that speak of trying again or of a reset.
- A wall-clock time counts only with its zone, or where the provider's zone is known.

Refuses to know headers and fields.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from spillover.core.values import Value
from spillover.protocols.spans import SPAN, month_of, sum_of


class Said(Value, frozen=True, kw_only=True):
    """What a text says of waiting."""

    seconds: float | None = None
    reset_at: float | None = None


NOTHING: Final = Said()

_LEAD: Final = r"(?: your request)?(?: again)?(?: in| after| for| about| at least| approximately| another| ~){0,3}:? ?~?"
_SPOKEN: Final = (
    ("try ", rf"try(?! to){_LEAD}(?P<span>{SPAN})"),
    ("retry", rf"retry(?:ing|[-_ ]?(?:after|delay|in))?{_LEAD}(?P<span>{SPAN})"),
    ("wait", rf"wait(?:ing)?{_LEAD}(?P<span>{SPAN})"),
    ("reset", rf"resets?{_LEAD}(?P<span>{SPAN})"),
    ("available", rf"available{_LEAD}(?P<span>{SPAN})"),
    ("allowed", rf"allowed{_LEAD}(?P<span>{SPAN})"),
    ("cooldown", rf"cooldown{_LEAD}(?P<span>{SPAN})"),
    ("seconds", r"retry_delay ?\{ ?seconds: (?P<number>\d{1,9})\b"),
    (
        "retry",
        r"retry[-_ ]after(?: \(seconds\))?[:=]? ?(?P<number>\d{1,9}(?:\.\d{1,9})?)(?![\w.:/-])",
    ),
)
"""Words that lead a span, each behind a text that must be there; from many providers."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern; not before it is looked for, as few processes ever need them all."""
    return re.compile(pattern)


_CHINESE: Final = re.compile(
    r"(?P<amount>\d{1,9}(?:\.\d{1,9})?) ?(?P<unit>毫秒|秒|分钟|分|小时|天)钟? ?(?:后|之后|以后)"
)
_CHINESE_UNITS: Final = {
    "毫秒": 0.001,
    "秒": 1.0,
    "分": 60.0,
    "分钟": 60.0,
    "小时": 3_600.0,
    "天": 86_400.0,
}


def said_of_waiting(text: str, *, provider: str, now: float | None) -> Said:
    """Return what a lower-case text says of waiting.

    `now` is the server's time where it is known, for times of day; None leaves those unread.
    """
    for held, pattern in _SPOKEN:
        if held in text and (found := _compiled(pattern).search(text)):
            groups = found.groupdict()
            if groups.get("number"):
                return Said(seconds=float(groups["number"]))
            return Said(seconds=sum_of(found["span"]))
    if not text.isascii() and (found := _CHINESE.search(text)):
        return Said(seconds=float(found["amount"]) * _CHINESE_UNITS[found["unit"]])
    if "limit reached|" in text and (found := _PIPED.search(text)):
        return Said(reset_at=float(found["epoch"]))
    if any(word in text for word in _OF_A_RESET):
        at = _dated(text, provider)
        if at is None and now is not None:
            at = _on_the_clock(text, now)
        return NOTHING if at is None else Said(reset_at=at)
    return NOTHING


_PIPED: Final = re.compile(r"limit reached\|(?P<epoch>1\d{9})\b")
"""Claude Code's `usage limit reached|1749924000`."""
_OF_A_RESET: Final = (
    "reset",
    "again",
    "retry",
    "regain",
    "until",
    "renew",
    "重置",
    "恢复",
    "再试",
    "重试",
)
_DATE: Final = re.compile(
    r"20(?P<year>\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?: at |[ t])(?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.\d{1,9})?)? ?(?P<zone>z\b|utc|gmt|[+-]\d\d:?\d\d)?"
)
_NEAR: Final = 40
"""How far before a date the words may stand that say what it is of."""
_CHINESE_TAIL: Final = frozenset({"重", "恢", "后", "之"})
"""What such words begin with where they follow the date."""
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_IN_CHINA: Final = frozenset({"zai", "zhipuai", "zhipu"})
"""Providers that state Beijing's time without saying so (dirge#818)."""


def _dated(text: str, provider: str) -> float | None:
    """Return the instant of a date and time beside words of a reset."""
    for found in _DATE.finditer(text):
        before = text[max(0, found.start() - _NEAR) : found.start()]
        after = (
            text[found.end() : found.end() + 1].strip() or text[found.end() + 1 : found.end() + 2]
        )
        if after not in _CHINESE_TAIL and not any(word in before for word in _OF_A_RESET):
            continue
        zone: timedelta | None = timedelta()
        stated = found["zone"]
        if stated is not None and stated[0] in "+-":
            hours, minutes = int(stated[1:3]), int(stated[-2:])
            zone = timedelta(hours=hours, minutes=minutes) * (-1 if stated[0] == "-" else 1)
        elif stated is None and (provider in _IN_CHINA or not text.isascii()):
            zone = None
        try:
            local = datetime(
                2_000 + int(found["year"]),
                int(found["month"]),
                int(found["day"]),
                int(found["hour"]),
                int(found["minute"]),
                int(found["second"] or 0),
                tzinfo=_SHANGHAI if zone is None else UTC,
            )
        except ValueError:
            continue
        return local.timestamp() - (zone or timedelta()).total_seconds()
    return None


_CLOCK: Final = re.compile(
    r"(?:s|ed|ing)?(?: access)?(?: again)?"
    r"(?: daily| on| at| after){0,2}(?: (?P<month>[a-z]{3,9})\.? (?P<day>\d\d?),?(?: at)?)?"
    r" (?:(?P<midnight>midnight)|(?P<hour>\d\d?)(?::(?P<minute>\d\d))?(?::\d\d)? ?(?P<half>[ap]m)?)"
    r" ?\(?(?P<zone>[a-z]{2,16}(?:[/_+-][a-z0-9_]{1,20}){0,3})\)?"
)
_MARKS: Final = ("(", "utc", "gmt", " pt", " pst", " pdt", " et", "pacific", "midnight", "beijing")
"""One of them stands in every text that names a time of day with its zone."""
_NAMED: Final = {
    "utc": "UTC",
    "gmt": "UTC",
    "z": "UTC",
    "pt": "America/Los_Angeles",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles",
    "et": "America/New_York",
    "est": "America/New_York",
    "edt": "America/New_York",
    "cst": "America/Chicago",
    "cet": "Europe/Berlin",
    "beijing": "Asia/Shanghai",
}
"""Zones by the names that people give them."""


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(_NAMED.get(name) or name.title().replace("_Of_", "_of_"))
    except (KeyError, ValueError, OSError):
        return None


def _on_the_clock(text: str, now: float) -> float | None:
    """Return the next time that a wall clock of a named zone shows what is said."""
    if not any(mark in text for mark in _MARKS):
        return None
    ends = (end.end() for word in _OF_A_RESET for end in re.finditer(word, text))
    found = next(filter(None, (_CLOCK.match(text, end) for end in ends)), None)
    if found is None:
        return None
    zone = _zone(found["zone"])
    if zone is None:
        return None
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    half = found["half"]
    if half is not None:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        today = datetime.fromtimestamp(now, zone)
        at = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if found["day"] is None:
            return (at if at > today else at + timedelta(days=1)).timestamp()
        month = month_of(found["month"])
        if month is None:
            return None
        at = at.replace(month=month, day=int(found["day"]))
        return (at if at > today else at.replace(year=at.year + 1)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None

"""Tell when a chain's member may serve, by the wall clock of its zone.

Refuses to know what is served, calendars' days, and the clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from spillover.core.chains import Hours


def next_opening(hours: Hours, now: float) -> float:
    """Return `now` inside the hours, else the instant (epoch seconds) at which they begin next."""
    zone = ZoneInfo(hours.zone)
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    if _inside(hours, local):
        return now
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    openings = [
        (midnight + timedelta(days=days, minutes=hours.start_minute))
        .replace(tzinfo=zone, fold=fold)
        .timestamp()
        for days in (0, 1, 2)  # a change of clocks may skip all of tomorrow's hours
        for fold in (0, 1)
    ]
    # A clock change skips an opening or brings it twice: what counts is what the wall shows then.
    return min(
        at
        for at in openings
        if at > now and _inside(hours, datetime.fromtimestamp(at, UTC).astimezone(zone))
    )


def _inside(hours: Hours, local: datetime) -> bool:
    minute, start, end = local.hour * 60 + local.minute, hours.start_minute, hours.end_minute
    if start < end:
        return start <= minute < end
    return minute >= start or minute < end  # past midnight; all day, where both are one

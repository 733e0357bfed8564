"""List the days that the rules for cooldowns are held to.

Refuses to know what comes of them.
"""

from __future__ import annotations

from typing import Final

from spillover.simulator.days.day import DAY_S, Day, Outage
from spillover.simulator.faults import Fault
from spillover.simulator.spec import Allowance, Metric, ProviderSpec, WindowKind, limits

_HOUR_S: Final = 3_600.0
_PACIFIC_MIDNIGHT_S: Final = 8 * _HOUR_S
_BEGINS_S: Final = 2 * _HOUR_S + 15.0
_ENDS_S: Final = 11 * _HOUR_S + 90.0
"""Odd times, so that no test happens to come when all is well again."""
_CUSTOM: Final = {"model": "any"}

_SILENT_429: Final = Fault(
    status=429,
    headers={"content-type": "application/json"},
    body='{"error":{"message":"Too Many Requests"}}',
)
_BLAND_429: Final = Fault(
    status=429,
    headers={"content-type": "application/json"},
    body='{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).",'
    '"status":"RESOURCE_EXHAUSTED"}}',
)
_WEEK: Final = Fault(
    status=429,
    headers={"content-type": "application/json", "retry-after": "604800"},
    body='{"error":{"message":"Too Many Requests"}}',
)
_DOWN: Final = Fault(
    status=503,
    headers={"content-type": "application/json"},
    body='{"error":{"message":"Service temporarily unavailable"}}',
)

_GEMINI: Final = {"provider": "gemini", "model": "gemini-2.5-flash"}
_GEMINI_DAY: Final = ProviderSpec(flavour="gemini", limits=limits("requests=250/day"))

MISLEADING: Final = Day(
    name="misleading",
    title="a spent day that says 13 s",
    tells=(
        "Gemini with 250 requests a day, spent within the hour; each refusal says `retryDelay: 13s`,"
        " and midnight Pacific is hours away."
    ),
    spec=_GEMINI_DAY,
    settings=_GEMINI,
    resets_s=(_PACIFIC_MIDNIGHT_S,),
    is_known=True,
)
UNEXPLAINED: Final = Day(
    name="unexplained",
    title="a 429 without hints",
    tells="For 9 hours every answer is a 429 that says no more than `Too Many Requests`.",
    spec=ProviderSpec(),
    settings=_CUSTOM,
    outages=(Outage(from_s=_BEGINS_S, until_s=_ENDS_S, fault=_SILENT_429),),
)
WEEK: Final = Day(
    name="week",
    title="a Retry-After of a week that is wrong",
    tells="For 9 hours every answer is a 429 with `retry-after: 604800`; then all is well again.",
    spec=ProviderSpec(),
    settings=_CUSTOM,
    outages=(Outage(from_s=_BEGINS_S, until_s=_ENDS_S, fault=_WEEK),),
)
FLAPPING: Final = Day(
    name="flapping",
    title="a provider that flaps",
    tells="All day long a minute of service and a minute of 503 take turns.",
    spec=ProviderSpec(),
    settings=_CUSTOM,
    outages=tuple(
        Outage(from_s=at, until_s=at + 60.0, fault=_DOWN) for at in range(60, int(DAY_S), 120)
    ),
    every_s=20.0,
)
STATED: Final = Day(
    name="stated",
    title="a spent day that states its end",
    tells=(
        "OpenRouter with 250 requests a day, whose `x-ratelimit-reset` tells when they are back: at"
        " midnight Pacific, which the catalogue does not know of it."
    ),
    spec=ProviderSpec(
        flavour="openrouter",
        limits=(
            Allowance(
                metric=Metric.REQUESTS,
                amount=250,
                per="day",
                kind=WindowKind.CALENDAR,
                zone="America/Los_Angeles",
            ),
        ),
    ),
    settings={"provider": "openrouter", "model": "z-ai/glm-5:free"},
    resets_s=(_PACIFIC_MIDNIGHT_S,),
    is_known=True,
)
CLOCK: Final = Day(
    name="clock",
    title="a spent day under a clock that is set",
    tells=(
        "The first day again; at 03:00 the machine's clock is set 2 hours ahead, at 05:00 it is put"
        " right, and at 07:00 it is set 2 hours back for half an hour."
    ),
    spec=_GEMINI_DAY,
    settings=_GEMINI,
    resets_s=(_PACIFIC_MIDNIGHT_S,),
    clock=(
        (3 * _HOUR_S, 7_200.0),
        (5 * _HOUR_S, 0.0),
        (7 * _HOUR_S, -7_200.0),
        (7.5 * _HOUR_S, 0.0),
    ),
    is_known=True,
)
AHEAD: Final = Day(
    name="ahead",
    title="a spent day under a clock that is ahead",
    tells=(
        "The first day again, on a machine whose clock is 2 minutes ahead all day: at its own midnight"
        " the provider still refuses."
    ),
    spec=_GEMINI_DAY,
    settings=_GEMINI,
    resets_s=(_PACIFIC_MIDNIGHT_S,),
    clock=((1.0, 120.0),),
)
BLAND: Final = Day(
    name="bland",
    title="a 429 without hints from Gemini",
    tells=(
        "For 9 hours every answer is `Resource has been exhausted (e.g. check quota).`; the catalogue"
        " knows that Gemini's minutes turn with the clock, and it is none of them that is spent."
    ),
    spec=ProviderSpec(),
    settings=_GEMINI,
    outages=(Outage(from_s=_BEGINS_S, until_s=_ENDS_S, fault=_BLAND_429),),
)
AWAY: Final = Day(
    name="away",
    title="a provider that is gone",
    tells="Connections are refused for 22 hours.",
    spec=ProviderSpec(),
    settings=_CUSTOM,
    outages=(Outage(from_s=_HOUR_S, until_s=23 * _HOUR_S),),
)
SHARED: Final = Day(
    name="shared",
    title="a spent day, two gateways on one ledger",
    tells="The first day again, its traffic split between two processes.",
    spec=_GEMINI_DAY,
    settings=_GEMINI,
    resets_s=(_PACIFIC_MIDNIGHT_S,),
    processes=2,
    is_known=True,
)
ASKED_FOR: Final = (MISLEADING, UNEXPLAINED, WEEK, FLAPPING)
"""Those on which naive rules are seen to fail."""
DAYS: Final = (*ASKED_FOR, STATED, CLOCK, AHEAD, BLAND, AWAY, SHARED)

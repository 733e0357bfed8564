"""Write the page on cooldowns, whose figures are what the days come to.

Refuses to know how they come about.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.core.benching import PROBE_AFTER_S
from spillover.core.failures import TREATMENTS
from spillover.core.values import FailureClass, Status
from spillover.simulator.days.day import BY_EVIDENCE, FLAT_10_MIN, FLAT_10_S
from spillover.simulator.days.running import run
from spillover.simulator.days.scenes import ASKED_FOR, DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spillover.simulator.days.day import Day, Policy
    from spillover.simulator.days.figures import Figures

_PAGE: Final = """\
# Cooldowns

<!-- made by `make docs`: change src/spillover/simulator/days/page.py -->

A profile that failed is left alone for a while: its cooldown. Too short, and it is asked in vain again and again; too long,
and it stands idle although it could serve. So a cooldown is not a number of seconds but *evidence*: what happened, how long
it should last, who said so, and how far that can be believed.

| part of the evidence | tells |
| --- | --- |
| `reason` | the [failure class](http.md#outcomes-of-a-send) that caused it |
| `until` | when the profile is back |
| `source` | where that was read: the provider's `header` or `body`, the `catalogue`, your `config`, or the `default` of the table below |
| `confidence` | `stated` by the provider, `known` from its calendar, or `guessed` |
| `probe_at` | from when one real request may test it; none: it is waited out |

`spillover status`, `spillover explain` and `/api/status` show it.

## What is believed, and what is tested

**Believed** is the absolute reset of the spent quota, the end of a window whose calendar is known (Gemini's day ends at
midnight Pacific), and a stated wait that fits into the window that the answer names, up to a day. Nothing is sent before
`until`; then all traffic is back at once. A wait of seconds that comes with a spent day is not believed: the day is.
A window that has turned while the provider still refuses (its day turns late, your clock is ahead, or something else is
spent) is believed no more until a call succeeds: its next end is a guess.

**All else is a guess**, also a stated one: a `Retry-After` of a week, a 429 that says nothing, a 503. From `probe_at` on,
{probe_min:g} minutes after the last refusal or at `until` if that is sooner, the next real request goes to the profile as a
test, one at a time over all processes, while the others go on to the next profile. If it is served, all traffic is back; if
not, the wait begins anew.

- A later, shorter cooldown never shortens a longer one.
- Waits that nobody stated grow at each refusal in a row, and so do stated ones that proved too short, up to a bound:

| failure | rests, when nobody states a time |
| --- | --- |
{table}

- A cooldown ends at once by a success, by another key or other settings of the profile, by `spillover usage clear` and by
  `spillover enable`. `failed` (no credit, a refused key, no such model) is not ended by `usage clear`.
- It is kept in the ledger: a restart changes nothing, and all processes see the same.
- An outage rests for half a minute only, however long it lasts: it says nothing of its end, a refused connection costs
  nearly nothing, and when it was your own network that was away, everything is back within half a minute.
- [`cooldown`](configuration.md#chains) of a chain sets the wait where the provider states none; `{{fixed: 5m}}` holds
  whatever it states.

## Days in figures

Each row is a day of 24 hours, played in about a second through the engine, the ledger and the classification of failures
that serve your requests, on a clock that leaps from one event to the next. The provider is a [simulated one](testing.md)
that counts by itself. A request comes every {every_s:g} seconds (every {flapping_s:g} where the provider flaps), and once a
minute another one in the same instant; a second profile, which is always well, serves what the first one can't.

*In vain* are sends to the first profile while it could serve nobody, for each hour of that; two that meet the beginning of
its trouble together count as two. *Late* is the time from the true
end to the first request that it served, the worst of the day. Beside them the same day under two rules that are often
found elsewhere: ten seconds flat, and ten minutes flat (here `cooldown: {{fixed: 10s}}` and `{{fixed: 10m}}`).

| day | in vain, by evidence | 10 s flat | 10 min flat | late, by evidence | 10 s flat | 10 min flat |
| --- | --- | --- | --- | --- | --- | --- |
{compared}

And days that ask for other things:

| day | in vain | late | tests at once |
| --- | --- | --- | --- |
{others}

No request was lost on any of these days. What happened on them:

{days}

Flat rules have to choose: seconds, and a spent day is asked in vain by every request; minutes, and a provider that is well
again stands idle. Where the end is known, only the requests that meet the beginning are sent in vain, and the provider is
back within a minute. Where it is not, an hour costs {most_guessed:g} sends at most while a quota or a rate is refused, and
the next test finds the end: within {worst_guess} here, and never later than {probe_min:g} minutes.
"""


_PLAYED: Final[dict[tuple[str, str], Figures]] = {}


def came_to(day: Day, policy: Policy = BY_EVIDENCE) -> Figures:
    """Return what a day came to, played once in a process: it always comes to the same."""
    key = (day.name, policy.name)
    if key not in _PLAYED:
        _PLAYED[key] = run(day, policy)
    return _PLAYED[key]


def page(source: Callable[[Day, Policy], Figures] = came_to) -> str:
    """Return the page; `source` says what a day came to under a rule."""
    unknown = [
        source(day, BY_EVIDENCE) for day in ASKED_FOR if not day.is_known and not day.is_outage
    ]
    return _PAGE.format(
        probe_min=PROBE_AFTER_S / 60,
        table="\n".join(_rests()),
        every_s=DAYS[0].every_s,
        flapping_s=max(DAYS, key=lambda day: len(day.outages)).every_s,
        compared="\n".join(_compared(day, source) for day in ASKED_FOR),
        others="\n".join(_alone(day, source) for day in DAYS if day not in ASKED_FOR),
        days="\n".join(f"- **{day.title}**: {day.tells}" for day in DAYS),
        most_guessed=max(round(each.doomed_per_hour, 1) for each in unknown),
        worst_guess=_late(max(each.worst_recovery_s or 0.0 for each in unknown)),
    )


def _rests() -> Iterator[str]:
    for failure in FailureClass:
        treatment = TREATMENTS[failure]
        if treatment.status is Status.ACTIVE:
            continue
        if treatment.status is Status.FAILED:
            every = treatment.probe_every_s
            rest = "until it is mended" + (f"; tested every {_span(every)}" if every else "")
            if failure is FailureClass.AUTH_INVALID:
                rest += f" (a first refusal that does not name the key: {_span(treatment.wait_s)})"
        elif treatment.longest_wait_s > treatment.wait_s:
            rest = f"{_span(treatment.wait_s)}, doubling up to {_span(treatment.longest_wait_s)}"
        else:
            rest = _span(treatment.wait_s)
        yield f"| `{failure}` | {rest} |"


def _compared(day: Day, source: Callable[[Day, Policy], Figures]) -> str:
    figures = [source(day, policy) for policy in (BY_EVIDENCE, FLAT_10_S, FLAT_10_MIN)]
    vain = [f"{each.doomed_per_hour:.1f}" for each in figures]
    late = [_late(each.worst_recovery_s) for each in figures]
    return f"| {day.title} | **{vain[0]}** | {vain[1]} | {vain[2]} | **{late[0]}** | {late[1]} | {late[2]} |"


def _alone(day: Day, source: Callable[[Day, Policy], Figures]) -> str:
    found = source(day, BY_EVIDENCE)
    return (
        f"| {day.title} | {found.doomed_per_hour:.1f} | {_late(found.worst_recovery_s)}"
        f" | {found.at_once} |"
    )


def _late(seconds: float | None) -> str:
    return "never" if seconds is None else _span(seconds)


def _span(seconds: float) -> str:
    for unit, length_s in (("h", 3_600), ("min", 60)):
        if seconds >= 2 * length_s or (seconds >= length_s and seconds % length_s == 0):
            return f"{seconds / length_s:g} {unit}"
    return f"{seconds:g} s"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")

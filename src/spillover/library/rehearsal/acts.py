"""The acts of a rehearsal: what is done to a chain, and which promises must hold through it.

The simulated providers are the judges: what they had is counted there, not by the ledger.
Refuses to know how a chain is set on the stage.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from spillover.core.chains import Failback, Strategy
from spillover.core.values import Metric, Status, Value
from spillover.library.rehearsal.stage import STALL_S, Heard, Stage, reopened, staged
from spillover.simulator import Break, Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.config.loader import LoadedConfig
    from spillover.config.routing import Routing

ASKED: Final = 6
CROWD: Final = 24
_REFUSALS: Final = frozenset({403, 429, 503})
_LONG_S: Final = 3_600.0
"""After so long every guess about an outage has been tested."""


class Kept(Value, frozen=True, kw_only=True):
    """A promise, and whether it held."""

    act: str
    promise: str
    held: bool | None
    """None: this chain gave no occasion to see."""
    figures: str


Act: TypeAlias = Callable[["LoadedConfig", "Routing", str, Path], Awaitable[list[Kept]]]


async def rehearse(loaded: LoadedConfig, routing: Routing, chain: str) -> AsyncIterator[Kept]:
    """Play every act to a chain, each on a fresh stage, and yield what came of its promises."""
    for act in ACTS:
        # Windows keeps a file that is open: what is left there is left to the system.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for kept in await act(loaded, routing, chain, Path(folder)):
                yield kept


def _nobody(act: str, stage: Stage) -> list[Kept]:
    why = stage.engine.explain(stage.call())["refusal"]["message"]
    return [Kept(act=act, promise="somebody may serve", held=None, figures=why)]


async def _refused(act: str, fault: str, stage: Stage) -> list[Kept]:
    """Have whoever is next refuse all requests, and send some."""
    victim = stage.next_profile()
    if victim is None:
        return _nobody(act, stage)
    model = stage.routing.profiles[victim].model
    stage.provider(victim).script(fault, times=None, model=model)
    heard = [await stage.ask() for _ in range(ASKED)]
    sends = stage.sends_to(victim)
    return [_none_lost(act, heard, victim, stage), _left_alone(act, victim, sends)]


def _none_lost(act: str, heard: list[Heard], victim: str, stage: Stage) -> Kept:
    """Judge that everyone was answered, or refused in order where nobody else may serve."""
    answered = sum(each.whole for each in heard)
    others = len(stage.profiles) - 1
    promise = "no request is lost that another profile could serve"
    figures = f"{answered} of {len(heard)} answered"
    if answered == len(heard):
        after = next((each.profile for each in heard if each.profile != victim), None)
        figures += f", by {after}" if after else ""
        return Kept(act=act, promise=promise, held=True, figures=figures)
    refused = [each for each in heard if not each.whole]
    honest = all(each.told and each.status in _REFUSALS for each in refused)
    if not others or stage.next_profile() is None:
        wait = next((each.retry_after for each in refused if each.retry_after), None)
        figures += f"; nobody else may serve: refused with {refused[0].status}"
        figures += f", come back in {wait} s" if wait else ""
        return Kept(act=act, promise=promise, held=None if honest else False, figures=figures)
    return Kept(act=act, promise=promise, held=False, figures=figures)


def _left_alone(act: str, victim: str, sends: int) -> Kept:
    return Kept(
        act=act,
        promise="who refuses is left alone until its time",
        held=sends < ASKED,
        figures=f"{victim} was asked {sends} time{'s' * (sends != 1)} in {ASKED} requests",
    )


async def rate_limit(
    loaded: LoadedConfig, routing: Routing, chain: str, folder: Path
) -> list[Kept]:
    """A 429 of the profile that is next."""
    async with staged(loaded, routing, chain, folder) as stage:
        return await _refused("429", "rate_limited", stage)


async def spent_quota(
    loaded: LoadedConfig, routing: Routing, chain: str, folder: Path
) -> list[Kept]:
    """A spent quota of the profile that is next, then a crowd upon limits made small."""
    async with staged(loaded, routing, chain, folder) as stage:
        kept = await _refused("spent quota", "quota_exhausted", stage)
    async with staged(loaded, routing, chain, folder / "small", small=True) as stage:
        return [*kept, *await _crowded(stage)]


async def _crowded(stage: Stage) -> list[Kept]:
    """Send many at once, more than the limits allow."""
    act, promise = "spent quota", "no limit on requests is overspent, whoever asks at once"
    if stage.next_profile() is None:
        return _nobody(act, stage)
    played = stage.engine.routing.profiles
    limits = {
        limit
        for profile in played.values()
        for limit in profile.limits
        if limit.metric is Metric.REQUESTS and limit.window is not None
    }
    if not limits:
        return [Kept(act=act, promise=promise, held=None, figures="no limit on requests is set")]
    # A window that ends meanwhile would allow as much again: begin with one.
    stage.time.pass_(60.0 - stage.time.now() % 60.0 + 0.5)
    heard = await asyncio.gather(*(stage.ask() for _ in range(CROWD)))
    # By trails: a far end can't tell two profiles of one account and model apart. It counts all.
    sent = Counter(name for each in heard for name, _ in each.trail)
    if sent.total() != stage.sends():
        figures = f"{sent.total()} sends were told, {stage.sends()} came"
        return [Kept(act=act, promise=promise, held=False, figures=figures)]
    used = {
        limit: sum(sent[name] for name, each in played.items() if limit in each.limits)
        for limit in limits
    }
    # A bucket gains a little while it is drawn from.
    over = [limit.name for limit, count in used.items() if count > limit.amount + _gained(limit)]
    answered = sum(each.whole for each in heard)
    tightest = max(used, key=lambda limit: used[limit] / max(1, limit.amount))
    shown = f"{CROWD} at once over limits of {tightest.amount}: {used[tightest]} were sent"
    shown += f", {answered} answered"
    refused = [each for each in heard if not each.whole]
    honest = all(each.status in _REFUSALS for each in refused)
    full = stage.next_profile() is None
    return [
        Kept(act=act, promise=promise, held=not over, figures=shown),
        Kept(
            act=act,
            promise="nobody is refused while there is room",
            held=honest and (not refused or full),
            figures=f"{len(refused)} refused, and {'nothing' if full else 'room'} was left",
        ),
    ]


def _gained(limit: object) -> int:
    return 1 if hasattr(getattr(limit, "window", None), "burst") else 0


async def outage(loaded: LoadedConfig, routing: Routing, chain: str, folder: Path) -> list[Kept]:
    """The profile that is next can't be reached, and then it can again."""
    act = "outage"
    async with staged(loaded, routing, chain, folder) as stage:
        victim = stage.next_profile()
        if victim is None:
            return _nobody(act, stage)
        down = stage.provider(victim)
        down.refuse()
        heard = [await stage.ask() for _ in range(ASKED)]
        kept = [_none_lost(act, heard, victim, stage)]
        down.accept()
        until = stage.engine.status()["profiles"][victim]["until"]
        stage.time.pass_(_LONG_S)
        again = await stage.ask()
        promise = "it comes back when it can be reached"
        status = stage.engine.status()["profiles"][victim]["status"]
        preferred = stage.chain.strategy is Strategy.PRIORITY and stage.chain.failback == Failback()
        held = again.profile == victim if preferred else status == Status.ACTIVE
        figures = f"benched until {str(until)[11:19]}, then {again.profile} answered"
        return [*kept, Kept(act=act, promise=promise, held=held, figures=figures)]


async def cut(loaded: LoadedConfig, routing: Routing, chain: str, folder: Path) -> list[Kept]:
    """A stream is cut before its first content, and another one after it."""
    async with staged(loaded, routing, chain, folder) as stage:
        victim = stage.next_profile()
        if victim is None:
            return _nobody("cut", stage)
        stage.provider(victim).script("cut_before_content", times=3)
        early = await stage.ask(stream=True)
        kept = _none_lost("cut", [early], victim, stage)
    async with staged(loaded, routing, chain, folder / "late") as stage:
        late, who = await _broken(stage, Fault(break_=Break.CLOSE, after=3))
        return [kept, _half("cut", late, who)]


async def stall(loaded: LoadedConfig, routing: Routing, chain: str, folder: Path) -> list[Kept]:
    """A stream falls silent in the middle."""
    async with staged(loaded, routing, chain, folder) as stage:
        heard, who = await _broken(stage, Fault(break_=Break.STALL, after=3))
        if heard is None:
            return [_half("stall", None, "")]
        in_time = heard.took_s < STALL_S * 4
        return [
            _half("stall", heard, who),
            Kept(
                act="stall",
                promise="a silent stream is given up in time",
                held=in_time,
                figures=f"after {heard.took_s:.1f} s, stall: {STALL_S:g} s",
            ),
        ]


async def _broken(stage: Stage, fault: Fault) -> tuple[Heard | None, str]:
    """Break a stream of whoever is next after some content."""
    victim = stage.next_profile()
    if victim is None or stage.embeds:
        return None, ""
    stage.provider(victim).script(fault, times=1)
    # Where chance orders the profiles, another may have been first.
    for _ in range(ASKED):
        heard = await stage.ask(stream=True)
        if heard.trail and heard.trail[0][0] == victim:
            return heard, victim
    return None, ""


def _half(act: str, heard: Heard | None, who: str) -> Kept:
    promise = "half an answer never looks whole, and is not sent twice"
    if heard is None:
        return Kept(act=act, promise=promise, held=None, figures="no stream was broken")
    sends = len(heard.trail)
    return Kept(
        act=act,
        promise=promise,
        held=heard.told and not heard.whole and sends == 1,
        figures=f"{who} broke off: an error instead of an end, {sends} send{'s' * (sends != 1)}",
    )


async def restart(loaded: LoadedConfig, routing: Routing, chain: str, folder: Path) -> list[Kept]:
    """The process ends and begins again in the middle of a cooldown."""
    act = "restart"
    async with staged(loaded, routing, chain, folder) as stage:
        victim = stage.next_profile()
        if victim is None:
            return _nobody(act, stage)
        model = stage.routing.profiles[victim].model
        stage.provider(victim).script("quota_exhausted", times=None, model=model)
        for _ in range(ASKED):
            await stage.ask()
        before = _standing(stage)
        sends = stage.sends_to(victim)
        await reopened(stage, loaded, folder)
        after = _standing(stage)
        await stage.ask()
        more = stage.sends_to(victim) - sends
    counted = sum(requests for requests, _ in before.values())
    same = before == after
    return [
        Kept(
            act=act,
            promise="usage survives it",
            held=all(before[name][0] == after[name][0] for name in before),
            figures=f"{counted} requests counted before, "
            f"{sum(requests for requests, _ in after.values())} after",
        ),
        Kept(
            act=act,
            promise="so does what is held against a profile",
            held=same and not more,
            figures=f"{victim} is {after[victim][1]}, and was asked {more} times since",
        ),
    ]


def _standing(stage: Stage) -> dict[str, tuple[int, str]]:
    """Return the requests and the status of each profile."""
    return {
        name: (each["usage"]["day"]["requests"], each["status"])
        for name, each in stage.engine.status()["profiles"].items()
    }


ACTS: Final[tuple[Act, ...]] = (rate_limit, spent_quota, outage, cut, stall, restart)

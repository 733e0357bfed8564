"""Time the parts of a request where they run: the ledger, the ladder, and the reading of bytes.

Run as `python -m bench.timings`, a process of its own that prints JSON.
Refuses to know servers, sockets and upstreams.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
import timeit
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvloop

from bench.own import own_us
from bench.traffic import ANSWER, PROSE, REFUSAL, STAMPED_EVENT, request
from bench.translations import translations
from spillover.clock import SystemClock
from spillover.core.chains import Chain, Member
from spillover.core.failures import classify
from spillover.core.ladder import Ask, build
from spillover.core.limits import Candidate, Denied
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Demand,
    Limit,
    Metric,
    Operation,
    Profile,
    Refill,
    Rolling,
    Tier,
    Usage,
    owner_of_profile,
)
from spillover.ledger.entries import Settled
from spillover.ledger.ledger import Ledger
from spillover.ledger.opening import open_journal
from spillover.protocols.hints import read_error
from spillover.protocols.openai_chat import StreamReader, read_answer, read_request
from spillover.protocols.sse import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.core.values import Failure

WARM_UP: Final = 500
ALONE: Final = 4_000
TOGETHER: Final = 16
EACH: Final = 500
CHAIN: Final = 50
LOOKS: Final = 200
PLENTY: Final = 10**9
USED: Final = Usage(requests=1, input_tokens=360, output_tokens=80)
NEED: Final = Usage(requests=1, input_tokens=400, output_tokens=256)
TIMES: Final = 5
"""Micro timings are the best of so many."""


def profile(name: str, amount: int) -> Profile:
    """Return a profile with five limits over all kinds of window."""
    owner = owner_of_profile(name)
    day = Calendar(unit=CalendarUnit.DAY, zone="America/Los_Angeles")
    limits = (
        (Metric.REQUESTS, amount, Rolling(seconds=86_400)),
        (Metric.REQUESTS, PLENTY, Rolling(seconds=60)),
        (Metric.TOKENS, PLENTY * 1_000, Rolling(seconds=60)),
        (Metric.TOKENS, PLENTY * 1_000, day),
        (Metric.TOKENS, PLENTY * 1_000, Refill(seconds=60)),
    )
    return Profile(
        name=name,
        provider="bench",
        account="bench",
        model="bench",
        tier=Tier.PAID,
        limits=tuple(
            Limit(metric=metric, amount=most, window=window, owner=owner)
            for metric, most, window in limits
        ),
    )


async def _serve_one(ledger: Ledger, candidates: list[Candidate]) -> None:
    """Reserve room and settle with what was used."""
    reservation = await ledger.reserve(candidates)
    if isinstance(reservation, Denied):
        raise SystemExit(f"the bench's own limits are spent: {reservation}")
    now = time.time()  # noqa: TID251 - stands in for the engine's clock
    await ledger.record(
        Settled(
            id=reservation.reservation,
            at=now,
            profile=reservation.profile,
            model="bench",
            account="bench",
            usage=USED,
            sent_at=now,
            input_tokens=USED.input_tokens,
            chars=1_440,
            took_ms=500.0,
        )
    )


async def _ledger(path: Path) -> dict[str, float]:
    """Time reserve + settle over five limits on one profile, in microseconds."""
    ledger = Ledger(open_journal(path, stamp="bench").journal, SystemClock())
    await ledger.start()
    candidates = [Candidate(profile=profile("one", PLENTY), need=NEED)]
    for _ in range(WARM_UP):
        await _serve_one(ledger, candidates)
    alone = []
    for _ in range(ALONE):
        began = time.perf_counter()
        await _serve_one(ledger, candidates)
        alone.append(time.perf_counter() - began)

    async def worker() -> None:
        for _ in range(EACH):
            await _serve_one(ledger, candidates)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(TOGETHER)))
    together = time.perf_counter() - began
    await ledger.close()
    return {
        "alone_us": statistics.median(alone) * 1e6,
        "alone_p99_us": statistics.quantiles(alone, n=100)[98] * 1e6,
        "together_us": together / (TOGETHER * EACH) * 1e6,
    }


async def _ladder(path: Path) -> dict[str, float]:
    """Time ladder + reserve in a chain with one unspent profile, its last, in milliseconds."""
    ledger = Ledger(open_journal(path, stamp="bench").journal, SystemClock())
    await ledger.start()
    names = [f"p{i:02}" for i in range(CHAIN)]
    profiles = {name: profile(name, 1) for name in names}
    for spent in names[:-1]:
        await _serve_one(ledger, [Candidate(profile=profiles[spent], need=NEED)])
    profiles[names[-1]] = profile(names[-1], PLENTY)
    chain = Chain(name="bench", members=tuple(Member(profile=name) for name in names))
    ask = Ask(chain=chain, demand=Demand(chars=1_440, max_output_tokens=256))
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        now = time.time()  # noqa: TID251 - stands in for the engine's clock
        ladder = build(ask, profiles, ledger.book, now)
        reservation = await ledger.reserve(ladder.candidates)
        took.append(time.perf_counter() - began)
        if isinstance(reservation, Denied) or reservation.profile != names[-1]:
            raise SystemExit(f"not the one with room: {reservation}")
    await ledger.close()
    return {"ladder_ms": statistics.median(took) * 1e3}


def _parsing() -> dict[str, float]:
    """Time what is read and written of each request and event, in microseconds."""
    small, large = request(stream=True), request(stream=True, words=16)
    asked, asked_much = read_request(small, Operation.CHAT), read_request(large, Operation.CHAT)
    event = STAMPED_EVENT % 1
    splitter, reader = Splitter(), StreamReader()

    def one_event() -> None:
        for each in splitter.feed(event):
            reader.feed(each)

    timed: dict[str, Callable[[], object]] = {
        "read a request of 1.5 KB": lambda: read_request(small, Operation.CHAT),
        "write it for an upstream": lambda: asked.body_for("bench", ask_usage=True),
        "read a request of 20 KB": lambda: read_request(large, Operation.CHAT),
        "write that for an upstream": lambda: asked_much.body_for("bench", ask_usage=True),
        "read a whole answer": lambda: read_answer(ANSWER, Operation.CHAT, headers={}),
        "split off and read a stream's event": one_event,
        "name a refusal of 2 KB": lambda: _named(REFUSAL),
        "name prose of 2 KB that says nothing": lambda: _named(PROSE),
    }
    return {name: _best_us(call) for name, call in timed.items()}


def _named(body: bytes) -> Failure:
    """Read and name a failed answer as the gateway does."""
    evidence = read_error(provider="groq", status=400, headers={}, body=body)
    return classify(evidence, now=0.0)


def _best_us(call: Callable[[], object]) -> float:
    timer = timeit.Timer(call)
    number, _ = timer.autorange()
    return min(timer.repeat(TIMES, max(1, number // 4))) / max(1, number // 4) * 1e6


async def _timed() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        found = await _ledger(Path(folder) / "ledger.db")
        found["own_us"] = await own_us(Path(folder) / "own.db")
        found |= await _ladder(Path(folder) / "chain.db")
        return found | {"parsing": _parsing(), "translations": translations()}


def main() -> None:
    """Print all timings."""
    json.dump(uvloop.run(_timed()), sys.stdout)


if __name__ == "__main__":
    main()

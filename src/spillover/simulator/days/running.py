"""Run a day: steady traffic through real engines, while the provider fares as the day says.

Refuses to know what is decided and how it is judged.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from spillover import __version__
from spillover.config.loader import load_document
from spillover.core.values import Operation
from spillover.engine import Call, Engine
from spillover.engine.attempt import Means
from spillover.engine.rounds import Rounds
from spillover.engine.world import World
from spillover.events import Bus
from spillover.ledger.ledger import Ledger
from spillover.ledger.opening import open_journal
from spillover.protocols.openai_chat import read_request
from spillover.simulator.days.day import BY_EVIDENCE, DAY_S, FRIDAY
from spillover.simulator.days.figures import Figures, judge
from spillover.simulator.days.leaping import Era, LeapingLoop
from spillover.simulator.days.line import Line
from spillover.simulator.provider import Provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.config.loader import LoadedConfig
    from spillover.simulator.days.day import Day, Outage, Policy

LIGHT_EVERY_S: Final = 60.0
"""How often a light request comes in the same instant as one of the steady traffic."""
_JUDGED, _SPARE = "judged.simulated", "spare.simulated"
_STEADY: Final = (
    b'{"model":"day","messages":[{"role":"user","content":"Say what the sea is like."}]}'
)
_LIGHT: Final = b'{"model":"day","messages":[{"role":"user","content":"hi"}],"max_tokens":1}'


def run(day: Day, policy: Policy = BY_EVIDENCE, ledger: Path | None = None) -> Figures:
    """Return what a day came to; the record is kept in the file `ledger`, None: in memory.

    Several processes need a file: without `ledger` they have one of their own for the day.
    """
    with tempfile.TemporaryDirectory(prefix="spillover-day-") as folder:
        if ledger is None and day.processes > 1:
            ledger = Path(folder) / "ledger.db"
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(_Stage(day, policy, ledger).play())


class _World(World):
    """A world without chance, so that a day is the same whenever it is run."""

    def draw(self) -> float:
        return 0.5


class _Stage:
    """One day under way; made on the loop that plays it."""

    def __init__(self, day: Day, policy: Policy, ledger: Path | None) -> None:
        self._day = day
        self._loaded = _loaded(day, policy)
        self._ledger = ledger
        self._statuses: list[int] = []

    async def play(self) -> Figures:
        """Play the day to its end."""
        day, loop = self._day, asyncio.get_running_loop()
        self._era = era = Era(loop, FRIDAY)
        self._judged = Provider(replace(day.spec, keep_records=0), era.now)
        self._line = Line(self._judged, _JUDGED, era.now)
        for outage in day.outages:
            loop.call_at(outage.from_s, self._begin, outage)
            loop.call_at(outage.until_s, self._end)
        for at_s, off_s in day.clock:
            loop.call_at(at_s, setattr, era, "off_s", off_s)
        async with AsyncExitStack() as stack:
            engines = [
                await stack.enter_async_context(self._gateway()) for _ in range(day.processes)
            ]
            await self._traffic(engines)
        return judge(day, self._line.sent, began_at=FRIDAY, answers=self._statuses)

    def _begin(self, outage: Outage) -> None:
        if outage.fault is None:
            self._line.is_refusing = True
        else:
            self._judged.script(outage.fault, times=None)

    def _end(self) -> None:
        self._line.is_refusing = False
        self._judged.clear_script()

    @asynccontextmanager
    async def _gateway(self) -> AsyncIterator[Engine]:
        """Open what `open_engine` opens, on this day's clock and line, without its upkeep."""
        clock = self._era.clock()
        ledger = Ledger(open_journal(self._ledger, stamp="day").journal, clock)
        means = Means(upstream=self._line, clock=clock, rounds=Rounds())
        world = _World(ledger=ledger, means=means, events=Bus())
        engine = Engine(world, version=__version__, closing=ledger.close)
        await engine.reload(self._loaded)
        try:
            yield engine
        finally:
            await engine.close(grace_s=0.0)

    async def _traffic(self, engines: list[Engine]) -> None:
        """Send what clients ask for; a light request goes to another gateway, if there is one."""
        steady, light = _call(_STEADY), _call(_LIGHT)
        loop, asked = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        def ask(number: int, call: Call) -> None:
            task = asyncio.create_task(self._ask(engines[number % len(engines)], call))
            asked.add(task)
            task.add_done_callback(asked.discard)

        for number in range(int(DAY_S / self._day.every_s)):
            at_s = number * self._day.every_s
            await asyncio.sleep(at_s - loop.time())
            ask(number, steady)
            if at_s % LIGHT_EVERY_S == 0:
                ask(number + 1, light)
        await asyncio.gather(*asked)

    async def _ask(self, engine: Engine, call: Call) -> None:
        if self._day.processes > 1:
            await engine.ledger.record()  # sees what others did, as the upkeep does all the time
        answer = await engine.answer(call)
        self._statuses.append(answer.status)


def _call(body: bytes) -> Call:
    return Call(asked=read_request(body, Operation.CHAT), request_id="req-of-a-day")


def _loaded(day: Day, policy: Policy) -> LoadedConfig:
    own: dict[str, Any] = {
        "base_url": f"http://{_JUDGED}/{day.path}",
        "api_key": "sk-judged-0123456789",
        "tier": "free",
        **day.settings,
    }
    spare = {
        "base_url": f"http://{_SPARE}/v1",
        "api_key": "sk-spare-0123456789",
        "model": "spare",
        "tier": "free",
    }
    chain: dict[str, Any] = {"profiles": ["judged", "spare"]}
    if policy.cooldown is not None:
        chain["cooldown"] = policy.cooldown
        own.pop("provider", None)  # a flat rule knows no provider, and believes none
    document = {"profiles": {"judged": own, "spare": spare}, "chains": {"day": chain}}
    return load_document(document, environ={})

"""Probe profiles: one real, counted completion of one token each, by hand or now and then.

By hand a profile is asked whatever is held against it; by itself only where a real request could go
too. Refuses to decide what an outcome teaches: it is learned as that of any request.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from spillover.core.chains import TimeLimits
from spillover.core.probing import due_at
from spillover.core.refusals import EndKind
from spillover.core.values import Capability, FailureClass, Operation
from spillover.engine.call import Call
from spillover.engine.serving import Serving
from spillover.protocols.openai_chat import read_request

if TYPE_CHECKING:
    from spillover.config.routing import Routing
    from spillover.core.chains import CooldownRule
    from spillover.core.refusals import Ending
    from spillover.core.values import Profile
    from spillover.engine.world import World

WITHIN_S: Final = 60.0
"""How long a probe may take: a local server may have to load its model first."""
SELDOM_S: Final = 1.0
"""How often it is looked who is due."""
_SHORT_TEXT: Final[dict[str, Any]] = {"input": "ping"}
_NO_RETRIES: Final = dict.fromkeys(FailureClass, 0)
_BOUNDS: Final = TimeLimits(total_s=WITHIN_S, deadline_s=WITHIN_S)
_RENAMED: Final = frozenset({"openai", "azure"})
"""Providers whose newer models refuse `max_tokens` and take `max_completion_tokens`."""
_numbers: Final = itertools.count(1)


async def probe(world: World, name: str, *, by_hand: bool) -> dict[str, Any]:
    """Send a profile one completion of one token; return what came of it.

    `sent` is false where nothing was: a limit is spent, a key is missing, privacy forbids it.
    """
    profile = world.routing.profiles[name]
    chain = replace(
        world.routing.alone[name],
        cooldowns=_cooldowns(world.routing, name),
        retries=_NO_RETRIES,
        time_limits=_BOUNDS,
    )
    began_s = time.monotonic()
    serving = Serving(world, _call(profile, by_hand=by_hand), chain)
    await serving.answer()
    took_ms = round((time.monotonic() - began_s) * 1_000, 1)
    ending = serving.ending
    if ending is None:
        raise AssertionError(name)
    outcome, message = _told(ending)
    return {
        "profile": name,
        "sent": bool(ending.trail),
        "answered": ending.kind is EndKind.SERVED,
        "outcome": outcome,
        "message": message,
        "took_ms": took_ms if ending.trail else None,
    }


def _cooldowns(routing: Routing, name: str) -> dict[FailureClass, CooldownRule]:
    """Return the user's own waits of the first chain that a profile serves in."""
    for chain in routing.chains.values():
        if any(member.profile == name for member in chain.members):
            return chain.cooldowns
    return {}


def _call(profile: Profile, *, by_hand: bool) -> Call:
    operation, body = Operation.EMBEDDINGS, _SHORT_TEXT
    if Capability.CHAT not in profile.lacks:
        operation = Operation.CHAT
        limit = "max_completion_tokens" if profile.provider in _RENAMED else "max_tokens"
        body = {"messages": [{"role": "user", "content": "ping"}], limit: 1}
    asked = read_request(msgspec.json.encode(body), operation)
    return Call(asked=asked, request_id=f"probe-{next(_numbers)}", probe=by_hand)


def _told(ending: Ending) -> tuple[str, str]:
    """Return an ending as an outcome (`ok`, a failure class, or why nothing was sent) and words."""
    refusal, failure = ending.refusal, ending.failure
    message = failure.message if failure is not None else refusal.message if refusal else ""
    if ending.trail:
        return ending.trail[-1].result, message
    if refusal is not None and refusal.profiles:
        return refusal.profiles[0].reason.value, message
    return ending.kind.value if refusal is None else refusal.code.value, message


class Probes:
    """Probes the profiles whose configuration asks for it, while it runs."""

    def __init__(self, world: World) -> None:
        """Begin without having probed."""
        self._world = world
        self._looked: dict[str, tuple[float, float]] = {}
        """By profile: when it was last probed, or first seen, and the draw of its next time."""
        self._under_way: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Probe from now on, until `close`."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="probes")

    async def _run(self) -> None:
        while True:
            next_in_s = self._look()
            await asyncio.sleep(next_in_s)

    def _look(self) -> float:
        """Probe who is due; return in how many seconds the next one is."""
        world = self._world
        now = world.clock.now()
        waits = [SELDOM_S]
        for name, endpoint in world.routing.endpoints.items():
            every_s = endpoint.probe_every_s
            if every_s is None or name in self._under_way:
                continue
            looked_at, draw = self._looked.setdefault(name, (now, world.draw()))
            learned = world.ledger.book.learned.get(name)
            # A clock that was set back leaves instants of the future behind.
            heard_at = 0.0 if learned is None else min(learned.heard_at, now)
            due = due_at(
                heard_at=heard_at, looked_at=min(looked_at, now), every_s=every_s, draw=draw
            )
            if due <= now:
                self._begin(name)
                self._looked[name] = (now, world.draw())
                due = now + every_s
            waits.append(due - now)
        return min(waits)

    def _begin(self, name: str) -> None:
        task = asyncio.create_task(probe(self._world, name, by_hand=False), name=f"probe {name}")
        self._under_way[name] = task
        task.add_done_callback(lambda _: self._under_way.pop(name, None))

    async def close(self) -> None:
        """Stop probing; what is under way is left as by its client."""
        tasks = [*self._under_way.values(), *([] if self._task is None else [self._task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""What requests share: sessions, turns, and who is under way."""

from __future__ import annotations

import asyncio

from spillover.clock import SystemClock
from spillover.config.routing import Routing
from spillover.engine.attempt import Means
from spillover.engine.rounds import Rounds
from spillover.engine.world import SESSIONS_MOST, Sessions, World
from spillover.events import Bus
from spillover.ledger.journal import NoJournal
from spillover.ledger.ledger import Ledger
from spillover.upstream import HttpUpstream
from tests.engine.staging import plays


def world() -> World:
    clock = SystemClock()
    means = Means(upstream=HttpUpstream(), clock=clock, rounds=Rounds())
    return World(ledger=Ledger(NoJournal(), clock), means=means, events=Bus())


class Visitor:
    def __init__(self, place: World) -> None:
        self.place = place
        place.begun(self)

    def leave(self) -> None:
        self.place.ended(self)


def test_the_longest_unused_session_is_forgotten_first() -> None:
    sessions = Sessions()
    sessions.put(("c", "old"), "p0")
    for number in range(SESSIONS_MOST - 1):
        sessions.put(("c", str(number)), "p1")

    sessions.put(("c", "old"), "p2")
    sessions.put(("c", "one more"), "p1")

    assert sessions.get(("c", "old")) == "p2"
    assert sessions.get(("c", "0")) is None
    assert sessions.get(("other", "old")) is None


@plays
async def test_turns_are_counted_for_each_chain_and_peeking_counts_none() -> None:
    place = world()

    assert [place.next_turn("a"), place.next_turn("a"), place.next_turn("b")] == [0, 1, 0]
    assert [place.peek_turn("a"), place.peek_turn("a"), place.peek_turn("c")] == [2, 2, 0]
    assert 0 <= place.draw() < 1


@plays
async def test_waiting_for_idleness_ends_when_the_last_request_has() -> None:
    place = world()
    await place.wait_idle()
    first, _ = Visitor(place), Visitor(place)

    idle = asyncio.create_task(place.wait_idle())
    first.leave()
    await asyncio.sleep(0)
    assert not idle.done()
    place.leave_all()
    await idle

    assert not place.under_way


@plays
async def test_another_configuration_is_another_setup() -> None:
    place = world()
    before = place.setup

    place.adopt(Routing(profiles={}, chains={}, endpoints={}, alone={}), str.upper)

    assert place.setup is not before
    assert place.routing is place.setup.routing
    assert place.setup.redact("a") == "A"
    assert before.redact("a") == "a"

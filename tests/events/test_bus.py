"""Events reach everyone who listens; a slow subscriber loses its own oldest and holds up nobody."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from spillover.events import Bus, ConfigReloaded, Event
from spillover.events.bus import BUFFER, RECENT
from tests.engine.staging import plays

if TYPE_CHECKING:
    import pytest


def event(number: int) -> ConfigReloaded:
    return ConfigReloaded(at=float(number), path=f"{number}.yaml")


def test_recent_events_are_kept_with_their_numbers_oldest_first() -> None:
    bus = Bus()
    for number in range(1, RECENT + 11):
        bus.publish(event(number))

    latest = bus.recent(3)

    assert [number for number, _ in latest] == [RECENT + 8, RECENT + 9, RECENT + 10]
    assert len(bus.recent(RECENT * 2)) == RECENT
    assert bus.recent(1)[0][1] == event(RECENT + 10)


def test_events_are_heard_by_listeners_and_by_subscribers() -> None:
    listened, subscribed, alone = Bus(), Bus(), Bus()

    listened.listen(lambda _: None)
    subscription = subscribed.subscribe()
    heard = [bus.is_heard for bus in (listened, subscribed, alone)]
    subscription.close()

    assert (heard, subscribed.is_heard) == ([True, True, False], False)


def test_no_events_are_asked_for_by_zero() -> None:
    bus = Bus()
    bus.publish(event(1))

    assert bus.recent(0) == []


def test_a_listener_that_fails_is_logged_and_the_others_hear(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = Bus()
    heard: list[Event] = []

    def fail(_: Event) -> None:
        raise RuntimeError("deaf")

    bus.listen(fail)
    bus.listen(heard.append)

    with caplog.at_level(logging.ERROR):
        bus.publish(event(1))

    assert heard == [event(1)]
    assert "a listener failed on ConfigReloaded" in caplog.text


@plays
async def test_a_subscriber_gets_events_from_now_on_and_those_it_missed() -> None:
    bus = Bus()
    for number in (1, 2, 3):
        bus.publish(event(number))
    late, new = bus.subscribe(after=1), bus.subscribe()
    bus.publish(event(4))

    late.close()
    new.close()

    assert [number async for number, _ in late] == [2, 3, 4]
    assert [number async for number, _ in new] == [4]


@plays
async def test_a_waiting_subscriber_is_woken() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    waiting = asyncio.create_task(anext(subscription))
    await asyncio.sleep(0)

    bus.publish(event(1))

    assert await waiting == (1, event(1))


@plays
async def test_closing_ends_a_waiting_subscriber_and_hears_no_more() -> None:
    bus = Bus()
    subscription = bus.subscribe()

    async def collect() -> list[int]:
        return [number async for number, _ in subscription]

    waiting = asyncio.create_task(collect())
    await asyncio.sleep(0)
    subscription.close()
    subscription.close()
    bus.publish(event(1))

    assert await waiting == []


@plays
async def test_a_slow_subscriber_loses_its_oldest_events_counted() -> None:
    bus = Bus()
    slow = bus.subscribe()
    for number in range(BUFFER + 5):
        bus.publish(event(number))

    number, _ = await anext(slow)

    assert slow.dropped == 5
    assert number == 6

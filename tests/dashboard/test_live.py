"""What an open page is told, and when."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from spillover.core.notices import NoticeKind
from spillover.dashboard.live import FIGURES_S, LOOK_S, Figures, Message, Parts, follow, print_of
from spillover.dashboard.pages import Look
from spillover.events import Bus, ConfigRejected, Notice, ProfileStatus, RequestDone
from tests import own_time
from tests.dashboard.test_overview import a_status

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Stage:
    """A gateway's figures, a page that shows them, and what it was told when."""

    def __init__(self) -> None:
        self.status = a_status()
        self.looks = 0
        self.bus = Bus()
        self.told: list[tuple[float, Message]] = []

    async def figures(self) -> Figures:
        self.looks += 1
        return Figures(json.loads(json.dumps(self.status)))

    async def play(self, scene: Coroutine[Any, Any, None]) -> None:
        """Play a scene while a page follows."""
        subscription = self.bus.subscribe()
        loop = asyncio.get_running_loop()

        async def listen() -> None:
            async for message in follow(Parts(self.figures, Look()), subscription, Look()):
                self.told.append((loop.time(), message))

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.2)  # the page has got everything once
        self.told.clear()
        self.looks = 0
        await scene
        subscription.close()
        await listening

    def parts(self) -> str:
        """All parts that the page got."""
        return "".join(message.body for _, message in self.told if message.kind == "parts")


def done(number: int = 0) -> RequestDone:
    return RequestDone(
        at=0.0,
        request_id=f"r{number}",
        chain="default",
        profile="one",
        outcome="served",
        took_ms=1.0,
    )


def flip(stage: Stage) -> ProfileStatus:
    stage.status["profiles"]["one"] |= {"status": "cooldown", "reason": "rate_limited"}
    return ProfileStatus(at=0.0, profile="one", source="active", to="cooldown")


def test_a_new_status_is_told_at_once_and_alone() -> None:
    stage = Stage()

    async def scene() -> None:
        began = asyncio.get_running_loop().time()
        stage.bus.publish(flip(stage))
        await asyncio.sleep(0.1)
        assert [at - began < 0.1 for at, _ in stage.told] == [True, True]

    own_time.run(stage.play(scene()))

    assert 'id="card-default-one" class="card is-cooldown' in stage.parts()
    assert "card-default-two" not in stage.parts()


def test_figures_alone_move_at_most_twice_a_second() -> None:
    stage = Stage()

    async def scene() -> None:
        for number in range(1_000):
            stage.bus.publish(done(number))
            await asyncio.sleep(0.002)

    own_time.run(stage.play(scene()))

    assert stage.looks <= 2.0 / FIGURES_S + 2
    happened = [json.loads(each.body) for _, each in stage.told if each.kind == "happened"]
    assert all(len(each) <= 40 for each in happened)
    assert int(happened[-1][-1]["request_id"][1:]) > 700


def test_a_new_status_does_not_wait_behind_figures() -> None:
    stage = Stage()
    delays: list[float] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        for number in range(100):
            stage.bus.publish(done(number))
            await asyncio.sleep(0.01)
        began = loop.time()
        stage.bus.publish(flip(stage))
        await asyncio.sleep(0.2)
        delays.extend(at - began for at, each in stage.told if "is-cooldown" in each.body)

    own_time.run(stage.play(scene()))

    assert [delay < 0.15 for delay in delays] == [True]


def test_what_time_alone_changes_is_seen_within_a_second() -> None:
    stage = Stage()

    async def scene() -> None:
        flip(stage)  # told by no event
        await asyncio.sleep(LOOK_S + 0.1)

    own_time.run(stage.play(scene()))

    assert "is-cooldown" in stage.parts()


def test_nothing_is_told_while_nothing_changes() -> None:
    stage = Stage()

    own_time.run(stage.play(asyncio.sleep(2.5)))

    assert not stage.told


def test_other_places_are_another_page() -> None:
    stage = Stage()

    async def scene() -> None:
        stage.status["chains"]["default"]["profiles"].reverse()
        await asyncio.sleep(LOOK_S * 2.5)

    own_time.run(stage.play(scene()))

    assert [each.kind for _, each in stage.told] == ["reload", "parts"]


def test_a_page_without_cards_is_told_what_happens_alone() -> None:
    async def main() -> list[Message]:
        bus = Bus()
        subscription = bus.subscribe()
        bus.publish(done())
        found = follow(None, subscription, Look())
        first = await anext(found)
        subscription.close()
        return [first, *[each async for each in found]]

    (message,) = own_time.run(main())

    assert message.kind == "happened"


def test_what_people_are_told_is_in_the_readers_language() -> None:
    notice = Notice(at=0.0, kind=NoticeKind.RECOVERED, text="one is back")
    rejected = ConfigRejected(at=0.0, path="p", problems=("p:1:a: found no model, expected text",))

    async def main() -> Message:
        bus = Bus()
        subscription = bus.subscribe()
        bus.publish(notice)
        bus.publish(rejected)
        return await anext(follow(None, subscription, Look(language="zh")))

    told = json.loads(own_time.run(main()).body)

    assert told[0]["text"] == "one 已恢复"
    assert told[1]["problems"] == ["p:1:a：写的是 没有 model，应为 文字"]


def test_a_page_that_shows_all_already_is_told_nothing_twice() -> None:
    stage = Stage()

    async def main() -> tuple[Message | None, Message | None]:
        page = print_of(await stage.figures())
        fresh = await Parts(stage.figures, Look(), seen=page).changed()
        flip(stage)
        stale = await Parts(stage.figures, Look(), seen=page).changed()
        return fresh, stale

    fresh, stale = own_time.run(main())

    assert fresh is None
    assert stale is not None
    assert stale.body.count('class="card') == 3

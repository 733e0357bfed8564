"""Transitions reach the page's bell and every place that the configuration names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.schema import Config, Notify
from spillover.core.notices import NoticeKind
from spillover.events import Bus, ConfigRejected, LedgerTrouble, Notice, ProfileStatus
from spillover.events.folding import QUIET_S
from spillover.gateway.notices import KEPT, Notices
from tests import own_time
from tests.core.making import NOON
from tests.engine.staging import plays
from tests.events.receiving import Receiver, receiving
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider
    from tests.serving import Served

REJECTED = ConfigRejected(at=NOON, path="p", problems=("a", "b"))
FULL = LedgerTrouble(at=NOON, failing=True, message="disk full")
RESTS = ProfileStatus(at=NOON, profile="groq", source="active", to="cooldown", reason="timeout")


def wanted(*notify: Any) -> tuple[Notify, ...]:
    return Config(notify=notify).notify


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def listening(*, quiet_s: float = QUIET_S) -> tuple[Bus, Notices]:
    bus = Bus()
    return bus, Notices(bus, own_time.clock(), quiet_s=quiet_s)


def texts(notices: Notices) -> list[str]:
    return [each["text"] for each in notices.latest(KEPT)]


@plays
async def test_a_notice_is_kept_and_told_as_an_event_after_what_it_tells_of() -> None:
    bus, notices = listening()

    bus.publish(REJECTED)
    await asyncio.sleep(0)

    (notice,) = notices.latest(KEPT)
    assert (notice["id"], notice["kind"], notice["count"]) == (1, "config_rejected", 1)
    assert "type" not in notice
    assert notice["at"].endswith("Z")
    assert [type(event) for _, event in bus.recent()] == [ConfigRejected, Notice]


@plays
async def test_a_burst_is_one_notice_after_the_first() -> None:
    bus, notices = listening(quiet_s=0.5)

    for _ in range(3):
        bus.publish(REJECTED)
    bus.publish(FULL)
    await asyncio.sleep(0.2)
    before = texts(notices)
    await asyncio.sleep(0.5)

    assert len(before) == 1
    assert notices.latest(1)[0]["count"] == 3
    assert texts(notices)[0].splitlines()[1] == "usage can't be stored: disk full"


@plays
async def test_each_place_gets_what_it_asked_for(receiver: Receiver) -> None:
    bus, notices = listening()
    with receiving() as other:
        notices.adopt(
            wanted(receiver.address, {"to": other.address, "events": ["ledger", "cooldown"]})
        )
        for event in (REJECTED, FULL, RESTS):
            bus.publish(event)
        await eventually(lambda: [each["sent"] for each in notices.status()] == [2, 2])
        await notices.close()

        assert receiver.texts == [
            "the edited configuration has 2 problems; the one before stays in force",
            "usage can't be stored: disk full",
        ]
        assert other.texts == ["usage can't be stored: disk full", "groq rests (timeout)"]
    assert [each["sent"] for each in notices.status()] == [2, 2]
    assert [each["events"] for each in notices.status()][1] == ["cooldown", "ledger"]


@plays
async def test_a_place_that_stays_goes_on_and_one_that_goes_gets_no_more(
    receiver: Receiver,
) -> None:
    bus, notices = listening()
    notices.adopt(wanted(receiver.address, "desktop"))
    bus.publish(REJECTED)
    await eventually(lambda: notices.status()[0]["sent"])

    notices.adopt(wanted(receiver.address))
    stays = [(each["to"], each["sent"]) for each in notices.status()]
    notices.adopt(wanted())
    bus.publish(FULL)
    await notices.close()

    assert stays == [("json://…", 1)]
    assert len(receiver.texts) == 1


@plays
async def test_the_latest_notices_are_kept_and_a_test_is_one_of_them(receiver: Receiver) -> None:
    _, notices = listening()
    notices.adopt(wanted({"to": receiver.address, "events": ["budget"]}))

    for _ in range(KEPT + 1):
        notices.test()
    await eventually(lambda: receiver.texts)

    found = notices.latest(KEPT)
    assert (len(found), found[0]["id"], found[0]["kind"]) == (KEPT, KEPT + 1, NoticeKind.TEST)
    assert notices.latest(2) == found[:2]
    await notices.close()


def test_a_real_fallback_and_its_end_are_told_over_http(
    served: Served, one: SimulatedProvider, receiver: Receiver
) -> None:
    served.loop.call_soon_threadsafe(served.gateway.notices.adopt, wanted(receiver.address))
    one.script("overloaded")
    served.chat()
    served.chat()

    notices = served.get("/api/notices?limit=1").json

    assert notices["notices"][0]["text"].startswith("default: one → two (overloaded), one back in")
    assert notices["notices"][0]["until"] is not None
    assert notices["targets"][0]["to"] == "json://…"
    events = served.get("/api/events/recent?limit=1000").json["events"]
    (told,) = [event for event in events if event["type"] == "notice"]
    assert told["id"] == notices["notices"][0]["id"]
    assert told["event_id"] != told["id"]


def test_a_test_is_sent_to_every_place(served: Served, receiver: Receiver) -> None:
    served.loop.call_soon_threadsafe(served.gateway.notices.adopt, wanted(receiver.address))

    answer = served.post("/api/notices/test").json

    assert [each["to"] for each in answer["targets"]] == ["json://…"]
    assert served.get("/api/notices?limit=1").json["notices"][0]["kind"] == "test"
    assert served.post("/api/notices/test", {"to": "x"}).status == 400
    assert served.get("/api/notices?limit=101").status == 400

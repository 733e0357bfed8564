"""Notices arrive where they are sent, or it is known why not; nobody waits for it."""

from __future__ import annotations

import logging
import socket
from functools import partial
from typing import TYPE_CHECKING

import pytest

from spillover.core.notices import NoticeKind
from spillover.events import Notice
from spillover.events.delivery import WAITING_MOST, Courier, scrubbed
from tests.core.making import NOON
from tests.events.receiving import Receiver, receiving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


def notice(text: str = "groq failed", kind: NoticeKind = NoticeKind.FAILED) -> Notice:
    return Notice(at=NOON, kind=kind, text=text)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def failures(courier: Courier, count: int) -> bool:
    return courier.failed == count


def ended(courier: Courier) -> None:
    courier.close()
    courier.join()


def test_a_notice_arrives_at_a_real_receiver(receiver: Receiver) -> None:
    courier = Courier(receiver.address)

    courier.send(notice())
    courier.send(notice("groq is back", NoticeKind.RECOVERED))
    wait_until(lambda: courier.sent == 2)
    ended(courier)

    assert receiver.texts == ["groq failed", "groq is back"]
    assert [each["title"] for each in receiver.received] == ["Spillover"] * 2
    assert [each["type"] for each in receiver.received] == ["warning", "success"]
    assert (courier.failed, courier.problem, courier.shown) == (0, None, "json://…")


def test_an_address_of_no_service_gets_json(receiver: Receiver) -> None:
    courier = Courier(f"http://127.0.0.1:{receiver.port}/hook")

    courier.send(notice(kind=NoticeKind.FALLBACK))
    wait_until(lambda: courier.sent)
    ended(courier)

    assert receiver.received[0]["type"] == "info"


def test_a_failure_is_logged_once_without_the_address_until_a_notice_arrives(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    courier = Courier(receiver.address)
    receiver.status = 401

    with caplog.at_level(logging.INFO):
        for count in (1, 2):
            courier.send(notice())
            wait_until(partial(failures, courier, count))
        problem = courier.problem
        receiver.status = 200
        courier.send(notice())
        wait_until(lambda: courier.sent == 1)
        after = courier.problem
        receiver.status = 500
        courier.send(notice())
        wait_until(lambda: courier.failed == 3)
    ended(courier)

    assert problem is not None
    assert "401" in problem
    assert after is None
    messages = [each.getMessage() for each in caplog.records if each.name.startswith("spillover")]
    assert [message.split(":")[0] for message in messages] == ["notices don't arrive at json"] * 2
    for secret in ("the-token-0001", "user-name", "hooked-path"):
        assert secret not in "".join(messages)
    assert not logging.getLogger("apprise").propagate, "its own words may name tokens"


def test_a_place_that_hangs_holds_nobody_up(receiver: Receiver) -> None:
    courier = Courier(receiver.address)
    receiver.open.clear()

    for _ in range(WAITING_MOST + 5):
        courier.send(notice())

    assert courier.failed >= 4
    assert courier.problem == "it takes no more: too many are waiting"
    courier.close()
    receiver.open.set()
    wait_until(lambda: courier.sent >= WAITING_MOST)


def test_a_place_that_is_not_there_is_told_of() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        courier = Courier(f"json://127.0.0.1:{taken.getsockname()[1]}")
        courier.send(notice())
        wait_until(lambda: courier.failed)
    ended(courier)

    assert courier.problem


def test_an_address_that_nothing_understands_is_told_of() -> None:
    courier = Courier("nosuchservice://token-0002/x")

    courier.send(notice())
    wait_until(lambda: courier.failed)
    ended(courier)

    assert courier.problem is not None
    assert courier.problem.startswith("this is no address that Apprise knows")
    assert "token-0002" not in courier.problem


def test_a_courier_without_notices_ends_at_once() -> None:
    ended(Courier("json://127.0.0.1"))


def test_no_part_of_an_address_is_shown() -> None:
    said = "POST https://hooks.example/T0001/secret failed for user@secret (T0001)"

    assert scrubbed(said, "slack://T0001/secret/x") == (
        "POST https://hooks.example/…/… failed for user@… (…)"
    )


def test_a_desktop_is_told_by_its_command(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
    courier = Courier("desktop")

    courier.send(notice())
    wait_until(lambda: courier.failed)
    ended(courier)

    assert courier.shown == "desktop"
    assert courier.problem is not None
    assert courier.problem.endswith("is not installed")

"""Edits of the configuration while the gateway runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from spillover.config.loader import load
from spillover.simulator import ProviderSpec, running
from tests.events.receiving import receiving
from tests.serving import CHAT, HELLO, Reply, document_for, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.simulator import SimulatedProvider
    from tests.serving import Served


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a configuration in one step, so that no half of one is ever read."""
    draft = path.with_name("draft")
    with draft.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    draft.replace(path)


class Edited:
    """A gateway whose file can be edited."""

    def __init__(self, served: Served, path: Path, both: tuple[SimulatedProvider, ...]) -> None:
        self.served = served
        self.path = path
        self.both = both

    def edit(self, **changes: object) -> None:
        write(self.path, {**document_for(*self.both), **changes})

    def told(self, kind: str) -> list[Any]:
        events = self.served.get("/api/events/recent?limit=1000", authorization="Bearer admin").json
        return [event for event in events["events"] if event["type"] == kind]

    def wait_for(self, reloads: int) -> None:
        wait_until(lambda: len(self.told("config.reloaded")) >= reloads)


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Edited]:
    """A gateway that follows a file of two providers."""
    path = tmp_path / "spillover.yaml"
    with running(ProviderSpec(name="one"), ProviderSpec(name="two")) as both:
        write(path, document_for(*both))
        with serving(load(path, environ={}), follow=True) as served:
            yield Edited(served, path, both)


def test_an_edit_is_in_force_without_a_restart(edited: Edited) -> None:
    before = edited.served.chat().headers["x-spillover-profile"]

    edited.edit(chains={"default": ["two", "one"]})
    wait_until(lambda: edited.told("config.reloaded"))

    assert before == "one"
    assert edited.served.chat().headers["x-spillover-profile"] == "two"
    assert edited.told("config.reloaded")[0]["path"] == str(edited.path)


def test_a_broken_edit_keeps_what_runs_and_says_why(edited: Edited) -> None:
    edited.edit(chains={"default": ["two", "nobody"]})
    wait_until(lambda: edited.told("config.rejected"))

    assert edited.served.chat().headers["x-spillover-profile"] == "one"
    assert "nobody" in edited.told("config.rejected")[0]["problems"][0]


def test_who_is_told_of_a_broken_edit_is_who_the_last_good_one_names(edited: Edited) -> None:
    with receiving() as before, receiving() as after:
        for receiver in (before, after):
            edited.edit(notify=[{"to": receiver.address, "events": ["config_rejected"]}])
            reloads = 1 if receiver is before else 2
            edited.wait_for(reloads)
        edited.path.write_text("profiles: [", "utf-8")
        wait_until(lambda: after.texts)

        assert before.texts == []
        assert after.texts[0].endswith("the one before stays in force")


def test_the_edit_that_mends_a_broken_one_is_taken(edited: Edited) -> None:
    edited.path.write_text("profiles: [", "utf-8")
    wait_until(lambda: edited.told("config.rejected"))

    edited.edit(chains={"default": ["two"]})
    wait_until(lambda: edited.told("config.reloaded"))

    assert edited.served.chat().headers["x-spillover-profile"] == "two"


def test_keys_and_bounds_of_the_edit_hold_but_the_address_stays(edited: Edited) -> None:
    server = {"port": 1, "client_keys": ["client"], "admin_key": "admin", "max_body": 1_000}
    edited.edit(server=server)
    wait_until(lambda: edited.served.chat().status == 401)

    key = {"authorization": "Bearer client"}
    assert edited.served.post(CHAT, HELLO, **key).status == 200
    assert edited.served.post(CHAT, {**HELLO, "x": "y" * 1_000}, **key).status == 413
    assert edited.served.get("/api/status").status == 401
    assert edited.served.get("/api/status", authorization="Bearer admin").status == 200


def test_a_reload_under_load_loses_no_request(edited: Edited) -> None:
    replies: list[Reply] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            replies.append(edited.served.chat())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(1, 4):
        chain = ["one", "two"] if number % 2 == 0 else ["two", "one"]
        edited.edit(chains={"default": chain})
        edited.wait_for(number)
        before = len(replies)
        wait_until(lambda: len(replies) >= before + 2 * len(workers))  # noqa: B023 - called at once
    stop.set()
    for worker in workers:
        worker.join()

    assert {reply.status for reply in replies} == {200}
    assert {reply.headers["x-spillover-profile"] for reply in replies} == {"one", "two"}


def test_a_stream_that_runs_goes_on_over_a_reload(edited: Edited) -> None:
    one = edited.both[0]
    one.change(ProviderSpec(name="one", events=40, events_per_s=40))
    done: list[Reply] = []
    body = {**HELLO, "stream": True}
    streaming = threading.Thread(target=lambda: done.append(edited.served.post(CHAT, body)))
    streaming.start()
    wait_until(lambda: one.records)

    edited.edit(
        profiles={"two": document_for(*edited.both)["profiles"]["two"]}, chains={"default": ["two"]}
    )
    wait_until(lambda: edited.told("config.reloaded"))
    streaming.join()

    assert done[0].body.endswith(b"data: [DONE]\n\n")
    assert done[0].headers["x-spillover-profile"] == "one"
    assert edited.served.chat().headers["x-spillover-profile"] == "two"


def test_an_edit_that_would_open_the_gateway_to_others_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    with running(ProviderSpec()) as (provider,):
        document = document_for(provider)
        keys = {"host": "0.0.0.0", "client_keys": ["client"], "admin_key": "admin"}
        write(path, {**document, "server": keys})
        with serving(load(path, environ={}), follow=True) as served:
            edited = Edited(served, path, (provider,))
            write(path, document)
            wait_until(lambda: edited.told("config.rejected"))

            assert served.chat().status == 401

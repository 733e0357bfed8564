"""The library without an event loop: the same verbs, from any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from spillover.errors import AllAttemptsFailed, ConfigError
from spillover.library import Spillover
from spillover.simulator import ProviderSpec
from tests.library.setting import FIRST, Setting, two_providers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Weather(msgspec.Struct):
    """What an answer may be."""

    place: str


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_the_verbs_answer_without_an_event_loop(setting: Setting) -> None:
    with Spillover.open_sync(setting.path) as llm:
        answer = llm.chat("hi", max_tokens=50)
        stream = llm.stream("hi")
        streamed = "".join(chunk.text for chunk in stream)
        serves = llm.explain()["serves"]
        status = llm.status()

    assert answer.text == streamed == "This is first, answering with first-model, in words."
    assert stream.profile == "first"
    assert [sent.outcome for sent in stream.trail] == ["ok"]
    assert stream.usage is not None
    assert stream.request_id
    assert serves == "second"
    assert status["profiles"]["first"]["usage"]["minute"]["requests"] == 2


def test_answers_are_of_the_type_that_was_asked_for(setting: Setting) -> None:
    with Spillover.open_sync(setting.path) as llm:
        answer = llm.chat("weather?", response_format=Weather)
        stream = llm.stream("weather?", response_format=Weather)
        for _ in stream:
            pass

    assert answer.parsed == stream.answer.parsed == Weather(place="simulated")


def test_threads_share_the_limit_exactly(setting: Setting) -> None:
    served: list[str] = []

    with Spillover.open_sync(setting.path) as llm:
        threads = [
            threading.Thread(target=lambda: served.append(llm.chat("hi").profile))
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert sorted(served) == ["first"] * 2 + ["second"] * 10


def test_errors_are_those_of_the_asynchronous_verbs(setting: Setting) -> None:
    setting.first.script("overloaded", times=None)
    setting.second.script("overloaded", times=None)

    with Spillover.open_sync(setting.path) as llm, pytest.raises(AllAttemptsFailed):
        llm.chat("hi")


def test_leaving_a_stream_early_ends_it_at_the_provider(tmp_path: Path) -> None:
    slow = ProviderSpec(name="second", events=400, events_per_s=100.0)

    with (
        two_providers(tmp_path, FIRST, slow) as setting,
        Spillover.open_sync(setting.path) as llm,
    ):
        for chunk in llm.stream("hi", model="second"):
            if chunk.text:
                break
        wait_until(lambda: setting.second.counters().in_flight == 0)
        status = llm.status()

    assert status["profiles"]["second"]["usage"]["minute"]["requests"] == 1


def test_a_closed_library_says_how_it_is_used(setting: Setting) -> None:
    with Spillover.open_sync(setting.path) as llm:
        pass

    with pytest.raises(RuntimeError, match="with"):
        llm.chat("hi")


def test_a_configuration_that_cannot_be_used_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()

    with pytest.raises(ConfigError), Spillover.open_sync(tmp_path / "none.yaml"):
        pass

    assert threading.active_count() == before

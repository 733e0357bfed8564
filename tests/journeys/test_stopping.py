"""A gateway that is told to stop lets answers end, and one that can't start says what to do."""

from __future__ import annotations

import os
import re
import signal
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from spillover.gateway.serve import GRACE_S
from tests.cli.terminal import spillover
from tests.journeys.processes import (
    ANSWERMARK,
    ASKED,
    SECONDS,
    assert_discreet,
    document,
    gateway,
    write,
)
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as these tests send them")


def listens(served: Gateway) -> bool:
    """Return whether a new connection is taken."""
    try:
        served.connect().close()
    except OSError:
        return False
    return True


def test_a_stream_ends_whole_after_a_signal_to_stop(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    first.change(events=40, events_per_s=40)

    with gateway(config) as served, served.client() as client:
        stream = client.chat.completions.create(model="default", messages=ASKED, stream=True)
        chunks = [next(stream)]
        served.process.send_signal(signal.SIGTERM)
        chunks += stream
        code = served.process.wait(SECONDS)

    assert code == 0
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert ANSWERMARK in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_a_second_signal_ends_at_once_and_what_was_used_is_counted(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    first.change(events=100_000, events_per_s=50)

    with gateway(config) as served, served.client() as client:
        stream = client.chat.completions.create(model="default", messages=ASKED, stream=True)
        with closing(stream.response):
            next(stream)
            served.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not listens(served))  # two signals before it hears one are one
            served.process.send_signal(signal.SIGTERM)
            code = served.process.wait(GRACE_S / 2)  # which it has not waited for
    with gateway(config) as again:
        used = again.used()

    assert code == 0
    assert used["requests"] == 1
    assert used["output_tokens"] > 0


def test_a_taken_port_is_told_with_its_holder_and_the_next_free_one(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))

    with gateway(config) as served:
        shown = spillover("serve", "--port", served.port, "--config", config)
        answers = served.served_by()
        offered = re.search(r"--port (\d+)", shown.stderr)
        assert offered is not None, shown.stderr
        with socket.create_server(("127.0.0.1", int(offered[1]))):
            pass

    assert shown.returncode == 1
    assert answers == "first"
    assert f"port {served.port} is in use by " in shown.stderr
    assert f"(pid {served.process.pid})" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert_discreet(shown.stdout, shown.stderr)

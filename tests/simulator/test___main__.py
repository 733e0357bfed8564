"""A provider as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.simulator.__main__ import main
from tests.simulator.asking import SECONDS, chat

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def a_process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "spillover.simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def post(url: str, body: Any, key: str = "sk-sim") -> tuple[int, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_process_says_where_it_listens_serves_and_stops_when_told() -> None:
    options = ("--flavour", "groq", "--limit", "requests=1/minute", "--key", "sk-sim")
    with a_process(*options, "--model", "m,context=100,output=2", "--answer", "1234 5678 9") as (
        process,
        said,
    ):
        url = f"{said['base_url']}/chat/completions"
        wrong_key, _ = post(url, chat(), "sk-other")
        wrong_model, _ = post(url, chat(model="x"))
        good, answer = post(url, chat())
        refused, _ = post(url, chat())
        with urllib.request.urlopen(f"{said['control_url']}/counters", timeout=SECONDS) as counters:
            received = json.load(counters)["received"]
        process.send_signal(signal.SIGTERM)
        code = process.wait(SECONDS)

    assert (said["flavour"], said["pid"]) == ("groq", process.pid)
    assert (wrong_key, wrong_model, good, refused) == (401, 404, 200, 429)
    assert answer["choices"][0]["message"]["content"] == "1234 567"
    assert (received, code) == (4, 0)


def test_a_port_that_is_taken_is_told_and_exits_with_one(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code = main(["--port", str(port)])

    assert code == 1
    assert f"can't listen on 127.0.0.1:{port}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limit", "many"], "no limit: 'many'"),
        (["--model", "m,size=5"], "no model: 'm,size=5'"),
        (["--model", "m,context=big"], "no model"),
        (["--flavour", "grok"], "invalid choice: 'grok'"),
    ],
)
def test_wrong_options_are_told_and_exit_with_two(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert words in capfd.readouterr().err

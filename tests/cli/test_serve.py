"""`spillover serve` answers on one endpoint until it is told to stop."""

from __future__ import annotations

import json
import logging
import signal
import socket
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from spillover.cli.serve import log_to_stderr
from tests.cli.terminal import SECONDS, serving, spillover
from tests.library.setting import Setting, two_providers
from tests.library.test_finding import OFF
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def chat(address: str, model: str = "default") -> dict[str, Any]:
    """Return the answer to a short chat, and who gave it."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    request = urllib.request.Request(
        f"{address}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        answer: dict[str, Any] = json.load(response)
        return {"profile": response.headers["x-spillover-profile"], **answer}


def test_a_gateway_says_where_it_is_and_answers_there(setting: Setting) -> None:
    with serving("serve", "--port", 0, "--config", setting.path) as gateway:
        served = [chat(gateway.address)["profile"] for _ in range(3)]
        gateway.process.send_signal(signal.SIGTERM)
        code = gateway.process.wait(SECONDS)

    assert served == ["first", "first", "second"]
    assert code == 0
    assert f"config  {setting.path}" in gateway.text
    assert "1  first   free  first-model" in gateway.text
    assert f"OPENAI_BASE_URL={gateway.address}/v1" in gateway.text
    assert "first is exhausted  limit, back in " in gateway.text


def test_an_edit_of_the_file_is_taken_over_and_a_broken_one_is_told(setting: Setting) -> None:
    text = setting.path.read_text("utf-8")

    with serving("serve", "--port", 0, "--config", setting.path) as gateway:
        setting.path.write_text(text + "aliases: {mine: second}\n", "utf-8")
        wait_until(lambda: "was taken over" in gateway.text)
        served = chat(gateway.address, "mine")["profile"]
        setting.path.write_text(text + "aliases: {mine: nobody}\n", "utf-8")
        wait_until(lambda: "the one before stays in force" in gateway.text)
        still = chat(gateway.address, "mine")["profile"]

    assert (served, still) == ("second", "second")


def test_a_port_in_use_is_told_with_who_has_it_and_a_free_one(setting: Setting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        shown = spillover("serve", "--port", port, "--config", setting.path)

    assert shown.returncode == 1
    assert str(port) in shown.stderr
    assert "Traceback" not in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_an_address_that_others_reach_needs_keys(setting: Setting) -> None:
    shown = spillover("serve", "--host", "0.0.0.0", "--port", 0, "--config", setting.path)

    assert shown.returncode == 1
    assert "client_keys" in shown.stderr


def test_keys_in_the_environment_are_enough(setting: Setting) -> None:
    variables = {**OFF, "GROQ_API_KEY": "gsk_1"}

    with serving("serve", "--port", 0, **variables) as gateway:
        pass

    assert "config  none: what was found on this machine" in gateway.text
    assert "1  groq  free" in gateway.text


def test_a_profile_without_its_key_is_told_and_the_rest_serves(setting: Setting) -> None:
    text = setting.path.read_text("utf-8")
    keyless = "  groq: {provider: groq, api_key: '${GROQ_API_KEY}', model: openai/gpt-oss-120b}\n"
    setting.path.write_text(text.replace("chains:", f"{keyless}chains:"), "utf-8")

    with serving("serve", "--port", 0, "--config", setting.path) as gateway:
        served = chat(gateway.address)["profile"]

    assert "GROQ_API_KEY" in gateway.text
    assert served == "first"


def test_nothing_at_all_is_shown_over_simulated_providers_and_said_so() -> None:
    with serving("serve", "--port", 0, **OFF) as gateway:
        answer = chat(gateway.address, "anything")

    assert "no configuration, no provider's key and no local server was found" in gateway.text
    assert answer["profile"].startswith("demo-")
    assert "demo" in answer["choices"][0]["message"]["content"]


def test_what_is_logged_holds_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])

    log_to_stderr(lambda text: text.replace("sk-secret", "sk…"))
    logging.getLogger("spillover.test").warning("key %s failed", "sk-secret")

    assert capsys.readouterr().err.endswith("WARNING spillover.test: key sk… failed\n")

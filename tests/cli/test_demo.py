"""`spillover demo` spills over within seconds, on providers that are all made up."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

from spillover.cli.demo import demo_config
from spillover.config.assemble import assemble
from spillover.simulator import demo_providers, running
from tests.cli.terminal import SECONDS, serving
from tests.cli.test_serve import chat
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_says_demo_in_every_name() -> None:
    with running(*demo_providers()) as providers:
        config = demo_config(providers)
        routing = assemble(config, config.catalogue)

    assert [name.partition("-")[0] for name in routing.profiles] == ["demo"] * 4
    assert list(routing.chains) == ["demo"]
    assert all("demo" in profile.title for profile in routing.profiles.values())
    assert routing.profiles["demo-groq"].provider == "groq"
    assert routing.resolve("gpt-4o").name == "demo"


def test_the_demo_answers_spills_over_and_leaves_the_users_ledger_alone(own_folders: Path) -> None:
    with serving("demo", "--port", 0) as gateway:
        wait_until(lambda: "demo-groq ▸ demo-gemini" in gateway.text)
        answer = chat(gateway.address, "anything")
        with urllib.request.urlopen(f"{gateway.address}/api/status", timeout=SECONDS) as response:
            status = json.load(response)

    assert "simulated" in gateway.text
    assert f"curl {gateway.address}/v1/chat/completions" in gateway.text
    assert "demo" in answer["choices"][0]["message"]["content"]
    assert all(name.startswith("demo") for name in (*status["chains"], *status["profiles"]))
    assert not own_folders.exists()


def test_a_quiet_demo_makes_no_requests_of_its_own() -> None:
    with serving("demo", "--port", 0, "--quiet") as gateway:
        chat(gateway.address, "anything")
        wait_until(lambda: "served" in gateway.text)

    assert gateway.text.count("served") == 1

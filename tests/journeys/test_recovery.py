"""The procedures of docs/recovery.md, each by its commands, on a gateway that runs and real files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tests.cli.terminal import spillover
from tests.journeys.processes import KEYMARK, Gateway, document, gateway, write
from tests.upstream.commanding import command, free_port, is_alive
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Provider

HOURLY = {"requests_per_hour": 1}


def ran(*arguments: object, **variables: str) -> str:
    done = spillover(*arguments, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_local(*providers: Provider) -> dict[str, Any]:
    """Return a configuration with a local server of the gateway's beside the chain."""
    written = document(*providers, limits=HOURLY)
    port = free_port()
    written["profiles"]["local"] = {
        "base_url": f"http://127.0.0.1:{port}/v1",
        "model": "m",
        "upstream": {"command": command(port), "health": "/health"},
    }
    return written


def pid(found: Gateway) -> int | None:
    server = found.status()["upstreams"]["local"]
    return server["pid"] if server["state"] == "running" else None


def logged() -> int:
    """Return how many requests the log tells of."""
    return spillover("logs", "--json").stdout.count('"type":"request.done"')


def test_a_full_reset_gives_a_running_gateway_a_fresh_start(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, with_local(first, second))
    with gateway(config) as found:
        before = wait_until(lambda: pid(found)) or 0
        served = [found.served_by() for _ in range(2)]
        wait_until(lambda: logged() == 2)
        port = ("--port", found.port)

        shown = ran("reset", "--yes", "--config", config, *port)

        assert served == ["first", "second"]
        after = pid(found)
        assert after not in {None, before}
        assert before is not None
        assert not is_alive(before)
        assert found.served_by() == "first"
        assert "local started anew" in shown
        assert f"the gateway at {found.address} is healthy" in shown
        wait_until(lambda: logged() == 1)
        assert KEYMARK not in shown


def test_a_profile_or_another_provider_takes_over_in_one_step_and_back(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    with gateway(config, OPENROUTER_API_KEY=f"sk-or-{KEYMARK}") as found:
        ran("use", "default", "second", "--config", config)
        wait_until(lambda: found.status()["chains"]["default"]["pinned"] == "second")
        pinned = found.served_by()
        ran("use", "default", "auto", "--config", config)
        wait_until(lambda: found.status()["chains"]["default"]["pinned"] is None)
        choosing = found.served_by()
        ran(
            "add", "openrouter", "--key", "env:OPENROUTER_API_KEY", "--model", "z-ai/glm-5:free",
            "--config", config, OPENROUTER_API_KEY=f"sk-or-{KEYMARK}",
        )  # fmt: skip
        wait_until(lambda: "openrouter" in found.status()["profiles"])

        assert (pinned, choosing) == ("second", "first")
        assert found.profile("openrouter")["status"] == "active"
        assert found.status()["chains"]["default"]["profiles"][-1] == "openrouter"


def test_a_configuration_is_reset_and_comes_back_while_the_gateway_runs(
    config: Path, first: Provider, second: Provider, tmp_path: Path
) -> None:
    write(config, document(first, second, limits=HOURLY))
    saved = tmp_path / "saved.zip"
    keys = {
        f"{each.name.upper()}_API_KEY": f"key-{each.name}-{KEYMARK}-{each.name[::-1]}"
        for each in (first, second)
    }
    with gateway(config, GROQ_API_KEY="gsk_1234", **keys) as found:
        assert found.served_by() == "first"
        ran("backup", saved, "--config", config)
        ran("init", "--minimal", "--config", config, GROQ_API_KEY="gsk_1234")
        wait_until(lambda: list(found.status()["profiles"]) == ["groq"])

        shown = ran("restore", saved, "--config", config)

        wait_until(lambda: list(found.status()["profiles"]) == ["first", "second"])
        wait_until(lambda: found.used("first")["requests"] == 1)
        assert found.served_by() == "second"
        assert "set FIRST_API_KEY, SECOND_API_KEY" in shown
        assert KEYMARK not in shown + config.read_text()
        assert KEYMARK.encode() not in saved.read_bytes()
        assert json.loads(ran("check", "--json", "--config", config, **keys))["problems"] == []
        assert os.environ.get("FIRST_API_KEY") is None

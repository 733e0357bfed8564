"""Someone comes from Kilo Code with a virtual quota fallback, and it falls back here as it did there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cli.terminal import spillover
from tests.journeys.processes import (
    KEYMARK,
    Gateway,
    Provider,
    document,
    gateway,
    key_of,
    write,
)
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess


def exported(folder: Path, first: Provider, second: Provider) -> Path:
    """Write what Kilo Code exports of a free server with 2 requests an hour, and a paid one."""
    configs: dict[str, Any] = {
        title: {
            "id": each.name,
            "apiProvider": "openai",
            "openAiBaseUrl": each.base_url,
            "openAiApiKey": key_of(each.name),
            "openAiModelId": f"model-of-{each.name}",
        }
        for title, each in (("The Free One", first), ("The Paid One", second))
    }
    configs["Free, then paid"] = {
        "id": "v",
        "apiProvider": "virtual-quota-fallback",
        "profiles": [
            {"profileId": "first", "profileLimits": {"requestsPerHour": 2}},
            {"profileId": "second"},
        ],
    }
    profiles = {
        "currentApiConfigName": "Free, then paid",
        "apiConfigs": configs,
        "modeApiConfigs": {"architect": "second"},
    }
    file = folder / "kilo-code-settings.json"
    file.write_text(json.dumps({"providerProfiles": profiles, "globalSettings": {}}))
    return file


def moved_in(config: Path, *providers: Provider) -> CompletedProcess[str]:
    """Import the export; keys go into the `.env`, whatever key ring there is."""
    file = exported(config.parent, *providers)
    return spillover("import", "kilo", file, "--config", config, "--env")


def served_by(found: Gateway, times: int, **fields: Any) -> list[str]:
    return [found.served_by(**fields) for _ in range(times)]


def test_a_virtual_quota_fallback_falls_back_here(
    config: Path, first: Provider, second: Provider
) -> None:
    moved = moved_in(config, first, second)
    assert moved.returncode == 0, moved.stderr
    assert KEYMARK not in moved.stdout + config.read_text()

    with gateway(config) as found:
        assert served_by(found, 3) == ["The-Free-One", "The-Free-One", "The-Paid-One"]
        assert found.profile("The-Free-One")["reason"] == "limit"
        assert served_by(found, 1, model="architect") == ["The-Paid-One"]

        found.post("/api/usage/clear", {})
        first.script("overloaded", times=None)
        assert served_by(found, 1, model="Free-then-paid") == ["The-Paid-One"]


def test_a_set_up_comes_into_a_gateway_that_runs(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(second))

    with gateway(config) as found:
        assert found.served_by() == "second"

        moved = moved_in(config, first, second)

        assert moved.returncode == 0, moved.stderr
        wait_until(lambda: "Free-then-paid" in found.status()["chains"])
        assert found.served_by() == "second"
        assert served_by(found, 3, model="Free-then-paid") == [
            "The-Free-One",
            "The-Free-One",
            "The-Paid-One",
        ]

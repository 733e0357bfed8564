"""What gateways gathered is cleared; what people said by hand stays."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from spillover.cli.opened import changing
from spillover.config.loader import load, load_document
from spillover.errors import AllAttemptsFailed
from spillover.recovery.reset import clear_logs, clear_usage
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path, limit=1) as setting:
        yield setting


def test_logs_of_gateways_and_of_their_servers_are_emptied(tmp_path: Path) -> None:
    environ = {"SPILLOVER_STATE_DIR": str(tmp_path)}
    files = [
        tmp_path / name
        for name in ("logs/spillover.jsonl", "logs/spillover.jsonl.1", "upstreams/a.log")
    ]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("1234\n")

    step = clear_logs(environ)

    assert (step.done, step.told) == (True, ("cleared 15 bytes of logs",))
    assert [file.exists() and file.read_text() for file in files] == ["", False, ""]
    assert clear_logs(environ).told == ("cleared 0 bytes of logs",)


def test_logs_that_can_not_be_cleared_are_told(tmp_path: Path) -> None:
    (tmp_path / "logs" / "spillover.jsonl.1").mkdir(parents=True)

    step = clear_logs({"SPILLOVER_STATE_DIR": str(tmp_path)})

    assert not step.done
    assert "spillover.jsonl.1" in step.told[0]


def test_spent_and_failed_profiles_serve_again_and_disabled_ones_stay(setting: Setting) -> None:
    loaded = load(setting.path, environ=os.environ)
    setting.second.script("unauthorized")
    assert ask(setting.path) == ["first"]
    with pytest.raises(AllAttemptsFailed):
        ask(setting.path)

    step = asyncio.run(clear_usage(loaded))
    served = ask(setting.path, times=2)
    asyncio.run(switched_off(setting.path))
    again = asyncio.run(clear_usage(loaded))

    assert step.done
    assert step.told == (
        "cleared usage and cooldowns of 2 profiles",
        "failed, and will be tried again: second",
    )
    assert served == ["first", "second"]
    assert again.told[1:] == ("disabled by hand, and stay so: first (spillover enable)",)
    assert ask(setting.path) == ["second"]


async def switched_off(path: Path) -> None:
    async with changing(path) as engine:
        await engine.set_disabled("first", disabled=True)


def test_memory_has_nothing_to_clear_from_here() -> None:
    document = {"storage": "memory", "profiles": {"a": {"base_url": "http://h/v1", "model": "m"}}}

    step = asyncio.run(clear_usage(load_document(document, environ={})))

    assert "start it anew" in step.told[0]

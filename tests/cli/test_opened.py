"""Commands work on the shared record, and never pretend that a change was kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from spillover.cli.opened import changing, opened
from spillover.errors import ConfigError, LedgerError
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from spillover.engine import Engine

    Opening = Callable[[Path | None], AbstractAsyncContextManager[Engine]]


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_what_other_processes_counted_is_there_at_once(setting: Setting) -> None:
    ask(setting.path, times=2)

    async def run() -> int:
        async with opened(setting.path) as engine:
            return int(engine.status()["profiles"]["first"]["usage"]["minute"]["requests"])

    assert asyncio.run(run()) == 2


def test_the_gateways_own_keys_are_not_needed(setting: Setting) -> None:
    text = setting.path.read_text("utf-8")
    keys = '{"client_keys": ["${NOBODY_SET_THIS}"], "admin_key": "${NOR_THIS}"}'
    setting.path.write_text(f"server: {keys}\n{text}", "utf-8")

    async def run() -> list[str]:
        async with opened(setting.path) as engine:
            return list(engine.status()["profiles"])

    assert asyncio.run(run()) == ["first", "second"]


def test_a_ledger_that_was_moved_aside_is_told(
    setting: Setting, own_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_folders.mkdir()
    (own_folders / "ledger.db").write_bytes(b"this is no database" * 100)

    async def run() -> None:
        async with opened(setting.path):
            pass

    asyncio.run(run())

    assert "was moved to" in capsys.readouterr().err


@pytest.mark.parametrize("opening", [opened, changing])
def test_without_a_configuration_a_demos_record_is_pointed_at(opening: Opening) -> None:
    async def run() -> None:
        async with opening(None):
            raise AssertionError("not reached")

    with pytest.raises(ConfigError, match=r"a running demo .* memory: .*/api/status"):
        asyncio.run(run())


def test_a_change_that_nothing_would_keep_is_refused(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("", "utf-8")
    monkeypatch.setenv("SPILLOVER_STATE_DIR", str(blocked))

    async def run() -> None:
        async with changing(setting.path):
            raise AssertionError("not reached")

    with pytest.raises(LedgerError, match="nothing was changed"):
        asyncio.run(run())


def test_a_record_in_memory_is_nothing_to_change_from_outside(setting: Setting) -> None:
    text = setting.path.read_text("utf-8")
    setting.path.write_text(text + "storage: memory\n", "utf-8")

    async def run() -> None:
        async with changing(setting.path):
            raise AssertionError("not reached")

    with pytest.raises(LedgerError, match="storage: memory"):
        asyncio.run(run())

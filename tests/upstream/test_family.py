"""A command with all that it starts: begun, heard, measured, ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from spillover.upstream.family import LONGEST_LINE, CommandFailed, Family
from tests.upstream.commanding import is_alive
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path


async def started(code: str, folder: Path, heard: list[str] | None = None) -> Family:
    return await Family.start(
        (sys.executable, "-c", code),
        folder=str(folder),
        environ={"OF_OURS": "set"},
        hear=([] if heard is None else heard).append,
    )


def test_every_line_is_heard_long_and_unfinished_ones_too(tmp_path: Path) -> None:
    heard: list[str] = []
    code = (
        "import os, sys; print(os.environ['OF_OURS'], os.getcwd()); print('é', file=sys.stderr);"
        f"print('x' * {3 * LONGEST_LINE}, end='', flush=True); sys.exit(7)"
    )

    async def main() -> int | None:
        family = await started(code, tmp_path, heard)
        return await family.ended

    status = asyncio.run(main())

    assert status == 7
    assert f"set {tmp_path}" in heard
    assert "é" in heard
    assert sum(line.count("x") for line in heard if set(line) == {"x"}) == 3 * LONGEST_LINE


def test_a_command_that_does_not_exist_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        await Family.start(("no-such-program",), folder=str(tmp_path), environ={}, hear=print)

    with pytest.raises(CommandFailed, match="no-such-program"):
        asyncio.run(main())


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    with pytest.raises(CommandFailed, match="missing"):
        asyncio.run(started("", missing))


def test_a_command_that_ignores_the_wish_is_ended(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(600)"
    )
    heard: list[str] = []

    async def main() -> int:
        family = await started(code, tmp_path, heard)
        await eventually(lambda: heard)
        await family.stop()
        return family.pid

    assert not is_alive(asyncio.run(main()))


def test_a_command_may_tidy_up_when_it_is_asked_to_end(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit('tidy'));"
        "print('ready', flush=True); time.sleep(600)"
    )
    heard: list[str] = []

    async def main() -> int | None:
        family = await started(code, tmp_path, heard)
        await eventually(lambda: heard)
        await family.stop()
        return family.ended.result()

    assert asyncio.run(main()) == 1
    assert heard == ["ready", "tidy"]


def test_the_memory_is_that_of_all_its_processes(tmp_path: Path) -> None:
    large = "x = b'x' * (60 << 20); print('ready', flush=True); import time; time.sleep(600)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}])"
    heard: list[str] = []

    async def main() -> int | None:
        family = await started(code, tmp_path, heard)
        await eventually(lambda: heard)
        memory = family.memory()
        await family.stop()
        return memory

    memory = asyncio.run(main())

    assert memory is not None
    assert 60 << 20 < memory < 160 << 20


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys;"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    )
    heard: list[str] = []

    async def main() -> None:
        family = await started(code, tmp_path, heard)
        await asyncio.wait_for(asyncio.shield(family.ended), 10)
        await eventually(lambda: not is_alive(int(heard[0])))

    asyncio.run(main())


def test_a_killed_keeper_takes_the_command_along(tmp_path: Path) -> None:
    async def main() -> int | None:
        family = await started("import time; time.sleep(600)", tmp_path)
        os.kill(os.getpgid(family.pid), signal.SIGKILL)
        status = await asyncio.wait_for(asyncio.shield(family.ended), 10)
        await eventually(lambda: not is_alive(family.pid))
        return status

    assert asyncio.run(main()) is None

"""`spillover reset` asks first, and says of each step what came of it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.in_process import Done, runner
from tests.cli.terminal import spillover as in_a_process
from tests.library.setting import Setting, ask, two_providers
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(name="spillover")
def _spillover(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return runner(capsys)


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path, limit=1) as setting:
        setting.path.write_text(f"{setting.path.read_text()}server: {{port: {free_port()}}}\n")
        yield setting


def test_nothing_is_done_unasked(setting: Setting, own_folders: Path) -> None:
    assert ask(setting.path) == ["first"]

    done = in_a_process("reset", "--config", setting.path)

    assert done.returncode == 2
    assert "say --yes to that" in done.stderr
    assert not (own_folders / "backups").exists()
    assert ask(setting.path) == ["second"]


def test_each_step_is_told_and_profiles_serve_again(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    assert ask(setting.path, times=2) == ["first", "second"]

    done = spillover("reset", "--yes", "--config", setting.path)

    lines = [line for line in done.stdout.splitlines() if line[0] != " "]
    assert [line.split()[:2] for line in lines] == [
        ["✓", step] for step in ("upstreams", "backup", "logs", "usage", "check", "verify")
    ]
    assert "start the gateway: spillover serve" in lines[-1]
    assert done.returncode == 0
    assert ask(setting.path) == ["first"]


def test_a_server_that_the_gateway_would_run_is_nothing_wrong(
    spillover: Callable[..., Done], tmp_path: Path
) -> None:
    path = tmp_path / "spillover.yaml"
    local = f"base_url: 'http://127.0.0.1:{free_port()}/v1', model: m"
    path.write_text(
        f"server: {{port: {free_port()}}}\n"
        f"profiles: {{local: {{{local}, upstream: {{command: [{sys.executable}]}}}}}}\n"
    )
    path.chmod(0o600)

    done = spillover("reset", "--yes", "--config", path)

    assert "checks found nothing broken" in done.stdout
    assert done.returncode == 0


def test_what_is_still_wrong_is_told_and_exits_with_1(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    setting.path.write_text("profiles: [")

    done = spillover("reset", "--yes", "--json", "--config", setting.path)

    steps = {each["step"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert [name for name, each in steps.items() if not each["done"]] == ["usage", "check"]
    assert "spillover init --minimal" in steps["check"]["told"][0]
    assert steps["backup"]["done"]


def test_nothing_is_cleared_without_a_backup(
    spillover: Callable[..., Done], setting: Setting, own_folders: Path
) -> None:
    assert ask(setting.path) == ["first"]
    (own_folders / "backups").write_text("a file in the way")

    done = spillover("reset", "--yes", "--config", setting.path)

    assert done.returncode == 1
    assert "nothing was cleared" in done.stdout
    assert ask(setting.path) == ["second"]

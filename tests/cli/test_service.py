"""`spillover service` writes what the platform needs, and has the platform do the rest."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.in_process import Done, runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "{log}"
case "$2" in is-active) exit {active};; esac
[ {code} = 0 ] || echo "no bus" >&2
exit {code}
"""


@pytest.fixture(name="spillover")
def _spillover(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return runner(capsys)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "spillover.yaml"
    path.write_text("profiles: {groq: {provider: groq, api_key: '${GROQ_API_KEY}', model: m}}\n")
    return path


@pytest.fixture(name="unit")
def _unit(own_folders: Path) -> Path:
    return own_folders.parent / "xdg_config_home" / "systemd" / "user" / "spillover.service"


def systemctl(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, active: int = 0, code: int = 0
) -> Path:
    """Put a platform's command on the path that notes what it is told; return the note."""
    monkeypatch.setattr("sys.platform", "linux")
    log, program = folder / "told", folder / "bin" / "systemctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(SYSTEMCTL.format(log=log, active=active, code=code))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return log


def test_a_service_is_installed_looked_at_and_removed(
    spillover: Callable[..., Done],
    path: Path,
    unit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = systemctl(tmp_path, monkeypatch)
    monkeypatch.setenv("GROQ_API_KEY", "gsk_of_this_shell")
    before = spillover("service", "status", "--config", path)

    done = spillover("service", "install", "--config", path)
    status = json.loads(spillover("service", "status", "--json", "--config", path).stdout)
    text = unit.read_text()
    removed = spillover("service", "remove", "--config", path)
    again = spillover("service", "remove", "--config", path)

    assert (before.returncode, "not installed" in before.stdout) == (1, True)
    assert done.returncode == 0
    assert f'"--config" "{path}"' in text
    assert "gsk_of_this_shell" not in text
    assert "a service has no variables of this shell" in done.stderr
    assert "GROQ_API_KEY" in done.stderr
    assert status == {"file": str(unit), "installed": True, "running": True}
    assert removed.returncode == 0
    assert not unit.exists()
    assert again.stdout == "not installed\n"
    assert told.read_text().splitlines() == [
        "--user daemon-reload",
        "--user enable --now spillover.service",
        "--user is-active spillover.service",
        "--user disable --now spillover.service",
        "--user daemon-reload",
    ]


def test_a_platform_that_refuses_is_told_with_the_command(
    spillover: Callable[..., Done],
    path: Path,
    unit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    systemctl(tmp_path, monkeypatch, active=3, code=1)

    done = spillover("service", "install", "--config", path)
    status = spillover("service", "status", "--config", path)
    removed = spillover("service", "remove", "--config", path)

    assert (done.returncode, status.returncode, removed.returncode) == (1, 1, 1)
    assert "this did not work (no bus); try it yourself: systemctl --user daemon-reload" in (
        done.stderr
    )
    assert "not running" in status.stdout
    assert not unit.exists()


def test_printing_does_nothing(
    spillover: Callable[..., Done], path: Path, unit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")

    shown = spillover("service", "install", "--print", "--config", path)

    assert shown.stdout.startswith(f"# {unit}\n[Unit]\n")
    assert shown.stdout.endswith("$ systemctl --user enable --now spillover.service\n")
    assert not unit.exists()


def test_a_configuration_that_can_not_be_used_is_no_service(
    spillover: Callable[..., Done], path: Path, unit: Path
) -> None:
    path.write_text("profiles: {groq: {provider: gorq}}")

    done = spillover("service", "install", "--config", path)

    assert done.returncode == 1
    assert "did you mean 'groq'" in done.stderr or "groq" in done.stderr
    assert not unit.exists()

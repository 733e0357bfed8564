"""`spillover doctor`, `verify` and `monitor` as people run them."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.locate import read_env
from spillover.ledger.sqlite import SqliteJournal
from tests.cli.in_process import Done, runner
from tests.cli.terminal import on_terminal, plain
from tests.library.setting import Setting, two_providers
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "sk-0123456789-of-mine-abcdef"


@pytest.fixture(name="spillover")
def _spillover(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return runner(capsys)


def findings(
    spillover: Callable[..., Done], *arguments: object
) -> tuple[int, dict[str, dict[str, Any]]]:
    done = spillover(*arguments, "--json")
    return done.returncode, {each["check"]: each for each in json.loads(done.stdout)}


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path, limit=5) as setting:
        text = setting.path.read_text() + f"server: {{port: {free_port()}}}\n"
        setting.path.write_text(text)
        yield setting


def test_a_sound_set_up_exits_with_0_and_a_broken_one_with_1(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    sound, every = findings(spillover, "doctor", "--config", setting.path)
    setting.path.write_text(setting.path.read_text().replace(setting.second.base_url, "nowhere"))
    broken = spillover("doctor", "--config", setting.path)

    assert sound == 0, every
    assert every["provider.key"]["level"] == "ok"
    assert setting.first.counters().accepted == 0
    assert broken.returncode == 1
    assert "✗ file" in broken.stdout
    assert "→ spillover check" in broken.stdout


def test_one_profile_alone_is_looked_at_by_its_name(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    code, every = findings(spillover, "doctor", "first", "--config", setting.path)
    unknown = spillover("doctor", "frist", "--config", setting.path)

    assert (code, every["env.key"]["about"]) == (0, "first")
    assert "did you mean 'first'?" in unknown.stderr


def test_fix_mends_what_can_be_mended_and_says_so(
    spillover: Callable[..., Done],
    setting: Setting,
    tmp_path: Path,
    own_folders: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = setting.path
    path.write_text(path.read_text().replace("model: first-model", "model: m, api_key: '${K_ONE}'"))
    env = tmp_path / ".env"
    env.write_text(f"K_ONE='\"{KEY}\"'\n")
    env.chmod(0o644)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.delenv("NO_PROXY")
    ledger = own_folders / "ledger.db"
    SqliteJournal(ledger).close()
    ledger.write_bytes(b"no pages at all" * 100)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        text = path.read_text().rpartition("server:")[0]
        path.write_text(f"{text}server: {{port: {taken.getsockname()[1]}}} # mine\n")
        before, broken = findings(spillover, "doctor", "--config", path)

        done = spillover("doctor", "--fix", "--json", "--config", path)

    every = json.loads(done.stdout)
    mended = {each["check"] for each in every if each["mended"]}
    assert before == 1
    assert broken["state.file"]["level"] == "problem"
    assert mended == {
        "config.permissions", "env.key_form", "env.proxy", "port.gateway", "state.file"
    }  # fmt: skip
    assert done.returncode == 0, every
    assert env.stat().st_mode & 0o777 == 0o600
    assert read_env(env) == {"K_ONE": KEY, "NO_PROXY": "localhost,127.0.0.1"}
    assert "} # mine" in path.read_text()
    assert KEY not in done.stdout


def test_the_modes_exclude_each_other(spillover: Callable[..., Done], setting: Setting) -> None:
    assert spillover("doctor", "--live", "--watch", "--config", setting.path).returncode == 2


def test_a_terminal_sees_progress_and_colours(setting: Setting) -> None:
    drawn = on_terminal("doctor", "--config", setting.path, columns=100)

    assert "\x1b[3" in drawn
    assert "nothing wrong" in plain(drawn) or "warning" in plain(drawn)

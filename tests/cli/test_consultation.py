"""Real answers are asked for with a person's consent, and the watch tells what it sees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spillover.cli.consultation import mended, subject_of
from spillover.doctor.findings import Finding, Level, SetVariable
from spillover.errors import UnknownName
from tests.cli.in_process import Done, runner
from tests.library.setting import Setting, two_providers
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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


def test_a_real_answer_is_never_sent_unasked(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    refused = spillover("verify", "--config", setting.path)

    assert refused.returncode == 2
    assert "second for money: say --yes to that" in refused.stderr
    assert setting.first.counters().received == 0


def test_verify_shows_latency_tokens_and_limits_of_each_profile(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    done = spillover("verify", "--yes", "--config", setting.path)

    assert done.returncode == 0, done.stdout
    assert "PROFILE  OUTCOME  LATENCY" in done.stdout
    assert "4 of 5 requests/minute left" in done.stdout
    assert setting.first.counters().accepted == 1
    assert setting.second.counters().accepted == 1


def test_live_tells_of_a_profile_that_does_not_answer(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    setting.second.script("server_error", times=None)

    code, every = findings(
        spillover, "doctor", "second", "--live", "--yes", "--config", setting.path
    )

    assert code == 1
    assert every["provider.completion"]["figures"]["outcome"] == "server_error"


def test_monitor_looks_once_and_exits_by_what_it_saw(
    spillover: Callable[..., Done], setting: Setting
) -> None:
    up = spillover("monitor", "--once", "--json", "--config", setting.path)
    setting.path.write_text(
        setting.path.read_text().replace(
            setting.second.base_url, f"http://127.0.0.1:{free_port()}/v1"
        )
    )
    down = spillover("monitor", "--once", "--config", setting.path)

    assert up.returncode == 0
    assert json.loads(up.stdout)["profiles"]["first"]["up"] is True
    assert down.returncode == 1
    assert "no gateway runs" in down.stdout


def test_a_set_up_that_can_not_be_read_is_looked_at_all_the_same(tmp_path: Path) -> None:
    subject = subject_of(tmp_path / "none.yaml", None)

    assert subject.loaded is None
    assert "no readable file" in subject.problems[0].found


def test_an_unknown_profile_is_told_with_the_nearest(setting: Setting) -> None:
    with pytest.raises(UnknownName, match="did you mean 'first'"):
        subject_of(setting.path, "frist")


def test_what_can_not_be_mended_is_said_and_nothing_is_looked_at_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fix = SetVariable(path=tmp_path / "file" / ".env", name="NO_PROXY", value="*")
    (tmp_path / "file").write_text("no folder")
    bad = Finding(check="env.proxy", level=Level.WARNING, saw="x", fix=fix)

    def again() -> list[Finding]:
        raise AssertionError("nothing was mended")

    assert mended([bad], again) == [bad]
    assert "env.proxy could not be mended" in capsys.readouterr().err

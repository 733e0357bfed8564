"""`spillover use` puts a profile first by hand, for every process, until auto is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from spillover.errors import NoProfileAvailable
from tests.cli.terminal import spillover
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path, second_limits="{requests_per_minute: 1}") as setting:
        yield setting


def test_a_profile_that_is_used_serves_first_and_the_others_stand_behind(setting: Setting) -> None:
    shown = spillover("use", "default", "second", "--config", setting.path)

    assert (shown.returncode, shown.stdout) == (
        0,
        "default uses second first, the others behind it\n",
    )
    assert ask(setting.path, times=2) == ["second", "first"]


def test_auto_gives_the_chain_its_own_order_back(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["use", "default", "second", "--config", str(setting.path)])

    code = run(["use", "default", "auto", "--config", str(setting.path)])

    assert code == 0
    assert "its own order" in capsys.readouterr().out
    assert ask(setting.path) == ["first"]


def test_strict_lets_that_profile_alone_serve(setting: Setting) -> None:
    run(["use", "default", "second", "--strict", "--config", str(setting.path)])

    with pytest.raises(NoProfileAvailable):
        ask(setting.path, times=2)

    assert setting.first.counters().received == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [(["defualt", "first"], "'default'"), (["default", "secnd"], "'second'")],
    ids=["chain", "profile"],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(
    setting: Setting, capsys: pytest.CaptureFixture[str], words: list[str], hint: str
) -> None:
    code = run(["use", *words, "--config", str(setting.path)])

    assert code == 1
    assert f"did you mean {hint}?" in capsys.readouterr().err

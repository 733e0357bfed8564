"""`spillover disable` takes a profile out of every ladder, `enable` puts it back and forgives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from tests.cli.terminal import spillover
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_a_disabled_profile_is_passed_over_until_it_is_enabled(setting: Setting) -> None:
    off = spillover("disable", "first", "--config", setting.path)
    without = ask(setting.path)
    on = spillover("enable", "first", "--config", setting.path)

    assert (off.returncode, off.stdout) == (0, "first is disabled\n")
    assert (on.returncode, on.stdout) == (0, "first is enabled\n")
    assert without == ["second"]
    assert ask(setting.path) == ["first"]


def test_enabling_ends_a_cooldown(setting: Setting) -> None:
    setting.first.script("overloaded")
    assert ask(setting.path, times=2) == ["second", "second"]

    run(["enable", "first", "--config", str(setting.path)])

    assert ask(setting.path) == ["first"]


def test_a_name_that_is_none_is_answered_with_the_nearest(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["disable", "fisrt", "--config", str(setting.path)])

    assert code == 1
    assert "did you mean 'first'?" in capsys.readouterr().err

"""`spillover probe` asks one profile for a token, and says what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.cli.probe import line_of
from tests.cli.terminal import spillover
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path, limit=5) as setting:
        yield setting


def test_answered_probe_ends_a_cooldown_and_is_counted(setting: Setting) -> None:
    setting.first.script("overloaded")
    assert ask(setting.path) == ["second"]

    done = spillover("probe", "first", "--config", setting.path)

    assert done.returncode == 0
    assert done.stdout.startswith("first answered in ")
    assert ask(setting.path) == ["first"]
    assert setting.first.counters().received == 3


def test_probe_that_is_not_answered_exits_with_1(setting: Setting) -> None:
    setting.first.script("overloaded")

    done = spillover("probe", "first", "--json", "--config", setting.path)

    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["profile"], found["sent"], found["answered"]) == ("first", True, False)
    assert found["outcome"] == "overloaded"


def test_unknown_profile_is_told(setting: Setting) -> None:
    done = spillover("probe", "frist", "--config", setting.path)

    assert done.returncode == 1
    assert "did you mean 'first'?" in done.stderr


def test_line_says_what_came_of_it() -> None:
    probed = {"profile": "groq", "sent": True, "answered": True, "outcome": "ok",
              "message": "", "took_ms": 120.4}  # fmt: skip

    assert line_of(probed) == "groq answered in 120 ms"
    assert (
        line_of({**probed, "answered": False, "outcome": "rate_limited"})
        == "groq did not answer, rate limited"
    )
    assert (
        line_of({**probed, "sent": False, "answered": False, "outcome": "limit", "message": "full"})
        == "groq was not asked, limit: full"
    )

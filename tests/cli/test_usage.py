"""`spillover usage` shows what was used, and clears it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from spillover.cli.usage import lines_of
from tests.cli.documents import NOTHING, profile
from tests.cli.terminal import spillover
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = {**NOTHING, "requests": 12, "tokens": 20_148}
USAGE = {"minute": NOTHING, "hour": {**NOTHING, "requests": 2, "tokens": 90}, "day": DAY}
USED = profile(usage=USAGE)


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_the_table_has_a_line_for_each_profile_and_one_for_all() -> None:
    lines = lines_of({"groq": USED, "gemini": USED}, width=80)

    assert [line.plain for line in lines] == [
        "PROFILE  REQ/MINUTE  TOK/MINUTE  REQ/HOUR  TOK/HOUR  REQ/DAY  TOK/DAY",
        "groq              0           0         2        90       12    20.1K",
        "gemini            0           0         2        90       12    20.1K",
        "all               0           0         4       180       24    40.3K",
    ]


def test_one_profile_needs_no_sum() -> None:
    assert len(lines_of({"groq": USED}, width=80)) == 2


def test_money_is_shown_where_any_was_spent() -> None:
    usage = {**USAGE, "day": {**DAY, "cost_usd": 0.25}}
    free, paid = (profile(usage=usage, tier=tier) for tier in ("free", "paid"))

    lines = [line.plain for line in lines_of({"a": free, "b": paid}, width=None)]

    assert lines[0].endswith("COST/DAY")
    assert [line.split()[-1] for line in lines[1:]] == ["$0.00", "$0.25", "$0.25"]


def spent(name: str, *, width: int) -> list[str]:
    """The lines for one paid profile that used money."""
    paid = profile(usage={**USAGE, "day": {**DAY, "cost_usd": 0.25}}, tier="paid")
    return [line.plain for line in lines_of({name: paid}, width=width)]


def test_heads_are_shortened_before_anything_is_lost() -> None:
    assert spent("openai-paid", width=80) == [
        "PROFILE      R/MIN  T/MIN  R/H  T/H  R/DAY  T/DAY  COST/D",
        "openai-paid      0      0    2   90     12  20.1K   $0.25",
    ]


def test_a_narrow_terminal_gets_a_paragraph_for_each_profile() -> None:
    assert spent("openai-paid", width=40) == [
        "openai-paid",
        "  minute  0 req  0 tok",
        "  hour    2 req  90 tok",
        "  day     12 req  20.1K tok  $0.25",
    ]


def test_a_name_longer_than_the_terminal_is_cut() -> None:
    assert len(spent("x" * 64, width=40)[0]) == 40


def test_what_was_used_is_shown(setting: Setting) -> None:
    ask(setting.path, times=3)

    shown = spillover("usage", "--config", setting.path)

    assert shown.returncode == 0
    rows = {line.split()[0]: line.split()[1] for line in shown.stdout.splitlines()}
    assert rows == {"PROFILE": "REQ/MINUTE", "first": "2", "second": "1", "all": "3"}


def test_clearing_one_profile_opens_it_again_and_leaves_the_others(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(setting.path, times=3)

    code = run(["usage", "clear", "first", "--config", str(setting.path)])
    told = capsys.readouterr().out
    run(["usage", "--json", "--config", str(setting.path)])
    used = json.loads(capsys.readouterr().out)["profiles"]

    assert (code, told) == (0, "cleared the usage of first\n")
    assert used["first"]["minute"]["requests"] == 0
    assert used["second"]["minute"]["requests"] == 1
    assert ask(setting.path) == ["first"]


def test_clearing_without_a_name_clears_everyone(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(setting.path, times=3)

    code = run(["usage", "--config", str(setting.path), "clear"])
    run(["usage", "--json", "--config", str(setting.path)])

    told, _, document = capsys.readouterr().out.partition("\n")
    assert (code, told) == (0, "cleared the usage of every profile")
    used = json.loads(document)["profiles"]
    assert [usage["day"]["requests"] for usage in used.values()] == [0, 0]


def test_clearing_a_profile_that_is_none_says_which_there_are(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["usage", "clear", "frist", "--config", str(setting.path)])

    assert code == 1
    assert "did you mean 'first'?" in capsys.readouterr().err

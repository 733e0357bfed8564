"""Colours go to terminals only, and every output gets what it can show."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from rich.text import Text

from spillover.cli import screen
from tests.cli.terminal import on_terminal, plain, spillover
from tests.library.setting import Setting, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ESCAPE = "\x1b["


@pytest.fixture(name="setting", scope="module")
def _setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    with two_providers(tmp_path_factory.mktemp("screen")) as setting:
        yield setting


def test_a_pipe_gets_no_colours_and_whole_lines(setting: Setting) -> None:
    shown = spillover("status", "--config", setting.path)

    assert shown.returncode == 0
    assert ESCAPE not in shown.stdout
    assert shown.stdout.startswith("default  priority  next: first\n")


def test_a_terminal_gets_colours(setting: Setting) -> None:
    drawn = on_terminal("status", "--config", setting.path)

    assert f"{ESCAPE}32m" in drawn


def test_no_color_is_kept(setting: Setting) -> None:
    drawn = on_terminal("status", "--config", setting.path, NO_COLOR="1")

    assert f"{ESCAPE}32m" not in drawn
    assert "● active" in plain(drawn)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal(setting: Setting, columns: int) -> None:
    drawn = plain(on_terminal("status", "--config", setting.path, columns=columns))

    assert "requests/minute" in drawn
    assert max(map(len, drawn.splitlines())) <= columns


def test_an_output_without_the_signs_gets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)

    assert screen.drawn(Text("▸ a  ● █▒░ … é")) == "> a  * #+- . ?"
    assert screen.drawn("plain") == "plain"


EVIL = "a\x1b]0;b\x07\x9b31m\u202ec\x7f"
TAMED = "a·]0;b··31m·c·"


def test_what_others_wrote_gives_a_terminal_no_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    styled = screen.drawn(Text.assemble((EVIL, "red"), "\tq\n"))

    assert screen.drawn(EVIL) == TAMED
    assert isinstance(styled, Text)
    assert styled.plain == "a·]0;b·31m·c·\tq\n", "rich drops the bell itself"
    assert [(span.start, span.end, span.style) for span in styled.spans] == [(0, 13, "red")]
    screen.complain(EVIL)
    assert capsys.readouterr().err == f"spillover: {TAMED}\n"


def test_json_shows_no_commands_either_and_stays_what_it_is() -> None:
    document = screen.escaped(json.dumps(EVIL, ensure_ascii=False))

    assert document == '"a\\u001b]0;b\\u0007\\u009b31m\\u202ec\\u007f"'
    assert json.loads(document) == EVIL


def test_a_complaint_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    screen.complain("no [bold]markup[/bold] here")

    assert capsys.readouterr() == ("", "spillover: no [bold]markup[/bold] here\n")


def test_json_keeps_every_letter(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_json({"name": "模型"})

    assert capsys.readouterr().out == '{\n  "name": "模型"\n}\n'


def test_a_pipe_has_no_width(tmp_path: Path) -> None:
    assert screen.width() is None

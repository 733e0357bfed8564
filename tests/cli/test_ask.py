"""`spillover ask` answers from the first profile with room, without a gateway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from tests.cli.terminal import on_terminal, plain, spillover
from tests.library.setting import Setting, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAID = "This is first, answering with first-model, in words.\n"


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path) as setting:
        yield setting


def test_a_pipe_gets_the_answer_alone(setting: Setting) -> None:
    shown = spillover("ask", "hi there", "--config", setting.path)

    assert (shown.returncode, shown.stdout, shown.stderr) == (0, SAID, "")
    assert setting.first.carried("hi there") == 1


def test_an_answer_may_be_streamed_and_the_question_piped_in(setting: Setting) -> None:
    shown = spillover("ask", "-", "--stream", "--config", setting.path, given="from a pipe")

    assert (shown.returncode, shown.stdout) == (0, SAID)
    assert setting.first.carried("from a pipe") == 1
    assert setting.first.records[0].stream


def test_a_terminal_is_told_who_answered(setting: Setting) -> None:
    drawn = plain(on_terminal("ask", "hi", "--config", setting.path))

    assert SAID in drawn
    assert "first · " in drawn


def test_asking_is_counted_and_spills_over(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    served = []
    for _ in range(3):
        run(["ask", "hi", "--json", "--config", str(setting.path)])
        served.append(json.loads(capsys.readouterr().out))

    assert [each["profile"] for each in served] == ["first", "first", "second"]
    assert served[0]["text"] + "\n" == SAID
    assert served[0]["trail"] == [{"profile": "first", "outcome": "ok"}]
    assert served[0]["usage"]["output_tokens"] > 0


def test_a_model_may_be_named(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["ask", "hi", "-m", "second", "--config", str(setting.path)])

    assert code == 0
    assert "This is second" in capsys.readouterr().out


@pytest.mark.parametrize("stream", [[], ["--stream"]], ids=["whole", "streamed"])
def test_a_chain_that_is_down_is_told_in_a_sentence(
    setting: Setting, capsys: pytest.CaptureFixture[str], stream: list[str]
) -> None:
    for provider in (setting.first, setting.second):
        provider.script("overloaded", times=None)

    code = run(["ask", "hi", *stream, "--config", str(setting.path)])

    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert (
        "first (tried: overloaded, back in 30 s), second (tried: overloaded, back in 30 s)" in err
    )
    assert "; soonest is first in 30 s, at 20" in err


def test_an_empty_question_is_none(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["ask", "  ", "--config", str(setting.path)])

    assert code == 1
    assert "the prompt is empty" in capsys.readouterr().err

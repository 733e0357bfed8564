"""`spillover status --line`: one line for a prompt, and silence rather than noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.cli.line import run_line
from tests.cli.terminal import spillover
from tests.library.setting import ask, two_providers

if TYPE_CHECKING:
    from pathlib import Path


def test_the_command_prints_the_line_of_what_was_counted(tmp_path: Path) -> None:
    with two_providers(tmp_path, limit=5) as setting:
        ask(setting.path, times=2)

        shown = spillover("status", "--line", "--config", setting.path)

    assert (shown.returncode, shown.stdout, shown.stderr) == (
        0,
        "first 2/5 RPM ▸ next second\n",
        "",
    )


def test_without_any_configuration_there_is_nothing_to_say() -> None:
    shown = spillover("status", "--line")

    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")


def test_a_broken_configuration_is_no_noise_in_a_prompt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("chains: 5", "utf-8")

    code = run_line(["--line", f"--config={path}"])

    assert code == 1
    assert capsys.readouterr() == ("", "")


def test_the_reason_of_the_silence_is_told_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPILLOVER_DEBUG", "1")

    with pytest.raises(Exception, match="no readable file"):
        run_line(["--line", "-c", str(tmp_path / "none.yaml")])


@pytest.mark.parametrize("words", [["--lines"], ["--config"], ["x"]])
def test_wrong_use_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = run_line(["--line", *words])

    assert code == 2
    assert words[0] in capsys.readouterr().err


def test_a_template_is_filled(tmp_path: Path) -> None:
    with two_providers(tmp_path) as setting:
        shown = spillover(
            "status", "--line", "-c", setting.path, "-t", "[{serving}|{used}|{amount}|{next}]"
        )

    assert shown.stdout == "[first|0|2|second]\n"


def test_the_line_is_found_among_other_options_too(tmp_path: Path) -> None:
    with two_providers(tmp_path) as setting:
        shown = spillover("status", "--config", setting.path, "--line")

    assert shown.stdout == "first 0/2 RPM ▸ next second\n"

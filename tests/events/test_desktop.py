"""A notice on the desktop goes through the platform's own command, as a user's machine has it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from spillover.events.desktop import NoDesktop, command, show

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "default: groq → gemini; $(rm -rf /) 'quoted' \"twice\""


@pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd14"])
def test_the_text_is_an_argument_of_its_own(platform: str) -> None:
    words = command(platform, "Spillover", TEXT)

    assert words[-2:] == ["Spillover", TEXT]
    assert TEXT not in "".join(words[:-1])


def test_windows_reads_the_text_from_the_environment() -> None:
    words = command("win32", "Spillover", TEXT)

    assert TEXT not in "".join(words)
    assert "$env:SPILLOVER_TEXT" in words[-1]


def the_command(folder: Path, script: str) -> dict[str, str]:
    """Install a program where this platform's command is looked for."""
    name = command(sys.platform, "", "")[0]
    program = folder / name
    program.write_text(f"#!{sys.executable}\nimport os, sys\n{script}\n")
    program.chmod(0o755)
    return {"PATH": str(folder)}


def test_a_notice_reaches_the_desktops_program(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    script = f"open({str(shown)!r}, 'w').write(sys.argv[-2] + '|' + os.environ['SPILLOVER_TEXT'])"

    show("Spillover", TEXT, the_command(tmp_path, script))

    assert shown.read_text() == f"Spillover|{TEXT}"


def test_a_desktop_that_refuses_says_why(tmp_path: Path) -> None:
    refusing = the_command(tmp_path, "sys.exit('no session bus')")

    with pytest.raises(NoDesktop, match="no session bus"):
        show("Spillover", TEXT, refusing)


def test_a_desktop_that_refuses_in_silence_is_told_by_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(NoDesktop, match="exit code 3"):
        show("Spillover", TEXT, the_command(tmp_path, "sys.exit(3)"))


def test_a_machine_without_the_program_says_which(tmp_path: Path) -> None:
    with pytest.raises(NoDesktop, match="is not installed"):
        show("Spillover", TEXT, {"PATH": str(tmp_path)})


def test_a_program_that_can_not_be_run_is_told_of(tmp_path: Path) -> None:
    environ = the_command(tmp_path, "")
    (tmp_path / command(sys.platform, "", "")[0]).write_bytes(b"no program")

    with pytest.raises(NoDesktop, match="can't be run"):
        show("Spillover", TEXT, environ)

"""A command's output in files of bounded size, without secrets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spillover.upstream.output import KEPT, Output

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_are_kept_without_secrets_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    output = Output(str(path), lambda text: text.replace("hush", "…"))

    output.write("say hush")
    output.write("  ")
    output.close()

    assert path.read_text("utf-8") == "say …\n  \n"
    assert output.last == "say …"
    assert sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o600


def test_old_files_are_few_and_none_is_large(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "a.log"), str, largest=1_000)

    for number in range(500):
        output.write(f"line {number:04} of many")
    output.close()

    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["a.log", *(f"a.log.{n + 1}" for n in range(KEPT))]
    assert all(file.stat().st_size <= 1_000 for file in files)
    assert "line 0499" in files[0].read_text("utf-8")


def test_a_file_that_can_not_be_written_loses_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below_a_file = Output(str(tmp_path / "file" / "a.log"), str)
    a_folder = Output(str(tmp_path), str)

    for output in (below_a_file, a_folder):
        output.write("lost")
        output.close()

    assert (below_a_file.last, a_folder.last) == ("lost", "lost")

"""Two files swap their names, or stay as they are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spillover.config.swapping import swap

if TYPE_CHECKING:
    from pathlib import Path


def test_each_file_has_the_others_name_where_the_system_can(tmp_path: Path) -> None:
    one, other = tmp_path / "one é", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")

    done = swap(one, other)

    assert done == (sys.platform != "win32")
    assert (one.read_text(), other.read_text()) == (("2", "1") if done else ("1", "2"))


def test_what_is_not_there_is_not_swapped(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_text("1")

    assert not swap(one, tmp_path / "other")
    assert [each.name for each in tmp_path.iterdir()] == ["one"]

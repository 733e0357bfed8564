"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from spillover.config.files import LARGEST, Changed, alone, content_of, write_whole
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone_and_so_is_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"

    write_whole(path, b"text")

    assert path.read_bytes() == b"text"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)  # sparse: it takes no room

    with pytest.raises(OSError, match="File too large"):
        content_of(path)
    os.truncate(path, LARGEST)
    assert len(content_of(path) or b"") == LARGEST
    assert content_of(tmp_path / "none") is None


def test_a_file_that_is_there_keeps_its_mode_and_who_follows_a_link_finds_it(
    tmp_path: Path,
) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)

    write_whole(link, b"new", expected=b"old")

    assert link.is_symlink()
    assert (path.read_bytes(), mode(path)) == (b"new", 0o640)


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"edited")

    with pytest.raises(Changed):
        write_whole(path, b"new", expected=b"old")

    assert path.read_bytes() == b"edited"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o444)

    with pytest.raises(PermissionError, match="read-only"):
        write_whole(path, b"new")

    assert path.read_bytes() == b"old"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"new")

    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_what_is_not_there_has_no_content(tmp_path: Path) -> None:
    assert content_of(tmp_path / "nothing") is None


def test_only_one_is_within_at_a_time(tmp_path: Path) -> None:
    place, within, most = tmp_path / "lock", [], []

    def work() -> None:
        for _ in range(20):
            with alone(place):
                within.append(os.getpid())
                most.append(len(within))
                within.pop()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert set(most) == {1}


def test_no_save_of_an_editor_is_lost_to_an_edit_at_the_same_moment(tmp_path: Path) -> None:
    path, new = tmp_path / "file", tmp_path / "new"
    path.write_bytes(b"editor 0\n")
    edits, over = 0, threading.Event()

    def edit_again_and_again() -> None:
        nonlocal edits
        while not over.is_set():
            before = path.read_bytes()
            with contextlib.suppress(Changed):
                write_whole(path, before.split(b"\n")[0] + b"\n%d" % edits, expected=before)
                edits += 1

    thread = threading.Thread(target=edit_again_and_again)
    thread.start()
    try:
        for number in range(60):
            new.write_bytes(b"editor %d\n" % number)
            new.replace(path)
            known = edits
            wait_until(lambda known=known: edits > known + 1)  # type: ignore[misc]
            assert path.read_bytes().startswith(b"editor %d\n" % number)
    finally:
        over.set()
        thread.join()

    assert [each.name for each in tmp_path.iterdir()] == ["file"]

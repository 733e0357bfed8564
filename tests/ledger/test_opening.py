"""Opening the ledger, whatever is in its place."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from spillover.ledger.book import Book
from spillover.ledger.entries import Alive
from spillover.ledger.journal import NoJournal, StorageError
from spillover.ledger.opening import FILE_NAME, open_journal, postponed_journal
from spillover.ledger.sqlite import SCHEMA_VERSION
from tests.core.making import NOON
from tests.ledger.keeping import names

if TYPE_CHECKING:
    from pathlib import Path


def test_memory_alone_is_a_journal_that_keeps_nothing() -> None:
    opened = open_journal(None, stamp="now")

    assert isinstance(opened.journal, NoJournal)
    assert (opened.durable, opened.notice) == (False, None)


def test_file_and_folder_are_made_where_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "state" / "deep" / FILE_NAME

    opened = open_journal(path, stamp="now")

    assert (opened.durable, opened.notice, opened.moved_to) == (True, None, None)
    assert path.is_file()
    assert path.parent.stat().st_mode & 0o077 == 0


def test_ledger_that_was_kept_is_found_again(tmp_path: Path) -> None:
    path, book = tmp_path / FILE_NAME, Book()
    first = open_journal(path, stamp="now").journal
    first.begin(book)
    book.apply(Alive("p", NOON))
    first.commit(book, [Alive("p", NOON)])
    first.close()

    again, found = open_journal(path, stamp="now").journal, Book()
    again.refresh(found)

    assert found.alive == {"p": NOON}


@pytest.mark.parametrize(
    ("body", "why"), [(b"garbage" * 999, "not a database"), (None, "not a Spillover ledger")]
)
def test_file_that_is_no_ledger_is_moved_aside_and_a_new_one_begun(
    tmp_path: Path, body: bytes | None, why: str
) -> None:
    path = tmp_path / FILE_NAME
    if body is None:
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE other (x)")
        db.close()
        body = path.read_bytes()
    path.write_bytes(body)

    opened = open_journal(path, stamp="20261120T170003Z")

    moved_to = tmp_path / f"{FILE_NAME}.unusable-20261120T170003Z"
    assert opened.durable
    assert opened.moved_to == moved_to
    assert moved_to.read_bytes() == body
    assert opened.notice is not None
    assert opened.notice.startswith(f"{path} can't be used (")
    assert opened.notice.endswith(f"{why}); it was moved to {moved_to} and a new ledger begun")
    opened.journal.refresh(Book())


def test_file_of_a_newer_version_is_moved_aside_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    open_journal(path, stamp="then").journal.close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()

    opened = open_journal(path, stamp="now")

    assert opened.moved_to == tmp_path / f"{FILE_NAME}.unusable-now"
    assert opened.notice is not None
    assert "written by a newer version (schema 2, known 1)" in opened.notice
    opened.journal.refresh(Book())


def test_place_that_can_not_be_used_says_which_and_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageError, match=r"file.ledger\.db: Not a directory|File exists"):
        open_journal(tmp_path / "file" / FILE_NAME, stamp="now")
    with pytest.raises(StorageError, match="unable to open"):
        open_journal(tmp_path, stamp="now")


def test_lock_on_a_file_that_is_being_made_is_waited_for_in_vain_only_so_long(
    tmp_path: Path,
) -> None:
    path = tmp_path / FILE_NAME
    maker = sqlite3.connect(path, isolation_level=None)
    maker.execute("BEGIN EXCLUSIVE")
    maker.execute("CREATE TABLE half (made)")

    with pytest.raises(StorageError, match="another process holds its lock"):
        open_journal(path, stamp="now", within_s=0.05)

    maker.execute("ROLLBACK")
    maker.close()
    assert open_journal(path, stamp="now").durable


def test_place_that_can_be_used_later_is_used_from_then_on(tmp_path: Path) -> None:
    folder, book = tmp_path / "later", Book()
    folder.write_text("in the way")
    opened = postponed_journal(folder / FILE_NAME, problem="not a folder")
    with pytest.raises(StorageError):
        opened.journal.begin(book)
    book.apply(Alive("p", NOON))

    folder.unlink()
    opened.journal.begin(book)
    opened.journal.commit(book, [])

    assert not opened.durable
    assert opened.notice is not None
    assert "not a folder" in opened.notice
    assert list(names(folder, "*.db")) == [FILE_NAME]
    fresh = Book()
    open_journal(folder / FILE_NAME, stamp="now").journal.refresh(fresh)
    assert fresh.alive == {"p": NOON}

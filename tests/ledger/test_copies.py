"""A ledger is copied while it is used, and a copy takes its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from spillover.ledger.book import Book
from spillover.ledger.copies import check_ledger, copy_ledger, put_back, replace_ledger
from spillover.ledger.entries import Alive
from spillover.ledger.journal import Newer, StorageError, Unfit
from spillover.ledger.sqlite import SCHEMA_VERSION, SqliteJournal

if TYPE_CHECKING:
    from pathlib import Path


def record(journal: SqliteJournal, name: str) -> None:
    book, entry = Book(), Alive(name, 1.0)
    journal.begin(book, ahead=True)
    book.apply(entry)
    journal.commit(book, [entry])


def recorded(journal: SqliteJournal) -> set[str]:
    book = Book()
    journal.refresh(book, ahead=True)
    return set(book.alive)


def names(path: Path) -> set[str]:
    with closing(SqliteJournal(path)) as journal:
        return recorded(journal)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_a_copy_holds_what_was_committed_and_its_source_goes_on(path: Path) -> None:
    copy = path.with_name("copy")
    with closing(SqliteJournal(path)) as journal:
        record(journal, "a")
        journal.begin(Book())

        copy_ledger(path, copy)

        journal.commit(Book(), [Alive("b", 1.0)])

    assert names(copy) == {"a"}
    assert {each.name for each in copy.parent.iterdir()} == {"ledger.db", "copy"}


def test_a_file_that_is_no_sound_ledger_is_neither_copied_nor_changed(path: Path) -> None:
    path.write_bytes(b"no ledger" * 500)
    with pytest.raises(Unfit):
        copy_ledger(path, path.with_name("copy"))
    assert path.read_bytes() == b"no ledger" * 500

    path.write_bytes(b"")
    with pytest.raises(Unfit, match="nothing"):
        check_ledger(path)


def test_a_copy_of_a_newer_version_is_refused(path: Path) -> None:
    SqliteJournal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    with pytest.raises(Newer):
        check_ledger(path)


def test_a_ledger_in_use_is_replaced_and_read_anew(path: Path) -> None:
    new = path.with_name("new")
    with closing(SqliteJournal(new)) as other:
        record(other, "new")
    with closing(SqliteJournal(path)) as journal:
        record(journal, "old")

        kept = replace_ledger(path, new, "now")

        assert recorded(journal) == {"new"}
    assert kept is not None
    assert kept.name == "ledger.db.before-restore-now"
    assert names(kept) == {"old"}

    put_back(path, kept)
    assert names(path) == {"old"}


def test_where_nothing_was_nothing_is_kept_nor_put_back(path: Path) -> None:
    new = path.with_name("new")
    SqliteJournal(new).close()

    assert replace_ledger(path, new, "now") is None
    put_back(path, None)

    assert not path.exists()


def test_what_can_not_be_put_in_place_leaves_all_as_it_was(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        record(journal, "old")

    with pytest.raises(StorageError):
        replace_ledger(path, path.with_name("none"), "now")

    assert names(path) == {"old"}

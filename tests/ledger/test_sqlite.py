"""One SQLite file as a journal: shared exactly, bounded, and put aside when it is unfit."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from spillover.core.values import Usage
from spillover.ledger.book import Book
from spillover.ledger.entries import Alive, Keyed
from spillover.ledger.journal import Busy, Newer, StorageError, Unfit
from spillover.ledger.parts import dump
from spillover.ledger.sqlite import LOG_BYTES, SCHEMA_VERSION, SqliteJournal, move_aside
from tests.core.making import NOON, profile
from tests.ledger.keeping import NEED, candidate, names, settled

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.ledger.entries import Entry

ANY = profile("a")
BIG = [Keyed("a", "x" * 4_000)]


class Process:
    """A book with its journal, as each process that shares the file has one."""

    def __init__(self, path: Path, *, compact_after: int = 1_024) -> None:
        self.journal = SqliteJournal(path, compact_after=compact_after)
        self.book = Book()

    def step(self, *entries: Entry) -> bool:
        anew = self.journal.begin(self.book)
        for entry in entries:
            self.book.apply(entry)
        self.journal.commit(self.book, list(entries))
        return anew

    def call(self, name: str) -> None:
        """Reserve and settle, in two steps."""
        self.journal.begin(self.book)
        _, entries = self.book.reserve(name, [candidate(ANY)], process="p", now=NOON)
        self.journal.commit(self.book, entries)
        self.step(settled(name, ANY))

    def record(self) -> dict[str, str]:
        """A short print of each part of the whole record."""
        written = dump(self.book, self.book.counters.tallies)
        return {name: sha256(body).hexdigest()[:12] for name, body in written}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


# Sharing.


def test_what_one_process_records_the_others_see_at_their_next_step(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.call("r")

    other.step()

    assert other.record() == one.record()


def test_what_one_process_records_the_others_see_when_they_look(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.step(Alive("p", NOON))
    other.journal.refresh(other.book)
    one.step(Alive("q", NOON))

    anew = other.journal.refresh(other.book)

    assert not anew
    assert other.book.alive == {"p": NOON, "q": NOON}


def test_step_of_another_process_is_not_waited_for(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.journal.begin(one.book)

    with pytest.raises(Busy):
        other.journal.begin(other.book)

    one.journal.commit(one.book, [])
    other.step()


def test_looking_goes_on_during_a_step_of_another_process(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.step(Alive("p", NOON))
    one.journal.begin(one.book)

    other.journal.refresh(other.book)

    assert other.book.alive == {"p": NOON}


def test_record_outlives_its_process(path: Path) -> None:
    one = Process(path)
    one.call("r")
    one.journal.close()

    again = Process(path)
    again.journal.refresh(again.book)

    assert again.record() == one.record()


def test_step_that_was_not_committed_never_was(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.step(Alive("p", NOON))
    one.journal.begin(one.book)

    one.journal.close()  # as a killed process does

    other.step()
    assert other.book.alive == {"p": NOON}


@pytest.mark.parametrize("compact_after", [1, 2, 7])
def test_record_written_whole_is_the_record(path: Path, compact_after: int) -> None:
    one = Process(path, compact_after=compact_after)
    late = Process(path)
    for place in range(10):
        one.call(f"r{place}")

    anew = late.step()

    fresh = Process(path)
    fresh.step()
    assert anew
    assert one.record() == late.record() == fresh.record()


def test_processes_take_turns_in_writing_the_record_whole(path: Path) -> None:
    processes = [Process(path, compact_after=3) for _ in range(3)]
    for place in range(30):
        processes[place % 3].call(f"r{place}")

    for process in processes:
        process.step()

    records = [process.record() for process in processes]
    assert records[0] == records[1] == records[2]
    assert processes[0].book.used("a", "day", NOON)[0] == 30


def test_record_is_not_written_whole_again_for_what_a_failed_step_changed(path: Path) -> None:
    one = Process(path, compact_after=4)
    one.step(Alive("p", NOON))
    one.call("r")
    one.journal.begin(one.book)
    _, entries = one.book.reserve("lost", [candidate(ANY)], process="p", now=NOON)
    holder = sqlite3.connect(path)
    one.journal._db.execute("PRAGMA query_only = 1")  # type: ignore[union-attr]

    with pytest.raises(StorageError):
        one.journal.commit(one.book, entries)

    holder.close()
    assert one.step(*entries) is True  # read anew, without what was not recorded
    assert record_of(path) == one.record()


def record_of(path: Path) -> dict[str, str]:
    fresh = Process(path)
    fresh.step()
    return fresh.record()


# Bounds.


def test_file_stays_bounded_by_what_is_counted(path: Path) -> None:
    one = Process(path, compact_after=64)
    sizes = []
    for round_ in range(4):
        for place in range(150):
            one.call(f"{round_}-{place}")
        one.journal.tidy()
        sizes.append(path.stat().st_size)

    assert sizes[-1] <= sizes[0] * 1.5
    assert len(list(path.parent.iterdir())) == 3  # the file, its log and the log's index


def test_log_that_has_swollen_is_emptied(path: Path) -> None:
    one = Process(path)
    while not one.journal.swollen():
        one.step(*BIG)
    log = path.with_name("ledger.db-wal")
    before = log.stat().st_size

    one.journal.tidy()

    assert before > LOG_BYTES
    assert log.stat().st_size == 0
    assert not one.journal.swollen()
    assert record_of(path) == one.record()


def test_log_is_copied_into_the_file_and_nothing_done_when_nothing_was_written(path: Path) -> None:
    one = Process(path)
    one.step(*BIG)
    before = path.stat().st_size

    one.journal.tidy()

    tidied = path.stat()
    one.journal.tidy()
    assert tidied.st_size > before
    assert path.stat().st_mtime_ns == tidied.st_mtime_ns


def test_upkeep_does_not_disturb_a_step_under_way(path: Path) -> None:
    one = Process(path)
    while not one.journal.swollen():
        one.step(*BIG)
    one.journal.begin(one.book)

    one.journal.tidy()

    one.book.apply(Alive("p", NOON))
    one.journal.commit(one.book, [Alive("p", NOON)])
    assert record_of(path) == one.record()


# Files that can't be used.


def spoiled(path: Path, how: str) -> None:
    """Make an unfit file."""
    if how == "garbage":
        path.write_bytes(b"not a database at all" * 500)
        return
    if how == "foreign":
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE other (x)")
        db.close()
        return
    one = Process(path, compact_after=4)
    for place in range(40):
        one.call(f"r{place}")
    one.journal.close()
    db = sqlite3.connect(path)
    if how == "unreadable":
        db.execute("UPDATE parts SET body = x'c1'")
        db.commit()
    db.close()
    if how == "torn":
        whole = path.read_bytes()
        path.write_bytes(whole[:4_096] + b"\\0" * (len(whole) - 4_096))


@pytest.mark.parametrize("how", ["garbage", "foreign", "torn", "unreadable"])
def test_file_that_can_not_be_used_is_unfit(path: Path, how: str) -> None:
    spoiled(path, how)
    before = path.read_bytes()

    with pytest.raises(Unfit):
        Process(path).step()

    assert how == "unreadable" or path.read_bytes() == before


DAMAGES = {
    "a row that is no entry": "INSERT INTO journal VALUES (999, x'c1')",
    "a name that is no text": "INSERT INTO journal VALUES (999, x'9193a161a2fffecb3ff0000000000000')",
    "a row that is no blob": "INSERT INTO journal VALUES (999, 'text')",
    "a window of no length": "INSERT INTO journal VALUES (999, x'9196a174a9"
    "70726f66696c653a6182a474797065a7726f6c6c696e67a77365636f6e6473cb0000000000000000"
    "a8726571756573747305cb3ff0000000000000')",
    "no floor": "DELETE FROM meta",
    "no entries": "DROP TABLE journal",
    "no record": "UPDATE meta SET floor = 999; DROP TABLE parts",
    "a record that is none": "UPDATE meta SET floor = 999; UPDATE parts SET body = x'a2fffe'",
}


def test_file_that_a_newer_version_took_over_is_not_written(path: Path) -> None:
    one = Process(path)
    one.call("r")
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("ALTER TABLE meta RENAME TO about")
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

        for _ in range(2):  # at once, and when the file is opened again
            with pytest.raises(Newer, match=r"newer version \(schema 2, known 1\)"):
                one.step(Alive("p", NOON))

        assert newer.execute("SELECT max(seq) FROM journal").fetchone() == (2,)
    assert one.book.used("a", "day", NOON)[:2] == (1, 100)


def step_again(process: Process) -> None:
    """Do a step; storage that fails is opened again at the next one, and found out there."""
    try:
        process.step()
    except Unfit:
        raise
    except StorageError:
        process.step()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_of_any_kind_costs_nothing_that_a_living_process_knows(
    path: Path, damage: str
) -> None:
    one = Process(path)
    one.call("r")
    db = sqlite3.connect(path)
    db.executescript(damage)
    db.close()

    with pytest.raises(Unfit):
        step_again(one)
    one.journal.set_aside("now")
    one.step()

    assert one.book.used("a", "day", NOON)[:2] == (1, 100)
    assert record_of(path) == one.record()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_of_any_kind_is_found_at_the_start(path: Path, damage: str) -> None:
    Process(path).call("r")
    db = sqlite3.connect(path)
    db.executescript(damage)
    db.close()

    with pytest.raises(Unfit):
        Process(path).step()


def test_what_can_not_be_written_is_storage_that_fails_and_holds_nobody_up(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.call("r")

    with pytest.raises(StorageError) as failed:
        one.step(settled("s", ANY, usage=Usage(requests=1, input_tokens=10**30)))

    assert not isinstance(failed.value, Unfit)
    other.call("t")
    assert other.book.used("a", "day", NOON)[:2] == (2, 200)


def test_unfit_file_is_put_aside_and_the_book_in_memory_is_written_whole(path: Path) -> None:
    one = Process(path)
    one.call("r")
    tear(path)
    with pytest.raises(Unfit):
        one.step()

    notice = one.journal.set_aside("now")
    one.step()

    assert "ledger.db.unusable-now" in notice
    assert names(path.parent, "*unusable-now") == ["ledger.db.unusable-now"]
    assert record_of(path) == one.record()
    assert one.book.used("a", "day", NOON)[:2] == (1, 100)


def tear(path: Path) -> None:
    """Damage a file under the feet of those who have it open."""
    db = sqlite3.connect(path)
    db.execute("INSERT INTO journal VALUES (999, x'c1')")
    db.commit()
    db.close()


def test_second_process_finds_the_new_file_instead_of_putting_it_aside(path: Path) -> None:
    one, other = Process(path), Process(path)
    one.call("r")
    other.step()
    tear(path)
    for process in (one, other):
        with pytest.raises(Unfit):
            process.step()
    one.journal.set_aside("now")
    one.step()

    notice = other.journal.set_aside("now")

    assert "was replaced" in notice
    assert other.step() is True
    assert other.record() == one.record()
    assert len(list(names(path.parent, "*unusable-now"))) == 1


def test_file_that_was_replaced_is_read_anew_when_it_is_looked_at(
    path: Path, tmp_path: Path
) -> None:
    one, backup = Process(path), Process(tmp_path / "backup.db")
    one.step(Alive("p", NOON))
    backup.step(Alive("q", NOON))
    backup.journal.close()
    (tmp_path / "backup.db").replace(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()

    anew = one.journal.refresh(one.book)

    assert anew
    assert one.book.alive == {"q": NOON}


def test_file_that_was_deleted_is_made_again_from_the_book(path: Path) -> None:
    one = Process(path)
    one.call("r")
    for name in names(path.parent, "ledger.db*"):
        (path.parent / name).unlink()

    one.journal.refresh(one.book)
    one.step()

    assert record_of(path) == one.record()
    assert one.book.used("a", "day", NOON)[0] == 1


def test_files_put_aside_in_the_same_moment_do_not_overwrite_each_other(path: Path) -> None:
    for body in (b"one", b"two", b"three"):
        path.write_bytes(body)
        move_aside(path, "now", None)

    found = {name: (path.parent / name).read_bytes() for name in names(path.parent, "*")}
    assert found == {
        "ledger.db.unusable-now": b"one",
        "ledger.db.unusable-now-2": b"two",
        "ledger.db.unusable-now-3": b"three",
    }


def test_file_that_can_not_be_moved_is_storage_that_fails(path: Path, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 240)
    long.write_bytes(b"")

    with pytest.raises(StorageError, match="name too long"):
        move_aside(long, "2026-11-20T17:00:03Z", None)


# Opening.


def test_postponed_file_is_opened_at_the_first_step(path: Path) -> None:
    journal, book = SqliteJournal(path, postponed=True), Book()
    there = path.exists()

    journal.begin(book)
    book.apply(Alive("p", NOON))
    journal.commit(book, [Alive("p", NOON)])

    assert not there
    again = Process(path)
    again.journal.refresh(again.book)
    assert again.book.alive == {"p": NOON}


def test_place_that_is_no_file_is_storage_that_fails(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        SqliteJournal(tmp_path)


def test_closed_journal_stays_closed(path: Path) -> None:
    one = Process(path)
    one.journal.close()
    one.journal.close()

    with pytest.raises(StorageError, match="closed"):
        one.step()


def test_two_processes_may_make_the_file_at_once(path: Path) -> None:
    one, other = Process(path), Process(path)

    one.step(Alive("p", NOON))
    other.step(Alive("q", NOON))

    assert record_of(path) == other.record()
    assert other.book.alive == {"p": NOON, "q": NOON}


def test_what_is_counted_is_what_was_needed(path: Path) -> None:
    one = Process(path)
    one.call("r")

    assert one.book.used("a", "day", NOON) == NEED.amounts

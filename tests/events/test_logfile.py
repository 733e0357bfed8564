"""A log of bounded size is read in order, whatever is renamed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.events.logfile import LogFile, LogReader

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "logs" / "log", largest=100, kept=2)


def fill(file: LogFile, numbers: range) -> None:
    for number in numbers:
        file.append(b"line %03d of twenty-six bytes\n" % number)


def numbers(reader: LogReader) -> list[int]:
    return [int(line.split()[1]) for line in reader.lines()]


def test_a_full_file_makes_room_for_a_new_one_and_the_oldest_goes(file: LogFile) -> None:
    fill(file, range(30))

    sizes = [path.stat().st_size for path in file.files]
    assert len(list(file.path.parent.iterdir())) == 3
    assert all(size <= 100 for size in sizes)
    assert numbers(LogReader(file)) == list(range(21, 30))


def test_its_owner_alone_can_read_it(file: LogFile) -> None:
    fill(file, range(5))

    assert {path.stat().st_mode & 0o777 for path in file.path.parent.iterdir()} == {0o600}
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_reader_goes_on_where_it_was_across_new_files(file: LogFile) -> None:
    reader = LogReader(file)
    assert numbers(reader) == []

    fill(file, range(2))
    first = numbers(reader)
    fill(file, range(2, 7))
    then = numbers(reader)

    assert (first, then, numbers(reader)) == ([0, 1], [2, 3, 4, 5, 6], [])


def test_a_line_that_is_being_written_is_read_when_it_is_whole(file: LogFile) -> None:
    reader = LogReader(file)
    file.append(b"line 1 whole\nline 2 ha")
    before = numbers(reader)
    file.append(b"lf\n")

    assert (before, numbers(reader)) == ([1], [2])


def test_what_two_processes_write_stays_whole(file: LogFile, tmp_path: Path) -> None:
    other = LogFile(tmp_path / "logs" / "log", largest=100, kept=2)
    for number in range(6):
        fill((file, other)[number % 2], range(number, number + 1))

    assert numbers(LogReader(file)) == list(range(6))


def test_an_emptied_log_goes_on_and_is_followed(file: LogFile) -> None:
    reader = LogReader(file)
    fill(file, range(5))
    assert numbers(reader) == list(range(5))

    freed = file.clear()
    fill(file, range(7, 8))

    assert freed > 100
    assert numbers(reader) == [7]
    assert LogFile(file.path.with_name("none")).clear() == 0


def test_a_file_that_cannot_make_room_grows_no_more(file: LogFile) -> None:
    fill(file, range(3))
    for old in file.files[1:]:
        old.mkdir()
        (old / "something").touch()

    with pytest.raises(OSError, match="log"):
        fill(file, range(3, 4))


@pytest.mark.parametrize(("count", "first"), [(1, 29), (3, 27), (4, 26), (8, 22), (100, 21)])
def test_the_last_lines_are_found_from_the_end_across_files(
    file: LogFile, count: int, first: int
) -> None:
    fill(file, range(30))
    reader = LogReader(file)

    reader.begin_at_last(count)

    assert numbers(reader) == list(range(first, 30))
    fill(file, range(30, 32))
    assert numbers(reader) == [30, 31]


def test_the_last_lines_of_nothing_are_none(file: LogFile) -> None:
    reader = LogReader(file)
    reader.begin_at_last(5)
    file.append(b"")
    reader.begin_at_last(5)

    fill(file, range(2))

    assert numbers(reader) == [0, 1]


def test_lines_that_hold_no_such_text_are_left_out(file: LogFile) -> None:
    fill(file, range(21, 30))
    every = LogReader(file)

    assert [line.split()[1] for line in every.lines((b"022", b"9 of", b"of 2"))] == [b"022", b"029"]
    assert list(every.lines()) == []


def test_a_text_is_found_in_the_largest_of_files_at_every_place(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log")
    wanted = range(0, 40_000, 777)
    lines = (
        b"%05d %s %s" % (each, b"x" * (each % 50), b"here here" if each in wanted else b"")
        for each in range(40_000)
    )
    file.append(b"\n".join(lines) + b"\nand here: torn")

    assert [int(line[:5]) for line in LogReader(file).lines((b"here",))] == list(wanted)
    every = [int(line[:5]) for line in LogReader(file).lines()]
    assert every == list(range(40_000))
    reader = LogReader(file)
    reader.begin_at_last(30_001)
    assert int(next(reader.lines())[:5]) == 9_999

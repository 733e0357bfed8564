"""Keep lines in a file of bounded size, with some old ones beside it, and read them in order.

Several processes may write: whoever finds the file full begins a new one. When two do so at once,
one of the old files is short, and no line is lost before its time.
Refuses to know what the lines say.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST: Final = 10_000_000
"""Bytes of a file, before a new one is begun."""
KEPT: Final = 5
"""Old files, named `.1` (the latest) to `.5`."""
_LONGEST_LINE: Final = 1 << 20
_PART: Final = 1 << 18
"""Bytes that are read, and looked through, at a time."""


class LogFile:
    """A file of lines, and the old ones beside it."""

    def __init__(self, path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        """Take lines for `path`; nothing is made before the first."""
        self.path = path
        self._largest = largest
        self._kept = kept

    def append(self, lines: bytes) -> None:
        """Add whole lines; only their owner can read them. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._is_full(len(lines)):
            self._begin_anew()
        # Opened for each batch: whichever file has the name by now is the one, and Windows can
        # rename a file that nobody holds.
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(handle, rest) :]
        finally:
            os.close(handle)

    def _is_full(self, more: int) -> bool:
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return False
        return size > 0 and size + more > self._largest

    def _begin_anew(self) -> None:
        """Rename the files; one that can't be (a reader of Windows holds it) waits for its turn."""
        names = [self.path, *map(self._old, range(1, self._kept + 1))]
        with contextlib.suppress(PermissionError):
            for older, newer in zip(names[::-1], names[-2::-1], strict=False):
                with contextlib.suppress(FileNotFoundError):
                    newer.replace(older)

    def _old(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    @property
    def files(self) -> list[Path]:
        """The files that there may be, the newest first."""
        return [self.path, *map(self._old, range(1, self._kept + 1))]

    def clear(self) -> int:
        """Delete all lines; return how many bytes they took. Raises OSError.

        The file itself is emptied, not deleted: whoever has it open goes on in it.
        """
        freed = 0
        for path in self.files:
            with contextlib.suppress(FileNotFoundError):
                freed += path.stat().st_size
                if path == self.path:
                    os.truncate(path, 0)
                else:
                    path.unlink()
        return freed


class LogReader:
    """Reads a file's lines in order, from the oldest, and later what came since."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        """The file that was read last; its name may have changed since."""
        self._offset = 0

    def begin_at_last(self, count: int) -> None:
        """Leave out all but the last lines; nothing must have been read before."""
        with contextlib.ExitStack() as stack:
            for known, opened in reversed(self._opened(stack)):
                self._seen = known
                self._offset, found = _before_last(opened, count)
                count -= found
                if count <= 0:
                    return

    def lines(self, holding: tuple[bytes, ...] = ()) -> Iterator[bytes]:
        """Yield the whole lines that were not read yet, without their ends.

        `holding` leaves out those that hold none of these texts, much faster than they can be looked
        at one by one.
        """
        with contextlib.ExitStack() as stack:
            found = self._opened(stack)
            place = next((i for i, (known, _) in enumerate(found) if known == self._seen), None)
            if place is not None:
                found = found[place:]
            for number, (known, opened) in enumerate(found):
                if number or place is None:
                    self._offset = 0
                self._seen = known
                yield from self._rest(opened, holding)

    def _opened(self, stack: contextlib.ExitStack) -> list[tuple[tuple[int, int], IO[bytes]]]:
        """Open the files; return them, the oldest first, with what tells each from the others.

        They are opened from the newest on: one that is renamed meanwhile is met twice, never missed.
        """
        found: dict[tuple[int, int], IO[bytes]] = {}
        for path in self._file.files:
            try:
                opened = stack.enter_context(path.open("rb"))
            except FileNotFoundError:
                continue
            known = os.fstat(opened.fileno())
            found.setdefault((known.st_dev, known.st_ino), opened)
        return list(found.items())[::-1]

    def _rest(self, opened: IO[bytes], holding: tuple[bytes, ...]) -> Iterator[bytes]:
        if os.fstat(opened.fileno()).st_size < self._offset:  # it was emptied
            self._offset = 0
        opened.seek(self._offset)
        while part := opened.read(_PART):
            if not part.endswith(b"\n"):
                part += opened.readline(_LONGEST_LINE)
            whole = len(part) if len(part) >= _LONGEST_LINE else part.rfind(b"\n") + 1
            # Told line by line: whoever stops within a part reads its lines again, and misses none.
            yield from _held(part[:whole], holding)
            self._offset += whole
            if whole < len(part):
                return  # the rest of it is still being written


def _held(part: bytes, holding: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield the lines of a part, or those that hold one of these texts."""
    if not holding:
        yield from (line.rstrip(b"\r") for line in part.removesuffix(b"\n").split(b"\n"))
        return
    places = sorted({begin for text in holding for begin in _beginnings(part, text)})
    for begin in places:
        end = part.find(b"\n", begin)
        yield part[begin : len(part) if end < 0 else end].rstrip(b"\r")


def _beginnings(part: bytes, text: bytes) -> Iterator[int]:
    """Yield where each line begins that holds a text."""
    at = part.find(text)
    while at >= 0:
        yield part.rfind(b"\n", 0, at) + 1
        end = part.find(b"\n", at)
        at = part.find(text, end) if end >= 0 else -1


def _before_last(opened: IO[bytes], count: int) -> tuple[int, int]:
    """Return where the last lines of a file begin, and how many they are; it may have fewer."""
    begin = opened.seek(0, os.SEEK_END)
    found = -1  # the last line's own end ends no other
    while begin:
        size = min(_PART, begin)
        begin -= size
        opened.seek(begin)
        part = opened.read(size)
        ends = part.count(b"\n")
        if found + ends >= count:
            at = len(part)
            for _ in range(count - found):
                at = part.rfind(b"\n", 0, at)
            return begin + at + 1, count
        found += ends
    return 0, found + 1

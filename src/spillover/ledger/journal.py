"""What a ledger needs of a place that keeps its entries.

A step is `begin`, then `commit` or `abandon`; between the two nobody else can change the record.
Refuses to know what entries mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spillover.ledger.book import Book
    from spillover.ledger.entries import Entry


class Busy(Exception):  # noqa: N818 - not an error: a lock another process holds for a moment
    """Another process is in the middle of a step; try again at once."""


class StorageError(Exception):
    """The place can't be read or written: full, read-only, damaged, gone."""


class Journal(Protocol):
    """A place that keeps entries, for one process or for all of a machine."""

    def begin(self, book: Book) -> bool:
        """Begin a step and fold into `book` what others recorded since the last one.

        Return whether the book was read anew, without entries that were folded but not recorded.
        Raises `Busy` or `StorageError`; then no step is open.
        """

    def commit(self, book: Book, entries: list[Entry]) -> None:
        """Record `entries`, which `book` has folded already, and end the step.

        Raises `StorageError`; then nothing was recorded and no step is open.
        """

    def abandon(self) -> None:
        """End the step without recording anything."""

    def refresh(self, book: Book) -> bool:
        """Fold what others recorded, outside of any step; return as `begin` does.

        Raises `Busy` or `StorageError`.
        """

    def renew(self, process: str, now: float) -> list[str]:
        """Renew a process's lease, inside a step; return the processes whose leases ran out."""

    def salt(self) -> bytes:
        """Return the record's own random bytes, for fingerprints."""

    def tidy(self) -> None:
        """Do slow upkeep; called beside the event loop, from another thread."""

    def close(self) -> None:
        """Let go of the place; closing twice is harmless."""


class NoJournal:
    """A journal that keeps nothing: the record lives and dies with its process."""

    def __init__(self, salt: bytes) -> None:
        """Begin with `salt` as the record's random bytes."""
        self._salt = salt

    def begin(self, book: Book) -> bool:  # noqa: ARG002 - the protocol's shape
        """Return False: nobody else has this record."""
        return False

    def commit(self, book: Book, entries: list[Entry]) -> None:
        """Do nothing: the book has folded the entries."""

    def abandon(self) -> None:
        """Do nothing."""

    def refresh(self, book: Book) -> bool:  # noqa: ARG002 - the protocol's shape
        """Return False: nobody else records here."""
        return False

    def renew(self, process: str, now: float) -> list[str]:  # noqa: ARG002 - the protocol's shape
        """Return nobody: there are no other processes."""
        return []

    def salt(self) -> bytes:
        """Return the record's own random bytes."""
        return self._salt

    def tidy(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

"""What a ledger needs of a place that keeps its entries.

A step is `begin`, then `commit`; between the two nobody else can change the record.
Refuses to know what entries mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from spillover.ledger.book import Book
    from spillover.ledger.entries import Entry


class Busy(Exception):
    """Another process is in the middle of a step; try again at once."""


class StorageError(Exception):
    """The place can't be read or written: full, read-only, damaged, gone."""


class Unfit(StorageError):
    """What is kept there is damaged or someone else's: it must be moved aside."""


class Newer(StorageError):
    """A newer version keeps its record there: it is sound, but this version must not touch it."""


class Journal(Protocol):
    """A place that keeps entries, for one process or for all of a machine."""

    def begin(self, book: Book, *, ahead: bool = False) -> bool:
        """Begin a step and fold into `book` what others recorded since the last one.

        Return whether the book was read anew, without entries that were folded but not recorded.
        `ahead` says that it has folded such: it is read anew whenever others recorded anything, for
        entries count in the order in which they are recorded.
        A place that holds nothing yet leaves the book as it is, and keeps all of it from then on.
        Raises `Busy`, `Unfit` or `StorageError`; then no step is open.
        """

    def commit(self, book: Book, entries: list[Entry]) -> None:
        """Record `entries`, which `book` has folded already, and end the step.

        Raises `Unfit` or `StorageError`; then nothing was recorded and no step is open.
        """

    def refresh(self, book: Book, *, ahead: bool = False) -> bool:
        """Fold what others recorded without a step, as `begin` does; within one do nothing.

        Raises `Busy`, `Unfit` or `StorageError`.
        """

    def set_aside(self, stamp: str) -> str:
        """Move what is unfit out of the way, named by `stamp`, and begin a place that holds nothing.

        Return what was done, for a person to know. Raises `Busy`, `Unfit` or `StorageError`.
        """

    def swollen(self) -> bool:
        """Return whether `tidy` should not wait for its usual time."""

    def tidy(self) -> None:
        """Do slow upkeep; called beside the event loop, from another thread."""

    def close(self) -> None:
        """Let go of the place for good; closing twice is harmless."""


class NoJournal:
    """A journal that keeps nothing: the record lives and dies with its process."""

    def begin(self, book: Book, *, ahead: bool = False) -> bool:  # noqa: ARG002 - the protocol's shape
        """Return False: nobody else has this record."""
        return False

    def commit(self, book: Book, entries: list[Entry]) -> None:
        """Do nothing: the book has folded the entries."""

    def refresh(self, book: Book, *, ahead: bool = False) -> bool:  # noqa: ARG002 - the protocol's shape
        """Return False: nobody else records here."""
        return False

    def set_aside(self, stamp: str) -> str:  # noqa: ARG002 - the protocol's shape
        """Return nothing: there is nothing to move."""
        return ""

    def swollen(self) -> bool:
        """Return False: there is nothing to tidy."""
        return False

    def tidy(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

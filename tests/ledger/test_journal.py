"""A journal that keeps nothing."""

from __future__ import annotations

from spillover.ledger.book import Book
from spillover.ledger.entries import Alive
from spillover.ledger.journal import NoJournal
from tests.core.making import NOON


def test_record_without_a_journal_is_its_processs_own() -> None:
    journal, book = NoJournal(), Book()
    book.apply(Alive("p", NOON))

    anew = [journal.begin(book), journal.refresh(book)]
    journal.commit(book, [Alive("p", NOON)])

    assert anew == [False, False]
    assert book.alive == {"p": NOON}


def test_nothing_that_is_kept_needs_no_upkeep() -> None:
    journal = NoJournal()

    journal.tidy()
    journal.close()
    journal.close()

    assert journal.set_aside("now") == ""
    assert not journal.swollen()

"""The ladder as a request would find it, and how those who are left out are told."""

from __future__ import annotations

from spillover.core.ladder import Ask, Skipped
from spillover.core.values import Demand, SkipReason
from spillover.engine.prospects import prospect, skipped_document
from spillover.ledger.book import Book
from tests.core.making import NOON, by_name, chain, limit, profile


def test_profile_that_the_ledger_would_deny_is_left_out_for_its_limit() -> None:
    profiles = by_name(profile("a", limits=(limit(0),)), profile("b"))
    ask = Ask(chain=chain("a", "b"), demand=Demand(chars=400))

    found = prospect(ask, profiles, Book(), NOON)

    assert [each.profile.name for each in found.candidates] == ["b"]
    assert [(each.profile, each.reason) for each in found.skipped] == [("a", SkipReason.LIMIT)]


def test_profile_that_is_left_out_is_told_with_when_it_is_back() -> None:
    skipped = Skipped(profile="a", reason=SkipReason.HOURS, detail="18:00", available_at=NOON)

    told = skipped_document(skipped)

    assert told == {
        "profile": "a",
        "reason": "hours",
        "detail": "18:00",
        "available_at": "2025-11-20T12:00:00.000Z",
        "never": False,
    }

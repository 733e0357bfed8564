"""Spans, amounts and limits in the few characters that a terminal has for them."""

from __future__ import annotations

import pytest

from spillover.cli.wording import amount, back_in, trust, words
from tests.cli.documents import NOW, at


def test_the_time_to_wait_is_counted_from_now() -> None:
    assert back_in(at(42), NOW) == "back in 42 s"
    assert back_in(at(-1), NOW) == "back now"
    assert back_in(None, NOW) == ""


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [
        (0, "requests", "0"),
        (9_999, "tokens", "9,999"),
        (10_000, "tokens", "10K"),
        (20_148, "tokens", "20.1K"),
        (1_250_000, "tokens", "1.2M"),
        (3_000_000_000, "tokens", "3B"),
        (2.5, "neurons", "2.5"),
        (0, "cost", "$0.00"),
        (12.5, "cost", "$12.50"),
        (0.0004, "cost", "$0.0004"),
        (0.00001, "cost", "<$0.0001"),
    ],
)
def test_an_amount_is_short_and_says_its_unit(value: float, metric: str, shown: str) -> None:
    assert amount(value, metric) == shown


@pytest.mark.parametrize(
    ("confidence", "source", "until", "probe_at", "said"),
    [
        ("guessed", "default", at(60), at(60), ["a guess"]),
        ("stated", "header", at(60), None, ["says its header"]),
        ("stated", "header", at(86_400), at(900), ["says its header", "tested in 15 min"]),
        ("stated", "body", at(86_400), at(-1), ["says its answer", "tested by the next request"]),
        ("known", "catalogue", at(3_600), None, ["by the catalogue"]),
        ("stated", "config", at(10), None, ["by the configuration"]),
        ("known", "ledger", at(10), None, []),
        ("guessed", "default", None, at(3_600), ["a guess", "tested in 1 h"]),
        (None, None, None, None, []),
    ],
)
def test_evidence_says_who_is_believed_and_when_it_is_tested(
    confidence: str | None,
    source: str | None,
    until: str | None,
    probe_at: str | None,
    said: list[str],
) -> None:
    entry = {"confidence": confidence, "source": source, "until": until, "probe_at": probe_at}

    assert trust(entry, NOW) == said


def test_names_of_the_record_become_words() -> None:
    assert words("rate_limited") == "rate limited"
    assert words(None) == ""

"""Spans, amounts and limits in the few characters that a terminal has for them."""

from __future__ import annotations

import pytest

from spillover.cli.wording import amount, back_in, limit_initials, limit_name, span, trust, words
from tests.cli.documents import NOW, at, limit


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0 s"),
        (0.2, "1 s"),
        (59, "59 s"),
        (59.2, "1 min"),
        (750, "12 min 30 s"),
        (3_600, "1 h"),
        (3_661, "1 h 2 min"),
        (7_199, "2 h"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_span_is_rounded_up_to_its_two_largest_units(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


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
    ("metric", "per", "name", "initials"),
    [
        ("requests", "minute", "requests/minute", "RPM"),
        ("tokens", "day", "tokens/day", "TPD"),
        ("input_tokens", "minute", "input tokens/minute", "ITPM"),
        ("requests", "5h", "requests/5h", "requests/5h"),
        ("cost", "month", "cost/month", "cost/month"),
        ("concurrency", None, "at once", "at once"),
    ],
)
def test_a_limit_is_named_as_its_users_name_it(
    metric: str, per: str | None, name: str, initials: str
) -> None:
    entry = limit(metric, per, used=0, of=1)

    assert limit_name(entry) == name
    assert limit_initials(entry) == initials


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

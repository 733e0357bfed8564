"""Drawing the error guide, its entries, and verdicts."""

from __future__ import annotations

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.catalogue.conduct import NOON, conduct, somebody
from spillover.catalogue.guide import load
from spillover.cli.guidance import overview, portrait, verdict
from spillover.core.values import (
    CalendarUnit,
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Source,
)

GUIDE = load()
WAITS = load_catalogue().providers["groq"].guessed_waits


def explained(failure: Failure, *, width: int | None = None) -> str:
    what = conduct(failure, somebody(load_catalogue()), now=NOON)
    lines = verdict(failure, what, GUIDE.find(failure.failure), provider="acme", width=width)
    return "\n".join(line.plain for line in lines)


def test_a_narrow_list_says_codes_and_titles_alone() -> None:
    narrow = [line.plain for line in overview(GUIDE, width=60)]
    wide = [line.plain for line in overview(GUIDE, width=None)]

    assert max(map(len, narrow)) <= 60
    assert not any("WHAT HELPS" in line for line in narrow)
    assert any(line.endswith("Wait; look at the status page.") for line in wide)


def test_an_entry_is_wrapped_beside_its_labels() -> None:
    entry = GUIDE.find("groq-rate-limit")
    assert entry is not None

    lines = [line.plain for line in portrait(GUIDE, entry, WAITS, width=60)]

    assert max(map(len, lines)) <= 60
    assert "  cause         The free tier's requests or tokens of a" in lines
    assert "  llama-3.1-8b-instant: requests per minute 2 s, else" in lines


def test_an_entry_without_waits_has_no_table_of_them() -> None:
    entry = GUIDE.find("529")
    assert entry is not None

    assert not any("Waits" in line.plain for line in portrait(GUIDE, entry, (), width=None))


def test_a_verdict_says_whose_fault_it_is_and_how_long_it_waits() -> None:
    shown = explained(
        Failure(
            failure=FailureClass.RATE_LIMITED,
            scope=FaultScope.ACCOUNT,
            status=429,
            code="slow",
            message="slow down",
            stated_wait_s=7,
            source=Source.HEADER,
            confidence=Confidence.STATED,
            quota_window=CalendarUnit.MINUTE,
        )
    )

    assert shown.startswith("rate_limited  status 429, slow, acme, account's fault\n")
    assert "  says          slow down\n" in shown
    assert "  wait          7 s: its headers say so (stated)\n" in shown
    assert "  window        minute\n" in shown
    assert "spillover errors rate_limited" in shown


def test_a_stated_reset_is_told_as_a_span() -> None:
    shown = explained(
        Failure(
            failure=FailureClass.QUOTA_EXHAUSTED,
            scope=FaultScope.ACCOUNT,
            reset_at=NOON + 5_400,
            source=Source.BODY,
        )
    )

    assert "1 h 30 min: its body says so" in shown


@pytest.mark.parametrize(
    ("failure", "wait"),
    [
        (FailureClass.BAD_REQUEST, "none: the fault is not the profile's"),
        (FailureClass.MODEL_NOT_FOUND, "until it is mended: waiting alone does not help"),
        (
            FailureClass.OVERLOADED,
            "30 s: it states none, so Spillover's own table counts (guessed)",
        ),
    ],
)
def test_why_it_waits_so_long_is_told(failure: FailureClass, wait: str) -> None:
    assert wait in explained(Failure(failure=failure, scope=FaultScope.PROFILE))


def test_what_every_provider_refuses_is_told_so() -> None:
    failure = Failure(
        failure=FailureClass.CONTENT_FILTER,
        scope=FaultScope.REQUEST,
        retry_elsewhere=False,
        permanent=True,
    )

    assert "every provider would say the same" in explained(failure)
    assert "permanent" in explained(failure)


def test_a_stated_wait_beside_a_spent_day_is_not_the_whole_of_it() -> None:
    failure = Failure(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=FaultScope.PROFILE,
        stated_wait_s=30,
        source=Source.BODY,
        quota_window=CalendarUnit.DAY,
    )
    what = conduct(failure, somebody(load_catalogue(), "gemini"), now=NOON)

    lines = verdict(failure, what, None, provider="gemini", width=None)

    assert any("the 30 s that it states are not the whole of it" in line.plain for line in lines)

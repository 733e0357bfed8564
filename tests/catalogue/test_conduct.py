"""What is said of failures is what the core does about them."""

from __future__ import annotations

import pytest

from spillover.catalogue import load
from spillover.catalogue.conduct import NOON, conduct, somebody, told
from spillover.core.failures import TREATMENTS, Then, sends_of
from spillover.core.values import (
    Confidence,
    Failure,
    FailureClass,
    FaultScope,
    Profile,
    Source,
    Status,
)
from spillover.protocols.records import failure_of

ANYBODY = somebody(load())


def failure(kind: FailureClass, **fields: object) -> Failure:
    return Failure(failure=kind, **{"scope": FaultScope.PROFILE, **fields})  # type: ignore[arg-type]


def said(what: Failure, profile: Profile = ANYBODY) -> str:
    return " ".join(told(conduct(what, profile)))


@pytest.mark.parametrize("kind", FailureClass)
def test_every_class_is_told_by_its_treatment(kind: FailureClass) -> None:
    what = conduct(failure(kind, names_key=True), ANYBODY)
    treatment = TREATMENTS[kind]

    assert what.sends == treatment.sends
    assert what.then is treatment.then
    assert told(what)
    if treatment.status is Status.ACTIVE:
        assert what.bench is None
    else:
        assert what.bench is not None
        assert what.bench.status is treatment.status


def test_a_connection_that_broke_in_use_is_tried_again() -> None:
    broken = failure(FailureClass.NETWORK, reset_mid_send=True)

    assert conduct(broken, ANYBODY).sends == sends_of(broken) == 2
    assert "sent up to 2 times" in said(broken)


def test_a_wait_that_grows_says_up_to_where() -> None:
    what = conduct(failure(FailureClass.RATE_LIMITED), ANYBODY)

    assert what.bench is not None
    assert (what.bench.wait_s, what.bench.longest_s) == (60, 600)
    assert "for 60 s, growing to 10 min when it repeats" in " ".join(told(what))


def test_the_second_bare_refusal_of_a_key_benches_the_account() -> None:
    what = conduct(failure(FailureClass.AUTH_INVALID), ANYBODY)

    assert what.bench is not None
    assert (what.bench.whom, what.second) == ("profile", "account")
    assert "After a second one in a row the account" in " ".join(told(what))


def test_a_catalogues_wait_is_told_as_such() -> None:
    record = {
        "provider": "groq",
        "status": 429,
        "body": "Rate limit reached on requests per minute (RPM)",
    }
    refused = failure_of(record)
    assert refused is not None

    what = conduct(refused, somebody(load(), "groq", "llama-3.1-8b-instant"))

    assert what.bench is not None
    assert what.bench.wait_s == 2
    assert what.bench.source is Source.CATALOGUE
    assert what.bench.confidence is Confidence.GUESSED
    assert "so the catalogue has it" in " ".join(told(what))


def test_a_wait_to_the_end_of_a_day_has_no_figure() -> None:
    spent = failure_of({"provider": "gemini", "status": 429, "body": "Daily quota exceeded"})
    assert spent is not None

    assert "until the window ends" in said(spent, somebody(load(), "google"))


def test_a_stated_reset_is_a_figure() -> None:
    spent = failure(FailureClass.QUOTA_EXHAUSTED, reset_at=NOON + 7_200, source=Source.HEADER)

    assert "for 2 h (exhausted; the answer's headers say so)" in said(spent)


def test_a_guess_is_tested_before_its_time() -> None:
    assert "one request tests it every 15 min" in said(failure(FailureClass.QUOTA_EXHAUSTED))
    assert "one request tests it every 60 min" in said(failure(FailureClass.PAYMENT_REQUIRED))


@pytest.mark.parametrize(
    ("kind", "elsewhere", "ending"),
    [
        (FailureClass.BAD_REQUEST, False, "the client gets the provider's error"),
        (FailureClass.BAD_REQUEST, True, "for this one alone may object"),
        (FailureClass.CONTEXT_LENGTH, True, "whose context is larger"),
        (FailureClass.OVERLOADED, True, "the next profile of the chain is asked"),
    ],
)
def test_where_the_request_goes_is_told(kind: FailureClass, elsewhere: bool, ending: str) -> None:  # noqa: FBT001
    assert ending in said(failure(kind, retry_elsewhere=elsewhere))


def test_what_follows_a_request_that_is_too_long_is_named() -> None:
    assert conduct(failure(FailureClass.CONTEXT_LENGTH), ANYBODY).then is Then.LARGER_CONTEXT

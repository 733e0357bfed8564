"""Each way of not being answered has its own error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from spillover.core.ladder import Skipped
from spillover.core.refusals import Code, Ending, EndKind, Refusal, Step
from spillover.core.values import Failure, FailureClass, FaultScope, SkipReason
from spillover.engine import Answer
from spillover.errors import (
    AllAttemptsFailed,
    LedgerError,
    NoProfileAvailable,
    RequestError,
    StreamInterrupted,
)
from spillover.library.refusing import error_of, interrupted, message_of

if TYPE_CHECKING:
    from spillover.core.values import Usage
    from spillover.engine.call import Give

SKIPPED = Skipped(
    profile="groq", reason=SkipReason.LIMIT, detail="requests_per_day", available_at=9.0
)
DOWN = Failure(failure=FailureClass.BAD_REQUEST, scope=FaultScope.REQUEST, message="no such field")


@dataclass
class Ended:
    """A request that has ended: all that an answer asks of one."""

    ending: Ending | None
    usage: Usage | None = None

    async def pour(self, give: Give) -> bool:
        raise AssertionError("a whole answer has nothing left to pour or to abandon")

    def abandon(self) -> None:
        raise AssertionError("a whole answer has nothing left to pour or to abandon")


def answer(status: int, ending: Ending | None, **headers: str) -> Answer:
    body = b'{"error": {"message": "said so"}}'
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, fields, body=body, serving=Ended(ending))


def refused(code: Code, *trail: Step) -> Ending:
    refusal = Refusal(code=code, message="because", profiles=(SKIPPED,), retry_at=9.0)
    return Ending(kind=EndKind.REFUSED, refusal=refusal, trail=trail)


def test_a_chain_without_room_tells_who_is_in_the_way_and_when_it_is_worth_asking_again() -> None:
    error = error_of(answer(429, refused(Code.ALL_EXHAUSTED), retry_after="42"))

    assert isinstance(error, NoProfileAvailable)
    assert (error.code, error.status, error.retry_after) == ("all_exhausted", 429, 42.0)
    assert str(error) == "because"
    assert [(each.profile, each.reason, each.detail) for each in error.profiles] == [
        ("groq", "limit", "requests_per_day")
    ]


def test_a_chain_whose_sends_all_failed_tells_its_trail() -> None:
    trail = (Step(profile="groq", result="server_error"),)

    error = error_of(answer(503, refused(Code.ALL_FAILED, *trail)))

    assert isinstance(error, AllAttemptsFailed)
    assert (error.code, error.status, error.retry_after) == ("all_failed", 503, None)
    assert str(error) == "because"
    assert [(sent.profile, sent.outcome) for sent in error.trail] == [("groq", "server_error")]
    assert error.profiles[0].profile == "groq"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.LEDGER_UNAVAILABLE, LedgerError),
        (Code.INVALID_REQUEST, RequestError),
        (Code.MODEL_NOT_FOUND, RequestError),
        (Code.POLICY_ABSTAINED, NoProfileAvailable),
        (Code.NO_CAPABLE_PROFILE, NoProfileAvailable),
    ],
)
def test_each_refusal_keeps_its_code_and_status(code: Code, kind: type[Exception]) -> None:
    ending = refused(code)

    error = error_of(answer(400, ending))

    assert type(error) is kind
    assert error.code == code.value
    assert ending.refusal is not None
    assert error.status == ending.refusal.status


def test_a_providers_own_refusal_is_handed_on() -> None:
    ending = Ending(kind=EndKind.PROVIDER_ERROR, failure=DOWN, profile="groq")

    error = error_of(answer(422, ending))

    assert isinstance(error, RequestError)
    assert (error.code, error.status, error.message) == ("bad_request", 422, "said so")


def test_an_error_from_before_any_chain_was_asked_is_the_requests_own() -> None:
    error = error_of(answer(413, None))

    assert isinstance(error, RequestError)
    assert (error.status, error.message) == (413, "said so")


def test_an_answer_that_broke_off_says_whose_it_was_and_why() -> None:
    cut = Failure(failure=FailureClass.NETWORK, scope=FaultScope.PROFILE, message="cut")
    ending = Ending(kind=EndKind.BROKEN, profile="groq", failure=cut)

    error = error_of(answer(502, ending))

    assert isinstance(error, StreamInterrupted)
    assert (error.profile, error.cause, error.message) == ("groq", "network", "cut")


def test_an_answer_that_broke_off_without_a_word_still_says_so() -> None:
    assert interrupted(None).cause == "unknown"


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"error": "text"}'])
def test_a_body_in_another_shape_is_its_own_message(body: bytes) -> None:
    assert message_of(body) == body.decode()

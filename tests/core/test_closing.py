"""How the reservation of a send that was not answered is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.core.actions import Barred, Cancelled, Failed, Release, Settle, Unable
from spillover.core.closing import closing, leaving
from spillover.core.limits import Candidate
from spillover.core.refusals import Code
from spillover.core.values import FailureClass, SkipReason, Usage
from tests.core.driving import OK, fails, world
from tests.core.laddering import LOCAL, A, B
from tests.core.making import NOON, chain, failure, profile

if TYPE_CHECKING:
    from spillover.core.actions import Outcome

SEEN = Usage(requests=1, input_tokens=7, output_tokens=3)
NEED = Usage(requests=1, input_tokens=100, output_tokens=50)
CALL = Candidate(profile=profile("a"), need=NEED)


def failed(*, usage: Usage | None = None, by_deadline: bool = False, never: bool = False) -> Failed:
    what = failure(FailureClass.TIMEOUT, never_sent=never)
    return Failed(now=NOON, sent_at=NOON, failure=what, usage=usage, by_deadline=by_deadline)


@pytest.mark.parametrize("never", [True, False])
def test_request_that_reached_nobody_is_given_back_whole(*, never: bool) -> None:
    found = closing(CALL, "r", failed(never=never))

    assert found == Release(reservation="r", keep_request=not never, failure=FailureClass.TIMEOUT)


def test_failed_call_that_reports_its_use_is_settled_with_it() -> None:
    found = closing(CALL, "r", failed(usage=SEEN))

    assert isinstance(found, Settle)
    assert (found.usage, found.reported, found.ok) == (SEEN, True, False)
    assert found.failure is FailureClass.TIMEOUT


def test_deadline_of_the_request_is_held_against_nobody() -> None:
    assert closing(CALL, "r", failed(by_deadline=True)).failure is None
    assert closing(CALL, "r", failed(usage=SEEN, by_deadline=True)).failure is None


def test_client_that_left_before_the_send_used_nothing() -> None:
    assert leaving(CALL, "r", Cancelled(now=NOON)) == Release(reservation="r", keep_request=False)


def test_client_that_left_after_it_used_the_question_or_what_was_seen() -> None:
    unseen = leaving(CALL, "r", Cancelled(now=NOON, sent_at=NOON))
    seen = leaving(CALL, "r", Cancelled(now=NOON, sent_at=NOON, usage=SEEN, reported=True))

    assert isinstance(unseen, Settle)
    assert isinstance(seen, Settle)
    assert (unseen.usage.input_tokens, unseen.usage.output_tokens, unseen.reported) == (
        100,
        0,
        False,
    )
    assert (seen.usage, seen.reported, seen.failure) == (SEEN, True, None)


def test_send_that_was_barred_is_given_back_and_the_request_stays_on_this_machine() -> None:
    w = world(A, B, LOCAL)

    def bars(now: float) -> Outcome:
        w.sight = {"private": True}
        return Barred(now=now)

    ending = w.run(chain("a", "b", "local"), bars, *OK)

    assert w.log[:3] == ["reserve a b local", "send a", "release all"]
    assert ending.profile == "local"
    assert [step.profile for step in ending.trail] == ["local"]
    assert not w.open


def unable(now: float) -> Outcome:
    return Unable(now=now, lacks=("logprobs", "n"))


def test_send_that_its_protocol_has_no_words_for_is_given_back_and_goes_to_the_next() -> None:
    w = world(A, B)

    ending = w.run(chain("a", "b"), unable, *OK)

    assert w.log[:3] == ["reserve a b", "send a", "release all"]
    assert [step.profile for step in ending.trail] == ["b"]
    assert not w.open


def test_request_that_nobody_has_words_for_is_told_so() -> None:
    ending = world(A, B).run(chain("a", "b"), unable, unable)

    assert ending.refusal is not None
    assert ending.refusal.code is Code.NO_CAPABLE_PROFILE
    assert {each.reason for each in ending.refusal.profiles} == {SkipReason.LACKS_CAPABILITY}
    assert "logprobs, n" in ending.refusal.profiles[0].detail


def test_request_that_lost_all_who_might_serve_it_says_why() -> None:
    w = world(A, B)

    def bars(now: float) -> Outcome:
        w.sight = {"private": True}
        return Barred(now=now)

    ending = w.run(chain("a", "b"), fails("server_error"), bars)

    assert ending.refusal is not None
    assert ending.refusal.code is Code.POLICY_ABSTAINED
    assert {each.reason for each in ending.refusal.profiles} == {SkipReason.PRIVACY}
    assert w.sent == [("a", "a-model")] * 2
    assert not w.open

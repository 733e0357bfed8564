"""How short a conversation that is too long for everyone becomes, and who then gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.health import subject_of_profile
from spillover.core.refusals import Code, Ending, EndKind
from spillover.core.tokens import Calibration
from spillover.core.truncation import MOST_TIMES, shortening
from spillover.core.values import Demand, FailureClass
from tests.core.driving import OK, fails, world
from tests.core.laddering import DOWN, ladder
from tests.core.making import Record, by_name, chain, profile

if TYPE_CHECKING:
    from spillover.core.actions import Shorten
    from spillover.core.values import Profile

SMALL, LARGE = profile("a", context_tokens=4_000), profile("b", context_tokens=8_000)
OPEN = profile("c")
LONG = Demand(chars=60_000)
"""15,000 tokens."""
FITS, LESS = Demand(chars=20_000), Demand(chars=12_000)
MIDDLE = chain("a", "b", truncate=True)


def trail(ending: Ending) -> str:
    return ",".join(f"{step.profile}:{step.result}" for step in ending.trail)


def wanted(*profiles: Profile, demand: Demand = LONG, record: Record | None = None) -> Shorten:
    of = chain(*(each.name for each in profiles))
    skipped = ladder(of, *profiles, demand=demand, record=record).skipped
    found = shortening(demand, skipped, by_name(*profiles), record or Record(), refused=False)
    assert found is not None
    return found


def test_it_is_shortened_to_the_largest_context_less_the_expected_answer() -> None:
    found = wanted(SMALL, LARGE)

    assert (found.profile, found.most_tokens) == (LARGE, 8_000 - 1_024)


def test_long_answer_takes_a_quarter_of_the_context_at_most() -> None:
    outputs = [90_000] * 20
    record = Record(calibrations={"b": Calibration(outputs=outputs, ranked=outputs)})

    assert wanted(LARGE, record=record).most_tokens == 6_000


def test_equal_contexts_leave_it_to_the_chain() -> None:
    assert wanted(profile("x", context_tokens=8_000), LARGE).profile.name == "x"


def test_nothing_is_shortened_where_other_things_stand_in_the_way() -> None:
    record = Record(disabled={"a"})
    skipped = ladder(chain("a"), SMALL, record=record).skipped

    assert shortening(LONG, skipped, by_name(SMALL), record, refused=False) is None


def test_too_long_conversation_is_shortened_once_nobody_takes_it_whole() -> None:
    w = world(SMALL, LARGE, shorter=[FITS])

    ending = w.run(MIDDLE, *OK, demand=LONG)

    assert w.log == ["shorten for b to 6976", "reserve b", "send b", "relay", "settle"]
    assert trail(ending) == "b:ok"


def test_it_goes_whole_to_whoever_takes_it() -> None:
    w = world(SMALL, LARGE, OPEN)

    ending = w.run(chain("a", "b", "c", truncate=True), *OK, demand=LONG)

    assert trail(ending) == "c:ok"
    assert not any("shorten" in line for line in w.log)


def test_it_is_not_shortened_unless_the_chain_says_so() -> None:
    ending = world(SMALL, LARGE).run(chain("a", "b"), demand=LONG)

    assert ending.refusal is not None
    assert ending.refusal.code is Code.CONTEXT_LENGTH_EXCEEDED


def test_small_profile_serves_a_shorter_one_while_the_large_one_is_down() -> None:
    record = Record(healths={subject_of_profile("c"): DOWN})
    w = world(SMALL, OPEN, record=record, shorter=[LESS])

    ending = w.run(chain("a", "c", truncate=True), *OK, demand=LONG)

    assert trail(ending) == "a:ok"


def test_provider_that_finds_it_too_long_gets_a_shorter_one_never_the_same() -> None:
    w = world(OPEN, shorter=[Demand(chars=40_000)])

    ending = w.run(chain("c", truncate=True), fails("context_length"), *OK, demand=LONG)

    assert "shorten for c to 11250" in w.log
    assert trail(ending) == "c:context_length,c:ok"


def test_it_is_shortened_a_few_times_and_then_the_providers_word_is_final() -> None:
    w = world(OPEN, shorter=[LONG] * 9)

    ending = w.run(
        chain("c", truncate=True), *[fails("context_length", status=413)] * (MOST_TIMES + 1)
    )

    assert trail(ending) == ",".join(["c:context_length"] * (MOST_TIMES + 1))
    assert ending.kind is EndKind.PROVIDER_ERROR
    assert ending.failure is not None
    assert ending.failure.failure is FailureClass.CONTEXT_LENGTH


def test_conversation_that_can_not_be_shortened_ends_as_ever() -> None:
    ours = world(SMALL, LARGE).run(MIDDLE, demand=LONG)
    theirs = world(OPEN).run(chain("c", truncate=True), fails("context_length"))

    assert ours.refusal is not None
    assert ours.refusal.code is Code.CONTEXT_LENGTH_EXCEEDED
    assert theirs.kind is EndKind.PROVIDER_ERROR


def test_chain_that_is_spent_ends_as_ever_too() -> None:
    record = Record(healths={subject_of_profile("a"): DOWN})

    ending = world(SMALL, record=record).run(chain("a", truncate=True))

    assert ending.refusal is not None
    assert ending.refusal.code is Code.ALL_FAILED


def test_client_may_leave_while_it_is_shortened() -> None:
    w = world(SMALL, LARGE, shorter=[FITS], cancel_at=1)

    ending = w.run(MIDDLE, demand=LONG)

    assert ending.kind is EndKind.CANCELLED
    assert w.log == ["shorten for b to 6976"]

"""What calls teach of a profile."""

from __future__ import annotations

from spillover.core.pace import UNKNOWN, Pace, failed
from spillover.core.reliability import OUTCOMES_KEPT
from spillover.core.values import FailureClass, Usage
from spillover.ledger.learned import LATENCIES, Learned
from tests.core.making import NOON
from tests.ledger.keeping import settled


def test_reported_usage_teaches_characters_and_answers() -> None:
    learned = Learned()

    learned.learn(settled("r", usage=Usage(output_tokens=77), input_tokens=1_000, chars=2_000))

    assert learned.calibration.chars_per_token < 4.0
    assert learned.calibration.outputs == [77]
    assert (learned.calls, learned.estimated) == (1, 0)


def test_usage_that_nobody_reported_teaches_nothing_and_is_told() -> None:
    learned = Learned()

    learned.learn(settled("r", reported=False, input_tokens=1_000, chars=2_000))

    assert learned.calibration == Learned().calibration
    assert (learned.calls, learned.estimated) == (1, 1)


def test_failed_call_teaches_no_characters() -> None:
    learned = Learned()

    learned.learn(settled("r", input_tokens=0, chars=2_000))

    assert learned.calibration == Learned().calibration


def test_latest_times_are_kept() -> None:
    learned = Learned()
    for time in range(LATENCIES + 50):
        learned.learn(settled("r", took_ms=float(time), ttft_ms=float(-time)))
    learned.learn(settled("r"))

    assert learned.took_ms == [float(time) for time in range(50, LATENCIES + 50)]
    assert len(learned.ttft_ms) == LATENCIES


def test_whole_answer_teaches_pace_and_reliability() -> None:
    learned = Learned()

    learned.learn(settled("r", usage=Usage(output_tokens=10), took_ms=150.0, ttft_ms=50.0))

    assert learned.pace == Pace(ttft_ms=50.0, ms_per_token=10.0)
    assert (learned.outcomes, learned.heard_at) == ([True], NOON)


def test_call_whose_client_left_teaches_neither() -> None:
    learned = Learned()

    learned.learn(settled("r", usage=Usage(output_tokens=10)))

    assert (learned.pace, learned.outcomes, learned.heard_at) == (UNKNOWN, [], 0.0)


def test_answer_that_broke_off_counts_against_the_profile() -> None:
    learned = Learned()

    learned.learn(settled("r", usage=Usage(output_tokens=10), failure=FailureClass.NETWORK))

    assert learned.pace == failed(UNKNOWN)
    assert learned.outcomes == [False]


def test_spent_quota_says_nothing_of_reliability() -> None:
    learned = Learned()

    learned.miss(FailureClass.RATE_LIMITED, NOON)

    assert (learned.pace, learned.outcomes) == (UNKNOWN, [])


def test_latest_outcomes_are_kept() -> None:
    learned = Learned()
    for _ in range(OUTCOMES_KEPT):
        learned.miss(FailureClass.TIMEOUT, NOON)
    learned.learn(settled("r", took_ms=1.0))

    assert learned.outcomes == [*[False] * (OUTCOMES_KEPT - 1), True]

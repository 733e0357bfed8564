"""What calls teach of a profile."""

from __future__ import annotations

from spillover.core.values import Usage
from spillover.ledger.learned import LATENCIES, Learned
from tests.ledger.keeping import settled


def test_reported_usage_teaches_characters_and_answers() -> None:
    learned = Learned()

    learned.learn(settled("r", usage=Usage(output_tokens=77), input_tokens=1_000, chars=2_000))

    assert learned.calibration.chars_per_token < 4.0
    assert learned.calibration.outputs == (77,)
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


def test_latest_times_are_kept_and_the_usual_one_is_the_middle() -> None:
    learned = Learned()
    for time in range(LATENCIES + 50):
        learned.learn(settled("r", took_ms=float(time), ttft_ms=float(-time)))
    learned.learn(settled("r"))

    assert learned.took_ms == [float(time) for time in range(50, LATENCIES + 50)]
    assert len(learned.ttft_ms) == LATENCIES
    assert learned.usual_ttft_ms == -99.0


def test_profile_that_never_streamed_has_no_usual_time() -> None:
    assert Learned().usual_ttft_ms is None

"""What a real answer says of a profile."""

from __future__ import annotations

from spillover.doctor.findings import Level
from spillover.doctor.judge.live import Answered, completion

OK = Answered(
    profile="p", sent=True, answered=True, outcome="ok", took_ms=212.4, input_tokens=8,
    output_tokens=1, left="4 of 5 requests/minute left",
)  # fmt: skip


def test_an_answer_is_told_with_its_time_tokens_and_limits() -> None:
    found = completion(OK)

    assert found.level is Level.OK
    assert found.saw == "answered in 212 ms, 8 + 1 tokens; 4 of 5 requests/minute left"
    assert dict(found.figures)["latency_ms"] == 212.4


def test_a_refusal_is_a_problem_with_the_guide_to_it() -> None:
    found = completion(
        Answered(profile="p", sent=True, answered=False, outcome="auth_invalid", message="no")
    )

    assert (found.level, found.remedy) == (Level.PROBLEM, "spillover errors auth_invalid")
    assert found.saw == "did not answer (auth invalid): no"


def test_a_server_that_the_gateway_runs_is_started_by_it() -> None:
    found = completion(
        Answered(profile="p", sent=True, answered=False, outcome="network", is_managed=True)
    )

    assert (found.level, found.remedy) == (Level.PROBLEM, "spillover serve\nspillover doctor p")


def test_a_spent_limit_is_no_fault_and_a_missing_key_is_one() -> None:
    spent = Answered(profile="p", sent=False, answered=False, outcome="limit")
    keyless = Answered(profile="p", sent=False, answered=False, outcome="failed")

    assert completion(spent).level is Level.NOTE
    assert completion(keyless).level is Level.PROBLEM

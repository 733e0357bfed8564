"""The exceptions: the drawn tree is whole, and texts are made from fields."""

from __future__ import annotations

import inspect

import pytest

from spillover import errors
from spillover.errors import (
    AllAttemptsFailed,
    ConfigError,
    LedgerError,
    NoProfileAvailable,
    Obstacle,
    Problem,
    RequestError,
    Sent,
    SpilloverError,
    StreamInterrupted,
    Told,
    UnknownModel,
    UnknownName,
)


def test_the_drawn_tree_names_every_error() -> None:
    drawn = errors.__doc__ or ""

    public = [
        name
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, SpilloverError) and not name.startswith("_")
    ]

    assert [name for name in public if f" {name} " not in drawn.replace("\n", " ")] == []


def test_a_problem_reads_as_file_line_key_found_and_expected() -> None:
    problem = Problem(
        file="spillover.yaml",
        line=3,
        key="profiles.groq.modle",
        found="'modle'",
        expected="model",
        nearest="model",
    )

    assert str(problem) == (
        "spillover.yaml:3:profiles.groq.modle: found 'modle', expected model; did you mean 'model'?"
    )


def test_a_problem_of_the_whole_file_names_the_file_alone() -> None:
    problem = Problem(file="a.yaml", key="", found="an empty file", expected="profiles:")

    assert str(problem) == "a.yaml: found an empty file, expected profiles:"


def test_a_problem_as_json_has_its_fields_and_no_line_where_none_is_to_blame() -> None:
    problem = Problem(file="a.yaml", key="", found="an empty file", expected="profiles:")

    assert problem.fields() == {
        "file": "a.yaml",
        "line": None,
        "key": "",
        "found": "an empty file",
        "expected": "profiles:",
        "nearest": None,
    }


def test_a_config_error_tells_every_problem_on_its_line() -> None:
    problems = tuple(
        Problem(file="a", line=line, key="k", found="x", expected="y") for line in (1, 2)
    )

    error = ConfigError(problems)

    assert str(error).splitlines() == [str(problem) for problem in problems]
    assert error.problems == problems


def test_a_request_error_carries_status_and_code() -> None:
    error = RequestError("the body is too large", code="body_too_large", status=413)

    assert (error.status, error.code, str(error)) == (
        413,
        "body_too_large",
        "the body is too large",
    )
    assert (RequestError("x").status, RequestError("x").code) == (400, "invalid_request")


def test_an_unknown_model_is_not_repeated_at_length() -> None:
    error = UnknownModel("x" * 1_000, names=("default",))

    assert len(str(error)) < 200


def test_an_unknown_model_names_the_nearest_and_all_others() -> None:
    error = UnknownModel("grok", names=("default", "groq"), nearest="groq")

    assert (error.status, error.code) == (404, "model_not_found")
    assert "did you mean 'groq'?" in str(error)
    assert "default, groq" in str(error)


def test_an_unknown_name_says_what_kind_of_thing_was_named() -> None:
    error = UnknownName("chain", "defalt", names=("default",), nearest="default")

    assert (error.status, error.code) == (404, "not_found")
    assert str(error) == (
        "no chain is called 'defalt'; did you mean 'default'? (there are: default)"
    )


def test_no_profile_available_tells_who_and_why() -> None:
    obstacle = Obstacle(profile="groq", reason="limit", available_at=10.0)

    error = NoProfileAvailable((obstacle,), 7.5)

    assert (error.status, error.code, error.retry_after) == (429, "all_exhausted", 7.5)
    assert str(error) == "no profile of the chain can serve now: groq: limit"


def test_no_profile_available_may_mean_another_status() -> None:
    told = Told(code="policy_abstained", status=403, message="privacy: true stands in the way")

    error = NoProfileAvailable((), told=told)

    assert (error.status, error.code, error.profiles) == (403, "policy_abstained", ())
    assert str(error) == "privacy: true stands in the way"


def test_all_attempts_failed_tells_the_trail_in_order() -> None:
    trail = (
        Sent(profile="groq", outcome="rate_limited", status=429),
        Sent(profile="glm", outcome="timeout"),
    )

    error = AllAttemptsFailed(trail, profiles=(Obstacle(profile="gemini", reason="failed"),))

    assert str(error) == (
        "every attempt failed: groq:rate_limited, glm:timeout; left out: gemini: failed"
    )
    assert (error.status, error.code) == (503, "all_failed")


def test_all_attempts_failed_without_others_tells_the_trail_alone() -> None:
    error = AllAttemptsFailed((Sent(profile="groq", outcome="timeout"),))

    assert str(error) == "every attempt failed: groq:timeout"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            StreamInterrupted("groq", cause="stall", message="no event for 60 s"),
            "the answer of 'groq' broke off (stall): no event for 60 s",
        ),
        (StreamInterrupted("groq", cause="cut"), "the answer of 'groq' broke off (cut)"),
        (LedgerError("the disk is full", remedy="free some"), "the disk is full; free some"),
        (LedgerError("the disk is full"), "the disk is full"),
    ],
    ids=["stall", "cut", "ledger with remedy", "ledger"],
)
def test_texts_are_made_from_the_fields(error: SpilloverError, text: str) -> None:
    assert str(error) == text

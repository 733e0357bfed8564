"""Mistakes told with file, line, key and remedy, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from spillover.config.faults import PLACES, Places, child, shown
from spillover.config.findings import Finding
from spillover.config.schema import Config, Settings

if TYPE_CHECKING:
    from spillover.errors import Problem


def refused(document: dict[str, Any]) -> list[Problem]:
    """What the schema refuses of a document, all on line 7."""
    places = Places(document, {}, file="a.yaml")
    with pytest.raises(ValidationError) as error:
        Config.model_validate(document)
    return list(places.from_validation(error.value))


def the_problem(document: dict[str, Any]) -> Problem:
    (problem,) = refused(document)
    return problem


def test_a_short_form_is_found_where_it_is_written() -> None:
    places = Places({"chains": {"c": ["a", "b"]}}, {}, file="a.yaml")

    assert places.written(("chains", "c", "profiles", 1, "profile")) == ("chains", "c", 1)


def test_a_problem_stands_on_the_line_of_what_is_written() -> None:
    places = Places({"a": {"b": 1}}, {("a",): 3, ("a", "b"): 4}, file="a.yaml")
    finding = Finding(path=("a", "b"), found="1", expected="2")

    assert places.problem(finding).line == 4


def test_what_is_missing_is_named_on_the_line_above_it() -> None:
    places = Places({"a": {"b": 1}}, {("a",): 3, ("a", "b"): 4}, file="a.yaml")
    finding = Finding(path=("a", "c"), found="nothing", expected="c:")

    problem = places.problem(finding)

    assert (problem.line, problem.key) == (3, "a.c")


def test_an_unknown_setting_names_the_nearest_of_its_place() -> None:
    problem = the_problem({"profiles": {"p": {"modle": "x"}}})

    assert (problem.key, problem.nearest) == ("profiles.p.modle", "model")
    assert "context_tokens" in problem.expected


@pytest.mark.parametrize(
    ("document", "key", "expected"),
    [
        ({"server": {"port": "many"}}, "server.port", "a whole number"),
        ({"server": {"port": 99_999}}, "server.port", "65535 or less"),
        ({"server": {"port": -1}}, "server.port", "0 or more"),
        ({"server": []}, "server", "a mapping"),
        ({"privacy": "perhaps"}, "privacy", "true or false"),
        ({"profiles": []}, "profiles", "a mapping"),
        ({"profiles": {"p": {"price": {"input": "x"}}}}, "profiles.p.price.input", "a number"),
        ({"profiles": {"p": {"lacks": "tools"}}}, "profiles.p.lacks", "a list"),
        ({"chains": {"c": {}}}, "chains.c.profiles", "profiles:"),
        ({"chains": {"c": {"profiles": "groq"}}}, "chains.c.profiles", "a list of profiles"),
        ({"chains": {"c": 5}}, "chains.c", "a list of profiles, or a mapping with profiles:"),
        (
            {"chains": {"c": {"profiles": ["p"], "failback": "x"}}},
            "chains.c.failback",
            "immediate, sticky or {after: 5m}",
        ),
        ({"on_ledger_error": "x"}, "on_ledger_error", "one of local, fail_closed"),
        ({"profiles": {"a b": {}}}, "profiles.a b", "a name of 1 to 64 letters"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_refusal_says_what_was_expected(
    document: dict[str, Any], key: str, expected: str
) -> None:
    problem = the_problem(document)

    assert problem.key == key
    assert problem.expected.startswith(expected)


def test_a_wrong_choice_names_the_nearest() -> None:
    problem = the_problem({"routing_policy": "fre-tier"})

    assert problem.nearest == "free-tier"
    assert problem.found == "'fre-tier'"


def test_a_wrong_choice_inside_a_setting_names_the_nearest_as_it_is_written() -> None:
    limits = [{"requests": 1, "per": "day", "window": "calender"}]

    problem = the_problem({"profiles": {"p": {"limits": limits}}})

    assert str(problem).endswith("did you mean 'calendar'?")


def test_mistakes_inside_a_setting_have_their_own_places() -> None:
    chain = {"profiles": ["p"], "retries": {"server_eror": 2, "timeout": -1}}

    problems = refused({"chains": {"c": chain}})

    assert [(problem.key, problem.found, problem.nearest) for problem in problems] == [
        ("chains.c.retries.server_eror", "'server_eror'", "server_error"),
        ("chains.c.retries.timeout", "-1", None),
    ]


def test_every_mistake_in_limits_has_its_own_place() -> None:
    problems = refused({"profiles": {"p": {"limits": {"tokens_per_hor": 1, "cost_per_day": "x"}}}})

    assert [(problem.key, problem.nearest) for problem in problems] == [
        ("profiles.p.limits.tokens_per_hor", "tokens_per_hour"),
        ("profiles.p.limits.cost_per_day", None),
    ]


def test_a_value_in_a_secrets_place_is_never_shown() -> None:
    problem = the_problem({"profiles": {"p": {"api_key": 1.5, "headers": {"x": True}}}})

    assert problem.found == "a bool"


def test_what_looks_like_a_key_is_masked_wherever_it_stands() -> None:
    problem = the_problem({"privacy": "sk-abcdefghijklmnop1234"})

    assert "efghij" not in str(problem)


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"a": 1}, "a mapping"), ([1], "a list"), (None, "nothing"), ("x", "'x'"), (5, "5")],
    ids=repr,
)
def test_values_are_shown_shortly(value: object, expected: str) -> None:
    assert shown(value, ("storage",)) == expected


def test_a_long_value_is_cut() -> None:
    assert len(shown("x" * 500, ("storage",))) == 80


def test_faults_of_expansion_become_problems() -> None:
    places = Places({"a": "${X}"}, {("a",): 2}, file="a.yaml")

    (problem,) = places.from_findings(
        [Finding(path=("a",), found="'${X}'", expected="X to be set")]
    )

    assert str(problem) == "a.yaml:2:a: found '${X}', expected X to be set"


def test_what_stands_below_is_told_apart_from_nothing() -> None:
    assert child({"a": None}, "a") == (None,)
    assert child([1], 0) == (1,)
    assert child([1], 1) is None
    assert child([1], "a") is None
    assert child("text", 0) is None


def test_every_group_of_settings_has_its_place() -> None:
    from spillover.config import schema

    groups = {
        value
        for value in vars(schema).values()
        if isinstance(value, type) and issubclass(value, Settings) and value is not Settings
    }

    assert set(PLACES.values()) == groups

"""A plan is fitted into a configuration under free names, and what is there already is not doubled."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.config.adopting import Adopted, adopted, merge
from spillover.config.importers import Plan
from spillover.config.loader import load_document
from spillover.config.secrets import Secret

KEY = Secret("of-the-tests-0001")
GROQ: dict[str, Any] = {"provider": "groq", "api_key": KEY, "model": "m"}
THERE: dict[str, Any] = {"provider": "groq", "api_key": "${GROQ_API_KEY}", "model": "m"}


def plan(**parts: Any) -> Plan:
    given = {
        "profiles": {"groq": GROQ},
        "chains": {"default": {"profiles": ["groq"]}},
        "aliases": {},
    }
    return Plan(**{**given, "conceal": str, "mapped": (), "unmapped": (), **parts})


def fitted(document: dict[str, Any], wanted: Plan | None = None, **how: Any) -> Adopted:
    environ = {"GROQ_API_KEY": KEY.reveal(), "OTHER": "another-key-0001"}
    known = load_document(document, environ=environ).config.profiles if document else {}
    return adopted(wanted or plan(), document, known, tool="roo", **how)


def merged(document: dict[str, Any], wanted: Adopted) -> dict[str, Any]:
    merge(document, wanted, {name: {**THERE} for name in wanted.profiles})
    return document


def test_into_nothing_all_of_it_goes_as_it_is() -> None:
    found = fitted({})

    assert (found.profiles, found.chains) == ({"groq": GROQ}, {"default": ["groq"]})
    assert found.names == {"groq": "groq", "default": "default"}


def test_names_that_are_taken_are_numbered_and_the_chain_is_called_after_the_tool() -> None:
    found = fitted({"profiles": {"groq": {**THERE, "model": "another"}}})

    assert list(found.profiles) == ["groq-2"]
    assert found.chains == {"roo": ["groq-2"]}


def test_what_is_there_already_is_left_and_led_to() -> None:
    found = fitted({"profiles": {"groq": THERE}, "chains": {"default": ["groq"]}})

    assert (found.profiles, found.chains) == ({}, {"roo": ["groq"]})
    assert found.present == {"groq"}
    again = fitted({"profiles": {"groq": THERE}, "chains": {"default": ["groq"], "roo": ["groq"]}})
    assert (again.profiles, again.chains) == ({}, {})
    assert again.present == {"groq", "roo"}


def test_what_an_earlier_import_numbered_is_found_again() -> None:
    other = {**THERE, "model": "another"}

    found = fitted({"profiles": {"groq": other, "groq-2": THERE}, "chains": {"default": ["groq"]}})

    assert found.profiles == {}
    assert found.names["groq"] == "groq-2"


@pytest.mark.parametrize(
    "change",
    [{"api_key": "${OTHER}"}, {"headers": {"X-Team": "t"}}, {"model": "n"}, {"tier": "paid"}],
)
def test_a_profile_with_anything_else_is_another_one(change: dict[str, Any]) -> None:
    assert list(fitted({"profiles": {"groq": {**THERE, **change}}}).profiles) == ["groq-2"]


def test_with_replace_what_has_the_same_name_makes_room() -> None:
    document = {
        "profiles": {"groq": {**THERE, "model": "n"}, "x": THERE},
        "chains": {"default": ["groq", "x"]},
    }

    found = fitted(document, replace=True)

    assert (list(found.profiles), found.chains) == (["groq"], {"default": ["groq"]})


def test_a_profile_never_takes_the_name_of_a_chain() -> None:
    document = {"profiles": {"x": {**THERE, "model": "n"}}, "chains": {"groq": ["x"]}}

    assert list(fitted(document, replace=True).profiles) == ["groq-2"]


def test_members_with_weights_follow_their_profiles_names() -> None:
    wanted = plan(
        chains={"c": {"profiles": [{"profile": "groq", "weight": 3}], "strategy": "weighted"}}
    )

    found = fitted({"profiles": {"groq": {**THERE, "model": "n"}}}, wanted)

    assert found.chains["c"]["profiles"] == [{"profile": "groq-2", "weight": 3}]


def test_an_alias_that_leads_elsewhere_is_left_unless_it_is_to_be_replaced() -> None:
    document = {
        "profiles": {"groq": {**THERE, "model": "n"}},
        "aliases": {"code": "groq", "ask": "groq"},
    }
    wanted = plan(aliases={"code": "groq", "new": "groq"})

    found = fitted(document, wanted)

    assert found.aliases == {"new": "groq-2"}
    assert "'code' leads to groq already" in found.notes[0]
    assert fitted(document, wanted, replace=True).aliases == {"new": "groq"}


def test_the_chain_of_all_profiles_is_spelled_out_before_others_come() -> None:
    document = {"profiles": {"mine": {**THERE, "model": "n"}}}

    assert merged(document, fitted(document))["chains"] == {"default": ["mine"], "roo": ["groq"]}


def test_new_aliases_come_before_globs_that_are_there() -> None:
    document = {"profiles": {"groq": THERE}, "aliases": {"*": "groq"}}

    found = merged(document, fitted(document, plan(aliases={"gpt-*": "groq", "code": "groq"})))

    assert list(found["aliases"]) == ["code", "*", "gpt-*"]


def test_a_name_that_clients_use_goes_on_meaning_what_it_means() -> None:
    document = {
        "profiles": {"mine": {**THERE, "model": "n"}},
        "chains": {"code": ["mine"]},
        "aliases": {"groq": "mine"},
    }

    found = fitted(document, plan(aliases={"code": "groq", "mine": "groq"}))

    assert list(found.profiles) == ["groq-2"]
    assert found.aliases == {}
    assert [note.split()[0] for note in found.notes] == ["'code'", "'mine'"]

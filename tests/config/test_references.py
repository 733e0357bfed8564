"""Names that lead somewhere, nowhere, or to two things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.references import findings

if TYPE_CHECKING:
    from spillover.config.findings import Finding


def found(**document: Any) -> list[Finding]:
    whole = {"profiles": {"groq": {}, "gemini": {}}, **document}
    return list(findings({name: section for name, section in whole.items() if section is not None}))


def the_finding(**document: Any) -> Finding:
    (finding,) = found(**document)
    return finding


def test_names_that_lead_somewhere_are_in_order() -> None:
    assert not found(
        accounts={"a": {}},
        profiles={"groq": {"account": "a"}, "gemini": {}, "5": {}},
        chains={"default": ["groq", 5], "x": {"profiles": [{"profile": "gemini"}]}},
        aliases={"gpt-*": "default", "g": "groq"},
    )


@pytest.mark.parametrize(
    ("chain", "path"),
    [
        (["grok"], ("chains", "c", 0)),
        ({"profiles": ["groq", {"profile": "grok"}]}, ("chains", "c", "profiles", 1)),
    ],
    ids=["short", "long"],
)
def test_an_unknown_profile_in_a_chain_names_the_nearest(chain: Any, path: tuple[Any, ...]) -> None:
    finding = the_finding(chains={"c": chain})

    assert (finding.path, finding.nearest) == (path, "groq")
    assert finding.expected == "the name of a profile (groq, gemini)"


def test_a_profile_twice_in_a_chain_is_told() -> None:
    assert the_finding(chains={"c": ["groq", "groq"]}).found == "'groq' a second time"


def test_a_chain_in_a_chain_is_told() -> None:
    finding = the_finding(chains={"a": ["groq"], "b": ["a"]})

    assert (finding.path, finding.expected) == (
        ("chains", "b", 0),
        "profiles: a chain can't hold one",
    )


@pytest.mark.parametrize("chain", [[], {"profiles": []}], ids=["short", "long"])
def test_an_empty_chain_is_told(chain: Any) -> None:
    assert the_finding(chains={"c": chain}).found == "an empty chain"


def test_a_name_of_a_chain_and_a_profile_is_told() -> None:
    finding = the_finding(chains={"groq": ["gemini"]})

    assert finding.path == ("chains", "groq")
    assert "which is a profile too" in finding.found


@pytest.mark.parametrize("section", ["profiles", "chains"])
@pytest.mark.parametrize("name", ["auto", "Auto"])
def test_auto_is_reserved(section: str, name: str) -> None:
    document: dict[str, Any] = {"profiles": {"groq": {}}, "chains": {"c": ["groq"]}}
    document[section][name] = {} if section == "profiles" else ["groq"]

    (finding,) = findings(document)

    assert finding.path == (section, name)
    assert "'auto' stands for the default chain" in finding.expected


def test_an_unknown_account_is_told() -> None:
    finding = the_finding(profiles={"groq": {"account": "nobody"}})

    assert finding.path == ("profiles", "groq", "account")
    assert finding.expected == "the name of an account (there is none)"


def test_an_alias_that_leads_nowhere_is_told() -> None:
    finding = the_finding(chains={"coding": ["groq"]}, aliases={"gpt-*": "codin"})

    assert (finding.path, finding.nearest) == (("aliases", "gpt-*"), "coding")


def test_names_that_a_terminal_would_obey_are_shown_as_written() -> None:
    finding = the_finding(chains={"\x1b[31m": ["groq"]}, aliases={"gpt-*": "nowhere"})

    assert "\x1b" not in finding.expected


def test_no_profiles_are_told() -> None:
    assert [finding.found for finding in findings({})] == ["no profiles"]
    assert [finding.path for finding in findings({"profiles": {}})] == [("profiles",)]


def test_a_profile_called_default_needs_chains() -> None:
    finding = the_finding(profiles={"default": {}})

    assert "the chain of all profiles" in finding.expected


@pytest.mark.parametrize(
    "document",
    [
        {"profiles": ["groq"]},
        {"profiles": {"groq": None}, "chains": ["groq"], "aliases": 5},
        {"profiles": {"groq": {"account": []}}, "chains": {"c": 5, "d": [True, [], {}]}},
        {"profiles": {"groq": {}}, "chains": {"c": {"profiles": "groq"}}, "aliases": {"x": None}},
    ],
    ids=str,
)
def test_what_has_the_wrong_shape_is_left_to_the_schema(document: dict[str, Any]) -> None:
    assert not list(findings(document))

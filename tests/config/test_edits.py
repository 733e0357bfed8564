"""Profiles, chains and what holds for all are changed in the document as written."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config import edits
from spillover.errors import EditRefused, RequestError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable


IMPLICIT: dict[str, Any] = {"profiles": {"a": {}, "b": {}}}


def document(**more: Any) -> dict[str, Any]:
    """Three profiles, in chains of both forms."""
    profiles = {"a": {"model": "m", "title": "A"}, "b": {"model": "m"}, "c": {"model": "m"}}
    chains = {"default": ["a", "b"], "long": {"profiles": ["b", {"profile": "c", "weight": 3}]}}
    return {"profiles": profiles, "chains": chains, "aliases": {"gpt-*": "long"}, **more}


def test_a_profile_is_added_last_or_at_its_place() -> None:
    found = document()

    for name, chain, place in (("d", "default", None), ("e", "default", 0), ("f", "long", 1)):
        edits.add_profile(found, name, {"model": "m", "tier": None})
        edits.put_in_chain(found, chain, name, place)

    assert found["profiles"]["d"] == {"model": "m"}
    assert found["chains"]["default"] == ["e", "a", "b", "d"]
    assert found["chains"]["long"]["profiles"] == ["b", "f", {"profile": "c", "weight": 3}]


@pytest.mark.parametrize(
    ("model", "found"),
    [("m", "own"), ("n", "shared"), ("o", None), ("p", None)],
    ids=["its own", "its account's", "another provider's", "no profile's"],
)
def test_a_profile_is_found_by_provider_and_model(model: str, found: str | None) -> None:
    written = {
        "accounts": {"a": {"provider": "OpenRouter"}},
        "profiles": {
            "broken": None,
            "own": {"provider": "or", "model": "m"},
            "shared": {"account": "a", "model": "n"},
            "other": {"provider": "groq", "model": "o"},
        },
    }

    assert edits.profile_of(written, frozenset({"openrouter", "or"}), model) == found


def test_the_chain_of_all_profiles_is_written_out_only_when_it_must() -> None:
    last, first, other = (copy.deepcopy(IMPLICIT) for _ in range(3))

    edits.add_profile(last, "c", {})
    edits.put_in_chain(last, "default", "c", None)
    edits.add_profile(first, "c", {})
    edits.put_in_chain(first, "default", "c", 0)
    edits.add_chain(other, "other", {"profiles": ["b"]})

    assert "chains" not in last
    assert first["chains"] == {"default": ["c", "a", "b"]}
    assert other["chains"] == {"default": ["a", "b"], "other": ["b"]}


def test_settings_given_replace_and_none_takes_one_out() -> None:
    found = document()

    edits.merge_profile(found, "a", {"title": None, "tier": "free"})
    edits.merge_globals(found, {"privacy": True, "aliases": None})

    assert found["profiles"]["a"] == {"model": "m", "tier": "free"}
    assert found["privacy"] is True
    assert "aliases" not in found


def test_a_chain_in_another_order_keeps_weights_and_hours() -> None:
    found = document()

    edits.merge_chain(found, "long", {"profiles": ["c", "a", "b"]})
    edits.merge_chain(
        found, "default", {"profiles": [{"profile": "b"}, {"profile": "a", "weight": 2}]}
    )

    assert found["chains"]["long"] == {"profiles": [{"profile": "c", "weight": 3}, "a", "b"]}
    assert found["chains"]["default"] == ["b", {"profile": "a", "weight": 2}]


def test_a_short_chain_becomes_long_only_for_another_setting() -> None:
    found = document()

    edits.merge_chain(found, "default", {"strategy": None})
    short = found["chains"]["default"]
    edits.merge_chain(found, "default", {"strategy": "fastest"})

    assert short == ["a", "b"]
    assert found["chains"]["default"] == {"profiles": ["a", "b"], "strategy": "fastest"}


def test_the_implicit_chain_can_be_changed() -> None:
    found: dict[str, Any] = {"profiles": {"a": {}, "b": {}}}

    edits.merge_chain(found, "default", {"profiles": ["b", "a"]})

    assert found["chains"] == {"default": ["b", "a"]}


def test_a_profile_in_use_goes_only_with_its_places() -> None:
    found = document()

    with pytest.raises(EditRefused, match="from_chains") as raised:
        edits.remove_profile(found, "b", from_chains=False)
    left = edits.remove_profile(found, "b", from_chains=True)

    assert raised.value.names == {"chains": ("default", "long"), "aliases": ()}
    assert left == ("default", "long")
    assert found["chains"] == {
        "default": ["a"],
        "long": {"profiles": [{"profile": "c", "weight": 3}]},
    }
    assert "b" not in found["profiles"]


def remove_alone(found: dict[str, Any]) -> None:
    found["chains"]["alone"] = ["a"]
    edits.remove_profile(found, "a", from_chains=True)


def remove_aliased(found: dict[str, Any]) -> None:
    found["aliases"]["x"] = "a"
    edits.remove_profile(found, "a", from_chains=True)


def remove_last_chain(found: dict[str, Any]) -> None:
    edits.remove_chain(found, "default")
    del found["aliases"]
    edits.remove_chain(found, "long")


REFUSED: dict[str, tuple[Callable[[Any], object], str]] = {
    "taken": (lambda found: edits.add_profile(found, "a", {}), "name_taken"),
    "a profile's": (lambda found: edits.add_chain(found, "a", {"profiles": ["a"]}), "name_taken"),
    "a chain's": (lambda found: edits.add_profile(found, "default", {}), "name_taken"),
    "alone in a chain": (remove_alone, "in_use"),
    "aliased": (remove_aliased, "in_use"),
    "aliased chain": (lambda found: edits.remove_chain(found, "long"), "in_use"),
    "last chain": (remove_last_chain, "in_use"),
}
UNKNOWN: dict[str, Callable[[Any], object]] = {
    "profile": lambda found: edits.merge_profile(found, "aa", {}),
    "chain": lambda found: edits.merge_chain(found, "defualt", {}),
    "profile to remove": lambda found: edits.remove_profile(found, "aa", from_chains=True),
    "chain to remove": lambda found: edits.remove_chain(found, "lung"),
    "chain to be put in": lambda found: edits.put_in_chain(found, "lung", "a", None),
    "member": lambda found: edits.merge_chain(found, "default", {"profiles": ["a", "bb"]}),
    "member of a new one": lambda found: edits.add_chain(
        found, "new", {"profiles": [{"profile": "zz"}]}
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_stands_in_the_way_is_named(case: str) -> None:
    edit, code = REFUSED[case]

    with pytest.raises(EditRefused) as raised:
        edit(document())

    assert (raised.value.status, raised.value.code) == (409, code)


@pytest.mark.parametrize("case", UNKNOWN)
def test_names_that_lead_nowhere_are_refused(case: str) -> None:
    with pytest.raises(UnknownName):
        UNKNOWN[case](document())


@pytest.mark.parametrize("name", ["", "a b", "a: b", "../a", "<<", "a\nb", "x" * 65, "${A}"])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="is no name"):
        edits.add_profile(document(), name, {})


def test_a_renamed_chain_keeps_its_place_and_its_aliases() -> None:
    found = document(aliases={"a": "long", "b": "default"})
    before = list(found["chains"])

    edits.rename_chain(found, "long", "short")

    assert list(found["chains"]) == ["short" if each == "long" else each for each in before]
    assert found["aliases"] == {"a": "short", "b": "default"}


def test_the_chain_of_all_profiles_can_be_renamed() -> None:
    found = document()
    del found["chains"]
    found["aliases"] = {"*": "default"}

    edits.rename_chain(found, "default", "all")

    assert found["chains"] == {"all": list(found["profiles"])}
    assert found["aliases"] == {"*": "all"}


@pytest.mark.parametrize("to", ["default", "a", "x y"])
def test_a_chain_gets_no_name_that_is_taken_or_none(to: str) -> None:
    with pytest.raises(RequestError):
        edits.rename_chain(document(), "long", to)


def test_a_chain_that_keeps_its_name_stays_as_it_is() -> None:
    found = document()

    edits.rename_chain(found, "long", "long")

    assert found == document()


def test_a_removed_chain_is_gone() -> None:
    found = document(aliases={})

    edits.remove_chain(found, "long")

    assert list(found["chains"]) == ["default"]


def test_a_free_name_is_numbered() -> None:
    found = document()

    assert [edits.free_name(found, name) for name in ("groq", "a", "default")] == [
        "groq",
        "a-2",
        "default-2",
    ]

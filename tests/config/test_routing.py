"""What a client's model name means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.errors import UnknownModel
from tests.config.writing import assembled

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.config.routing import Routing


@pytest.fixture
def routing(tmp_path: Path) -> Routing:
    return assembled(
        tmp_path,
        """\
        profiles:
          groq: {provider: groq}
          gemini: {provider: gemini}
        chains:
          coding: [groq, gemini]
          default: [gemini]
        aliases:
          gpt-4o: groq
          "gpt-*": coding
          "claude-[0-9]*": coding
          fast: groq
        """,
    )


@pytest.mark.parametrize("model", [None, "", "auto"], ids=repr)
def test_no_model_and_auto_mean_the_default_chain(routing: Routing, model: str | None) -> None:
    assert routing.resolve(model).name == "default"


def test_a_chain_is_found_by_its_name(routing: Routing) -> None:
    assert routing.resolve("coding") is routing.chains["coding"]


def test_a_profile_is_served_alone_without_fallback(routing: Routing) -> None:
    chain = routing.resolve("groq")

    assert chain.alone
    assert [member.profile for member in chain.members] == ["groq"]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "groq"),
        ("gpt-4o-mini", "coding"),
        ("claude-4-opus", "coding"),
        ("fast", "groq"),
    ],
)
def test_an_alias_is_the_first_that_matches(routing: Routing, model: str, name: str) -> None:
    assert routing.resolve(model).name == name


@pytest.mark.parametrize("model", ["GPT-4o", "claude-opus", "grok", "coding "])
def test_any_other_model_is_unknown(routing: Routing, model: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        routing.resolve(model)

    assert refused.value.names == ("coding", "default", "groq", "gemini", "gpt-4o", "fast")


def test_an_unknown_model_names_the_nearest(routing: Routing) -> None:
    with pytest.raises(UnknownModel) as near:
        routing.resolve("grok")
    with pytest.raises(UnknownModel) as far:
        routing.resolve("zzz")

    assert (near.value.nearest, far.value.nearest) == ("groq", None)


def test_what_clients_may_name_has_no_globs(routing: Routing) -> None:
    assert routing.names() == ("coding", "default", "groq", "gemini", "gpt-4o", "fast")


PRIVATE = """\
profiles:
  groq: {provider: groq}
  ollama: {provider: ollama, model: m}
chains:
  open: [groq, ollama]
  shut: {profiles: [groq, ollama], privacy: true}
  local: {profiles: [groq, ollama], routing_policy: local-only}
"""


def test_chain_is_private_by_its_privacy_or_its_policy(tmp_path: Path) -> None:
    routing = assembled(tmp_path, PRIVATE)

    found = {name: routing.is_private(name) for name in ("open", "shut", "local", "groq", "gone")}

    assert found == {"open": False, "shut": True, "local": True, "groq": False, "gone": False}


def test_chain_that_is_gone_is_bound_by_what_is_said_of_all(tmp_path: Path) -> None:
    private = assembled(tmp_path, PRIVATE + "privacy: true\n")
    local = assembled(tmp_path, PRIVATE + "routing_policy: local-only\n")

    assert private.is_private("gone")
    assert local.is_private("gone")

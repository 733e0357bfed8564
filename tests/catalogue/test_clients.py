"""What clients are told of a gateway: texts that hold whatever they are filled with."""

from __future__ import annotations

import json
import subprocess
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

from spillover.catalogue.clients import (
    FILL_IN,
    VARIABLE,
    Client,
    Language,
    Link,
    Part,
    advice,
    load,
    started,
    written,
)
from tests.structure.project import ROOT

CLIENTS = load()
EVERY = {f"{each.id} {part.into}": part for each in CLIENTS.entries for part in each.parts}
AWKWARD = Link(address="http://[::1]:9", model="m", key='a"b\\c$d`e{model}')
HIDDEN = Link(key=None, variable="TEAM_KEY")


def texts(*languages: Language) -> pytest.MarkDecorator:
    """Run a test for every text that is written in one of these."""
    parts = {name: part for name, part in EVERY.items() if part.language in languages}
    return pytest.mark.parametrize("part", parts.values(), ids=parts)


def client(name: str) -> Client:
    found = CLIENTS.find(name)
    assert found is not None
    return found


def strings(value: Any) -> list[str]:
    match value:
        case dict():
            return [text for each in value.values() for text in strings(each)]
        case list():
            return [text for each in value for text in strings(each)]
        case _:
            return [str(value)]


def read(language: Language, text: str) -> list[str]:
    """Return every value in a file, as its reader finds it."""
    match language:
        case Language.JSON:
            return strings(json.loads(text))
        case Language.TOML:
            return strings(tomllib.loads(text))
        case _:
            return strings(YAML(typ="safe").load(text))


@texts(*Language)
def test_every_text_is_filled_in_completely(part: Part) -> None:
    text = written(part, Link(address="http://127.0.0.1:9", model="coding", key="k-1"))

    assert not any(place in text for place in ("{address}", "{model}", "{key}", "{variable}"))
    assert ("http://127.0.0.1:9" in text) is ("{address}" in part.text)
    assert ("k-1" in text) is ("{key}" in part.text)


@texts(Language.JSON, Language.TOML, Language.YAML)
def test_a_file_is_read_as_what_was_put_into_it(part: Part) -> None:
    values = read(part.language, written(part, AWKWARD))

    assert (AWKWARD.key in values) is ("{key}" in part.text)
    assert ("m" in values) is ('"{model}"' in part.text)


@texts(Language.PYTHON)
def test_a_program_compiles_with_any_key_and_without_one(part: Part) -> None:
    hidden = written(part, HIDDEN)

    compile(written(part, AWKWARD), "shown", "exec")
    compile(hidden, "hidden", "exec")
    assert 'os.environ["TEAM_KEY"]' in hidden
    assert hidden.startswith("import os\n")


def test_a_shell_exports_the_key_as_it_is() -> None:
    (part,) = client("claude-code").parts
    text = written(part, AWKWARD) + '\nprintf %s "$ANTHROPIC_AUTH_TOKEN"'

    done = subprocess.run(["bash", "-c", text], check=True, capture_output=True, timeout=60)

    assert done.stdout.decode() == AWKWARD.key


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("claude-code", '"$TEAM_KEY"'),
        ("openai-node", "apiKey: process.env.TEAM_KEY"),
        ("opencode", '"{env:TEAM_KEY}"'),
        ("continue", f'"{FILL_IN}"'),
        ("cline", f"API Key       {FILL_IN}"),
    ],
)
def test_a_key_that_is_not_shown_is_named_as_the_place_can(name: str, named: str) -> None:
    text = written(client(name).parts[0], HIDDEN)

    assert named in text


def test_it_is_said_where_a_hidden_key_comes_from() -> None:
    by_variable, by_hand = client("codex"), client("continue")

    shown = [*advice(by_variable, Link(key="k"))]
    assert [*advice(by_variable, HIDDEN)] == [
        *shown,
        "TEAM_KEY in the environment is one of the gateway's client keys.",
    ]
    assert [*advice(by_hand, HIDDEN)] == [
        *shown,
        f"{FILL_IN} stands for one of the gateway's client keys.",
    ]
    assert HIDDEN.variable != VARIABLE


def test_only_who_has_files_is_told_to_keep_what_they_hold() -> None:
    assert [len([*advice(client(name), Link())]) for name in ("codex", "aider")] == [1, 0]


@pytest.mark.parametrize("name", ["Claude Code", "claude", "CLAUDE_CODE", "claude-code"])
def test_a_client_is_found_by_any_of_its_names(name: str) -> None:
    assert client(name).id == "claude-code"


def test_the_most_similar_clients_are_named_for_one_that_is_not_known() -> None:
    assert CLIENTS.find("open-code-x") is None
    assert CLIENTS.nearest("opencod")[0] == "opencode"
    assert CLIENTS.nearest("§") == ()


def test_no_name_means_two_clients() -> None:
    names = [name.lower() for each in CLIENTS.entries for name in (each.id, *each.also)]

    assert len(set(names)) == len(names)


def test_every_client_belongs_to_a_group() -> None:
    grouped = [each for group in CLIENTS.groups for each in CLIENTS.of_group(group.id)]

    assert set(grouped) == set(CLIENTS.entries)


@pytest.mark.parametrize("entry", CLIENTS.entries, ids=lambda entry: entry.id)
def test_a_client_names_what_tries_it_or_why_nothing_does(entry: Client) -> None:
    assert bool(entry.tried) is not bool(entry.untried)
    assert (ROOT / entry.tried).exists()


def test_a_client_is_started_with_the_chain_it_asks_for() -> None:
    assert started(client("aider"), Link(model="coding")) == "aider --model openai/coding"
    assert started(client("curl"), Link()) == ""

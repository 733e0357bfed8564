"""The file that a new user starts from comes back as it was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.discovery import LocalServer, discovered
from spillover.config.loader import load
from spillover.config.starter import SCHEMA_FILE, assembled, minimal, starter
from tests.config.writing import KEYS

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = load_catalogue()
EVERYTHING = {
    name: "some-value-0001"
    for entry in CATALOGUE.providers.values()
    for name in (*entry.key_env, *entry.places)
}
SERVER = LocalServer(provider="ollama", base_url="http://127.0.0.1:11434/v1", models=("qwen3:8b",))


@pytest.mark.parametrize(
    ("environ", "servers"),
    [
        (EVERYTHING, (SERVER,)),
        ({"GROQ_API_KEY": "gsk_1"}, ()),
        ({"OPENAI_API_KEY": "sk-1"}, ()),
        ({}, (SERVER,)),
    ],
    ids=["everything", "free", "paid", "local"],
)
def test_what_was_found_comes_back_as_it_was(
    tmp_path: Path, environ: dict[str, str], servers: tuple[LocalServer, ...]
) -> None:
    document = discovered(environ, servers, CATALOGUE)
    path = tmp_path / "spillover.yaml"
    path.write_text(starter(document), "utf-8")

    config = load(path, environ=environ)

    assert config.document == document
    assert (config.warnings, config.missing_keys) == ((), ())


def test_with_nothing_found_an_example_is_written_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(starter(None), "utf-8")

    assert load(path, environ=KEYS).warnings == ()
    assert [problem.key for problem in load(path, environ={}).missing_keys] == [
        "profiles.groq.api_key",
        "profiles.openai.api_key",
    ]
    assert "put your own in here" in starter(None)


def test_the_first_line_names_the_schema_for_editors() -> None:
    first = starter(None).splitlines()[0]

    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE}"


def test_no_key_is_ever_written() -> None:
    document = discovered({"GROQ_API_KEY": "gsk_very-secret"}, (), CATALOGUE)

    assert "gsk_very-secret" not in starter(document)


@pytest.mark.parametrize(
    "value", ["@cf/x", "a: b", "yes", "1.5", "x #y", "", "{a}", "*", "-a", "ü", "${A} b"], ids=repr
)
def test_values_that_yaml_would_misread_are_quoted(tmp_path: Path, value: str) -> None:
    document = {
        "profiles": {"p": {"provider": "groq", "title": value}},
        "chains": {"default": {"profiles": ["p"]}},
        "aliases": {value: "default"},
    }
    path = tmp_path / "spillover.yaml"
    path.write_text(starter(document), "utf-8")

    if value:
        assert load(path, environ={**KEYS, "A": "1"}).document == document


def test_numbers_and_flags_stay_what_they_are(tmp_path: Path) -> None:
    document = {
        "profiles": {"p": {"provider": "groq", "context_tokens": 1000, "lacks": []}},
        "chains": {"default": {"profiles": ["p"]}},
        "aliases": {"*": "default"},
    }
    path = tmp_path / "spillover.yaml"
    path.write_text(starter(document), "utf-8")

    assert load(path, environ=KEYS).document == document


def test_a_file_is_assembled_of_what_comes_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    profile = {"provider": "groq", "api_key": "${GROQ_API_KEY}", "model": "m", "title": "a: b"}
    document = {
        "profiles": {"one": profile},
        "chains": {"default": ["one"], "long": {"profiles": ["one"], "cooldown": "30s"}},
        "aliases": {"team/fast": "long", "*": "default"},
    }
    path.write_text(assembled(document), "utf-8")

    assert load(path, environ=KEYS).document == document
    assert "    api_key: ${GROQ_API_KEY}\n" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "groq"),
        ({"GROQ_API_KEY": "gsk_1", "OPENAI_API_KEY": "sk-1"}, "groq"),
        ({"OPENAI_API_KEY": "sk-1"}, "openai"),
    ],
)
def test_the_least_is_one_profile_that_answers_to_every_name(
    tmp_path: Path, environ: dict[str, str], name: str
) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(minimal(discovered(environ, (), CATALOGUE)), "utf-8")

    config = load(path, environ=environ).config

    assert list(config.profiles) == [name]
    assert config.aliases == {"*": "default"}
    assert len(path.read_text("utf-8").splitlines()) <= 10

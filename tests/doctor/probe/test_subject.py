"""What is examined: a configuration as far as it can be read."""

from __future__ import annotations

import sys
from pathlib import Path

from spillover.config.loader import load_document
from spillover.doctor.probe.subject import Subject, this_system

DOCUMENT = {"profiles": {name: {"base_url": "https://a.example/v1", "model": "m"} for name in "ab"}}


def test_all_profiles_are_examined_or_those_that_are_named() -> None:
    loaded, path = load_document(DOCUMENT, environ={}), Path("conf/spillover.yaml")

    assert Subject.of(path, {}, loaded).profiles == ("a", "b")
    assert Subject.of(path, {}, loaded, only=("b",)).profiles == ("b",)


def test_a_set_up_without_a_configuration_has_none_and_the_packaged_catalogue() -> None:
    found = Subject.of(Path("conf/spillover.yaml"), {}, None)

    assert found.profiles == ()
    assert found.env_path == Path("conf/.env")
    assert found.catalogue.provider("groq") is not None


def test_a_set_up_shows_no_key_of_its_environment() -> None:
    assert "gsk_secret" not in repr(Subject.of(Path("f"), {"GROQ_API_KEY": "gsk_secret"}, None))


def test_the_system_is_the_one_that_runs() -> None:
    known = {"linux": "linux", "darwin": "macos", "win32": "windows"}

    assert this_system().value == known[sys.platform]

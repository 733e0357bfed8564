"""The configuration that is found: a file that is named, the user's own, or what is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from spillover import catalogue
from spillover.catalogue import Kind
from spillover.errors import ConfigError
from spillover.library.finding import FOUND, find_config, found_config

if TYPE_CHECKING:
    from pathlib import Path

ONE = "profiles: {one: {base_url: 'http://127.0.0.1:9/v1', model: m, tier: free}}\nchains: {default: [one]}\n"
OFF = {
    name: "http://127.0.0.1:9"
    for entry in catalogue.load().providers.values()
    if entry.kind is Kind.LOCAL
    for name in entry.address_env
}
"""Addresses at which no local server answers, whatever runs on this machine."""


@pytest.fixture(name="folder")
def _folder(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(own_folders.parent)
    return own_folders.parent


def test_a_named_file_is_taken(folder: Path) -> None:
    path = folder / "mine.yaml"
    path.write_text(ONE, "utf-8")

    given = asyncio.run(found_config(path, {}))
    by_variable = asyncio.run(found_config(None, {"SPILLOVER_CONFIG": str(path)}))

    assert given.path == by_variable.path == path


def test_a_named_file_that_is_not_there_is_an_error_even_with_keys_at_hand(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no readable file"):
        asyncio.run(found_config(folder / "none.yaml", {"GROQ_API_KEY": "gsk_1"}))


def test_the_users_own_file_is_found_without_naming_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folder / "xdg_config_home" / "spillover" / "spillover.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(ONE, "utf-8")

    loaded = asyncio.run(found_config(None, {}))

    assert loaded.path == own


def test_a_file_in_the_working_folder_is_not_taken_by_itself(folder: Path) -> None:
    (folder / "spillover.yaml").write_text(ONE, "utf-8")

    assert asyncio.run(find_config(None, OFF)) is None


def test_without_a_file_every_key_in_the_environment_makes_a_profile(folder: Path) -> None:
    loaded = asyncio.run(found_config(None, {**OFF, "GROQ_API_KEY": "gsk_1"}))

    assert loaded.path is None
    assert loaded.file == FOUND
    assert list(loaded.config.profiles) == ["groq"]


def test_keys_in_the_env_file_beside_the_users_own_place_count(folder: Path) -> None:
    beside = folder / "xdg_config_home" / "spillover" / ".env"
    beside.parent.mkdir(parents=True)
    beside.write_text("GROQ_API_KEY=gsk_1\n", "utf-8")

    loaded = asyncio.run(found_config(None, OFF))

    assert list(loaded.config.profiles) == ["groq"]


def test_nothing_at_all_is_an_error_that_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ConfigError, match="spillover init"):
        asyncio.run(found_config(None, OFF))

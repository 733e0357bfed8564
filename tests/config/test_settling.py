"""A plan is written with its keys, or neither is."""

from __future__ import annotations

import json
from collections import UserDict
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.loader import load
from spillover.config.secrets import Secret
from spillover.config.settling import Settled, Terms, settle
from spillover.errors import ConfigError, EditRefused
from tests.config.importers.files import planned
from tests.config.rings import ring_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.config.importers import Plan

MINE = """\
# mine
profiles:
  groq: {provider: groq, api_key: "${GROQ_API_KEY}", model: m}  # first
"""


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "spillover.yaml"


def settled(path: Path, plan: Plan, *, tool: str = "kilo", **more: Any) -> Settled:
    environ = {
        "SPILLOVER_STATE_DIR": str(path.parent.parent / "state"),
        "GROQ_API_KEY": "k-1234567",
    }
    given = {"environ": environ, "ring": False, **more}
    return settle(plan, path, Terms(tool=tool, now=lambda: 1_000.0, **given))


def mine(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(MINE)


def test_a_new_file_is_made_with_comments_and_its_schema(path: Path) -> None:
    found = settled(path, planned("kilo"))

    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=spillover.schema.json\n")
    assert "  Free-first: [Chutes-AI-Free, OpenAI-Paid]" in text
    assert text.index("architect: OpenAI-Paid") < text.index('"*": Free-first')
    assert (found.created, found.written, found.missing) == (True, True, ())
    assert json.loads(path.with_name("spillover.schema.json").read_text())["title"]
    loaded = load(path, environ={})
    assert loaded.config.profiles["OpenAI-Paid"].api_key == Secret("sk-of-the-tests-openai-0001")
    assert loaded.missing_keys == ()


def test_a_file_that_is_there_keeps_its_comments_and_its_chain(path: Path) -> None:
    mine(path)

    found = settled(path, planned("cline-providers"), tool="cline")

    text = path.read_text()
    assert text.startswith(MINE)
    assert "default: [groq]" in text
    assert "cline: [openai-compatible, groq-2]" in text
    assert found.profiles["groq-2"]["api_key"] == "${GROQ_API_KEY_2}"
    assert not found.created


def test_the_same_import_again_writes_nothing(path: Path) -> None:
    settled(path, planned("kilo"))
    before = path.read_bytes()

    found = settled(path, planned("kilo"))

    assert not found.written
    assert path.read_bytes() == before


def test_what_is_missing_is_told_once_for_all(path: Path) -> None:
    (missing,) = settled(path, planned("openrouter"), tool="openrouter").missing

    assert "OPENROUTER_API_KEY is not set" in missing
    assert missing.count("profiles.") == 3


@pytest.mark.parametrize("before", [MINE, None])
def test_a_dry_run_checks_and_writes_nothing(path: Path, before: str | None) -> None:
    if before is not None:
        mine(path)

    with ring_in_use() as ring:
        found = settled(path, planned("roo"), dry_run=True, ring=True)

        assert ring.held == {}
    assert not found.written
    assert found.profiles["anthropic"]["api_key"].startswith("${")
    assert not path.with_name(".env").exists()
    assert (path.read_text() if path.exists() else None) == before


def test_a_key_that_is_there_already_is_not_kept_again(path: Path) -> None:
    plan = planned("cline-providers")
    plan.profiles["groq"]["api_key"] = Secret("k-1234567")

    assert settled(path, plan).profiles["groq"]["api_key"] == "${GROQ_API_KEY}"
    assert "GROQ" not in path.with_name(".env").read_text()


@pytest.mark.parametrize("before", [MINE, None])
def test_what_can_not_be_used_takes_its_keys_away_again(path: Path, before: str | None) -> None:
    if before is not None:
        mine(path)
    plan = planned("cline-providers")
    plan.profiles["groq"]["tier"] = "silver"

    with ring_in_use() as ring, pytest.raises(EditRefused, match="silver"):
        settled(path, plan, ring=True)

    assert ring.held == {}
    assert not path.with_name(".env").exists()
    assert (path.read_text() if path.exists() else None) == before


def test_a_file_that_can_not_be_written_leaves_the_env_as_it_was(path: Path) -> None:
    mine(path)
    path.with_name(".env").write_text("A=1\n")
    path.chmod(0o444)

    with pytest.raises(EditRefused, match="read-only"):
        settled(path, planned("roo"))

    assert path.read_text() == MINE
    assert path.with_name(".env").read_text() == "A=1\n"


def test_a_file_that_is_broken_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("profiles: 5\n")

    with pytest.raises(ConfigError):
        settled(path, planned("roo"))


def test_a_plan_of_profiles_alone_is_chained(path: Path) -> None:
    plan = planned("openrouter")
    plan.chains.clear()

    settled(path, plan)

    assert "  default: [glm-5-free, " in path.read_text()


def test_a_file_that_comes_while_one_is_made_is_not_written_over(path: Path) -> None:
    class Late(UserDict[str, str]):
        """Variables that are looked through when it is known that there is no file."""

        def __iter__(self) -> Iterator[str]:
            if not path.parent.exists():
                mine(path)
            return super().__iter__()

    environ = Late(SPILLOVER_STATE_DIR=str(path.parent.parent / "state"))

    with pytest.raises(EditRefused, match="is there now"):
        settled(path, planned("kilo"), environ=environ)

    assert path.read_text() == MINE
    assert not path.with_name(".env").exists()

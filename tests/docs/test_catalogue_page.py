"""The page on the catalogue names every field that a user's own file may hold, and the ranks."""

from __future__ import annotations

import re

import pytest

from spillover.catalogue import FreeRow, ModelRow, Provider, load
from tests.structure.project import ROOT

PAGE = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
SECTIONS = {"A provider": Provider, "A row of free limits": FreeRow, "A model": ModelRow}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_is_documented_and_nothing_else_is(section: str) -> None:
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]

    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named == set(SECTIONS[section].__struct_fields__)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("groq", "openai/gpt-oss-120b"),
        ("gemini", "gemini-3.5-flash"),
        ("openrouter", "z-ai/glm-5:free"),
        ("mistral", "mistral-medium-2508"),
        ("cloudflare", "@cf/openai/gpt-oss-120b"),
        ("cerebras", "gpt-oss-120b"),
    ],
)
def test_the_ranks_of_the_page_are_the_catalogues(provider: str, model: str) -> None:
    place = load().rank(provider, model)

    name = load().providers[provider].name.split()[0].removesuffix(" AI")
    assert re.search(
        rf"^\| {place} \| .*{'Gemini' if provider == 'gemini' else name}", PAGE, re.MULTILINE
    )


def test_the_page_counts_the_providers() -> None:
    assert f"{len(load().providers)} of them" in PAGE

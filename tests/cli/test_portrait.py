"""Everything known of a provider, in lines."""

from __future__ import annotations

from datetime import date

import pytest

from spillover.catalogue import load
from spillover.cli.portrait import dated, portrait

CATALOGUE = load()
TODAY = date(2026, 11, 20)


def lines(name: str, **options: str) -> list[str]:
    facts = CATALOGUE.facts_of(name)
    return [line.plain for line in portrait(CATALOGUE.providers[name], facts, TODAY, **options)]


def said(name: str, fact: str) -> str:
    """What is said of one fact; empty where nothing is."""
    return next((line[22:] for line in lines(name) if line.startswith(f"  {fact} ")), "")


@pytest.mark.parametrize("name", sorted(CATALOGUE.providers))
def test_every_provider_can_be_shown(name: str) -> None:
    assert lines(name)[0].endswith(name)


@pytest.mark.parametrize(
    ("name", "fact", "expected"),
    [
        ("groq", "kind", "cloud, free tier"),
        ("litellm", "kind", "gateway, paid"),
        ("gemini", "speaks", "openai, or protocol: gemini; its own: gemini-generate-content"),
        ("cloudflare", "address from", "CLOUDFLARE_ACCOUNT_ID"),
        ("ollama", "address from", "OLLAMA_HOST"),
        ("ollama", "key", "none, or none"),
        ("azure", "key sent as", "api-key: …"),
        ("groq", "key shown right by", "the list of models refuses a wrong one"),
        ("openrouter", "key shown right by", "the list of models proves none, /key refuses"),
        ("gemini", "windows", "minute calendar, UTC taken, day calendar, America/Los_Angeles"),
        ("groq", "windows", "minute refill, day refill"),
        ("groq", "max_tokens", "counted whole before the answer"),
        ("groq", "cached input", "not counted ("),
        ("openai", "cached input", ""),
        ("cloudflare", "a neuron costs", "$0.000011"),
        ("nvidia", "first token", "180 s (SSE headers come at once"),
        ("openrouter", "quota asked at", "/api/v1/key"),
        ("mistral", "terms", "the free plan asks for a phone number"),
        ("azure", "default model", "none: the name of your own deployment"),
        ("openrouter", "as of", "2026-07-26, 117 days old"),
        ("cerebras", "as of", "2026-09-04"),
    ],
    ids=str,
)
def test_a_fact_is_shown(name: str, fact: str, expected: str) -> None:
    assert said(name, fact).startswith(expected)
    assert bool(said(name, fact)) is bool(expected)


def test_a_free_row_tells_its_figures_its_age_and_what_it_was() -> None:
    shown = lines("cerebras")

    assert "    once: $5" in shown
    assert any(line.startswith("    as of 2026-06-10, 163 days old, medium") for line in shown)
    was = "    was 30 requests per minute, 1M tokens per day, context: 8,192 tokens on 2026-05-25: "
    assert any(line.startswith(was) for line in shown)
    assert "    only older published table, superseded" in shown


def test_a_row_without_models_or_figures_says_so() -> None:
    shown = lines("siliconflow")

    assert "  some models" in shown


def test_models_are_shown_with_context_price_and_what_they_lack() -> None:
    shown = lines("openai")

    (row,) = [line.split() for line in shown if line.startswith("  gpt-5.4 ")]
    assert row == ["gpt-5.4", "1,050,000", "128,000", "2.5", "15", "embeddings"]
    (unknown,) = [line.split() for line in shown if line.startswith("  gpt-5 ")]
    assert unknown[1:3] == ["?", "?"]


def test_a_rank_says_why() -> None:
    (rank,) = [line for line in lines("groq") if line.startswith("  20  *")]

    assert "second in the classic order" in rank


def test_who_changed_an_entry_is_named() -> None:
    assert any(
        "changed by" in line and "mine.yaml" in line for line in lines("groq", by="mine.yaml")
    )


def test_only_a_date_that_is_old_says_how_old() -> None:
    assert dated("2026-11-01", TODAY).plain == "2026-11-01"
    assert dated("2026-02", TODAY).plain == "2026-02, 265 days old"


def test_retired_models_are_shown_with_what_follows_them() -> None:
    shown = lines("groq")

    assert "Retired" in shown
    assert any(
        line.startswith("  llama-3.1-8b-instant  2026-08-16, then openai/gpt-oss-20b")
        for line in shown
    )

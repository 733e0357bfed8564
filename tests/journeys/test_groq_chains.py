"""Groq's models, large to small, then GLM at another provider: the chains of the page of recipes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.simulator import Fault, Model, ProviderSpec, limits, running
from tests.journeys.processes import ANSWER, ASKED, gateway, key_of, write
from tests.journeys.recipes import pointed, recipe
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.simulator import SimulatedProvider
    from tests.journeys.processes import Gateway

TODAY, GUIDES = "groq's models, then GLM", "the guide's names, with today's beside them"
LARGE, SMALL = "openai/gpt-oss-120b", "openai/gpt-oss-20b"
RETIRED = ("llama-3.3-70b-versatile", "llama-3.1-8b-instant")


@contextmanager
def chain_of(
    title: str, config: Path, *quotas: str, kept: tuple[str, ...] = ()
) -> Iterator[tuple[Gateway, SimulatedProvider, SimulatedProvider]]:
    """Serve a recipe over a Groq that has today's models and those `kept`, and an OpenRouter."""
    groq_key, openrouter_key = key_of("groq"), key_of("openrouter")
    groq = ProviderSpec(
        flavour="groq",
        models=dict.fromkeys((LARGE, SMALL, *kept), Model()),
        keys=frozenset({groq_key}),
        limits=limits(*quotas),
        answer=ANSWER,
    )
    openrouter = ProviderSpec(flavour="openrouter", keys=frozenset({openrouter_key}), answer=ANSWER)
    with running(groq, openrouter) as (first, second):
        written = recipe(title)
        places = {
            name: (first.base_url, groq_key) if name != "glm" else (second.base_url, openrouter_key)
            for name in written["profiles"]
        }
        with gateway(write(config, pointed(written, places))) as found:
            yield found, first, second


def trails(found: Gateway, count: int) -> list[str]:
    replies = [found.chat(messages=ASKED) for _ in range(count)]
    assert [reply.status for reply in replies] == [200] * count
    return [reply.headers["x-spillover-trail"] for reply in replies]


def models_of(provider: SimulatedProvider) -> list[str]:
    return [record.model for record in provider.records]


def test_a_rate_limit_spills_to_the_small_model_and_then_to_glm(config: Path) -> None:
    with chain_of(TODAY, config, "requests=2/hour:model") as (found, groq, _):
        seen = trails(found, 6)

        assert seen == [
            "groq-large:ok",
            "groq-large:ok",
            "groq-large:quota_exhausted,groq-small:ok",
            "groq-small:ok",
            "groq-small:quota_exhausted,glm:ok",
            "glm:ok",
        ]
        assert models_of(groq) == [LARGE] * 3 + [SMALL] * 3
        assert found.profile("groq-large")["status"] == "exhausted"


def test_a_minute_that_is_full_is_left_for_the_time_it_states(config: Path) -> None:
    with chain_of(TODAY, config, "requests=1/minute:model") as (found, _, openrouter):
        seen = trails(found, 4)

        assert seen == [
            "groq-large:ok",
            "groq-large:rate_limited,groq-small:ok",
            "groq-small:rate_limited,glm:ok",
            "glm:ok",
        ]
        shown = found.profile("groq-large")
        assert (shown["status"], shown["confidence"]) == ("cooldown", "stated")
        assert models_of(openrouter) == ["z-ai/glm-5:free"] * 2


@pytest.mark.parametrize("status", [404, 400])
def test_retired_models_are_replaced_within_the_request_and_then_left_alone(
    config: Path, status: int
) -> None:
    gone = Fault(
        status=status,
        headers={"content-type": "application/json"},
        body=(
            '{"error":{"message":"The model `llama` has been decommissioned and is no longer'
            ' supported.","type":"invalid_request_error","code":"model_decommissioned"}}'
        ),
    )

    with chain_of(GUIDES, config, kept=RETIRED) as (found, groq, _):
        for model in RETIRED:
            groq.script(gone, times=None, model=model)
        seen = trails(found, 3)

        assert seen == ["groq-70b:model_not_found,groq-70b:ok", "groq-70b:ok", "groq-70b:ok"]
        assert models_of(groq) == [RETIRED[0], LARGE, LARGE, LARGE]
        assert found.profile("groq-70b")["status"] == "active"


def test_a_guides_chain_spills_from_todays_large_model_to_the_small_one_and_glm(
    config: Path,
) -> None:
    with chain_of(GUIDES, config, "requests=1/hour:model") as (found, _, _):
        seen = trails(found, 3)

        assert seen == [
            "groq-70b:model_not_found,groq-70b:ok",
            "groq-70b:quota_exhausted,groq-8b:model_not_found,groq-8b:ok",
            "groq-8b:quota_exhausted,glm:ok",
        ]


def test_the_page_names_the_models_that_the_catalogue_has() -> None:
    groq = load_catalogue().providers["groq"]
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    rows: list[tuple[Any, ...]] = re.findall(
        r"^\| `(llama\S+)` \(retired (\S+)\).*`(\S+)` \|$", page, re.MULTILINE
    )

    free = {model for row in groq.free for model in row.models}
    assert [row[0] for row in rows] == list(RETIRED)
    assert [row[2] for row in rows] == [LARGE, SMALL]
    for retired, when, today in rows:
        assert retired in (groq.free_note or "")
        assert when in (groq.free_note or "")
        assert retired not in free
        assert today in free

"""Questions to the catalogue: names, free limits, windows, models."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from spillover.catalogue import Catalogue, load
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Capability,
    Lifetime,
    LimitScope,
    Metric,
    Refill,
    Rolling,
)


def a_catalogue(**changes: Any) -> Catalogue:
    """A catalogue of one made-up provider."""
    provider = {
        "id": "acme",
        "name": "Acme",
        "aliases": ["acme-ai"],
        "kind": "cloud",
        "base_url": "https://api.acme.example/v1",
        "base_url_source": "made up",
        "auth": {"header": "Authorization", "scheme": "Bearer"},
        "pool": "account",
        "tier_kind": "recurring",
        "stream_usage": "ask",
        "default_model": {"id": "m", "source": "made up", "as_of": "2026-01-01"},
        "models_path": "/models",
        "as_of": "2026-01-01",
        **changes,
    }
    models = {
        "m": {
            "context": 1000,
            "lacks": ["vision"],
            "price": [1, 2],
            "status": "deprecated",
            "rank": 1,
        }
    }
    head = {"collected": "2026-01-01", "about": "", "providers": [provider]}
    tail = {"source": "made up", "as_of": "2026-01-01", "note": "", "models": {"acme": models}}
    return Catalogue(json.dumps(head).encode(), json.dumps(tail).encode())


def a_row(*models: str, **changes: Any) -> dict[str, Any]:
    row = {"models": models, "source": "made up", "as_of": "2026-01-01", "confidence": "low"}
    return row | changes


def test_a_provider_is_found_by_id_alias_and_any_case() -> None:
    catalogue = load()

    assert catalogue.provider("gemini") is catalogue.provider("google")
    assert catalogue.provider("Groq") is catalogue.provider("groq")
    assert catalogue.provider("nobody") is None


def test_the_nearest_provider_is_named_first() -> None:
    assert load().nearest("grok")[0] == "groq"


def test_the_catalogue_is_read_once() -> None:
    assert load() is load()


def test_reading_it_loads_nothing_that_is_slow_to_load() -> None:
    code = "import sys; from spillover.catalogue import load; load(); print(*sys.modules)"
    slow = {"aiohttp", "asyncio", "httpx", "pydantic", "ruamel.yaml", "uvicorn"}

    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )

    assert not slow & set(listed.stdout.split())


def test_groq_counts_each_model_in_a_bucket_that_refills() -> None:
    limits = load().free_limits("groq", "openai/gpt-oss-120b") or ()

    by_name = {(limit.metric, limit.per): limit for limit in limits}
    tokens = by_name[Metric.TOKENS, "day"]
    assert tokens.amount == 200_000
    assert tokens.window == Refill(seconds=86_400)
    assert tokens.scope is LimitScope.MODEL
    assert tokens.as_of == "2026-08-20"


def test_geminis_day_begins_at_midnight_in_california_and_its_minute_at_the_clocks() -> None:
    limits = load().free_limits("gemini", "gemini-3.5-flash") or ()

    windows = {(limit.metric, limit.per): limit.window for limit in limits}
    assert windows[Metric.REQUESTS, "day"] == Calendar(
        unit=CalendarUnit.DAY, zone="America/Los_Angeles"
    )
    assert windows[Metric.REQUESTS, "minute"] == Calendar(unit=CalendarUnit.MINUTE)


def test_geminis_tokens_per_minute_are_input_alone() -> None:
    limits = load().free_limits("google", "gemini-3.5-flash") or ()

    assert {limit.metric for limit in limits} == {Metric.REQUESTS, Metric.INPUT_TOKENS}


def test_openrouters_free_models_share_the_accounts_pool() -> None:
    limits = load().free_limits("openrouter", "z-ai/glm-5:free") or ()

    assert {(limit.amount, limit.per, limit.scope) for limit in limits} == {
        (20, "minute", LimitScope.ACCOUNT),
        (50, "day", LimitScope.ACCOUNT),
    }


def test_a_models_own_figures_win_and_the_general_ones_stay() -> None:
    limits = load().free_limits("mistral", "mistral-medium-2508") or ()

    amounts = {(limit.metric, limit.per): limit.amount for limit in limits}
    assert amounts[Metric.TOKENS, "minute"] == 356_250
    assert amounts[Metric.TOKENS, "month"] == 1_000_000_000
    assert amounts[Metric.REQUESTS, "second"] == 1


def test_a_figure_may_be_counted_elsewhere_than_the_providers_others() -> None:
    limits = load().free_limits("mistral", "mistral-medium-2508") or ()

    scopes = {limit.per: limit.scope for limit in limits}
    assert scopes["month"] is LimitScope.ACCOUNT
    assert scopes["minute"] is LimitScope.MODEL


def test_neurons_and_money_are_counted_in_their_smallest_units() -> None:
    neurons = load().free_limits("cloudflare", "@cf/openai/gpt-oss-120b") or ()
    money = load().free_limits("huggingface", "openai/gpt-oss-120b") or ()

    assert [limit.amount for limit in neurons if limit.metric is Metric.NEURONS] == [10_000_000_000]
    assert [limit.amount for limit in money] == [100_000_000]


@pytest.mark.parametrize(
    ("provider", "model", "metric", "amount", "scope"),
    [
        ("cerebras", "gpt-oss-120b", Metric.COST, 5_000_000_000, LimitScope.ACCOUNT),
        ("deepseek", "deepseek-chat", Metric.TOKENS, 5_000_000, LimitScope.ACCOUNT),
        ("alibaba", "qwen-plus", Metric.TOKENS, 1_000_000, LimitScope.MODEL),
    ],
)
def test_a_credit_for_newcomers_is_a_limit_that_never_frees(
    provider: str, model: str, metric: Metric, amount: int, scope: LimitScope
) -> None:
    limits = load().free_limits(provider, model) or ()

    (credit,) = [limit for limit in limits if limit.window == Lifetime()]
    assert (credit.metric, credit.amount, credit.per, credit.scope) == (
        metric,
        amount,
        "lifetime",
        scope,
    )


def test_a_window_that_nobody_knows_is_taken_as_rolling() -> None:
    limits = load().free_limits("cohere", "command-a-03-2025") or ()

    windows = {limit.per: limit.window for limit in limits}
    assert windows["month"] == Rolling(seconds=31 * 86_400)
    assert load().window("cohere", "month") is None


def test_windows_are_told_where_they_are_known() -> None:
    catalogue = load()

    assert catalogue.window("openrouter", "day") == Calendar(unit=CalendarUnit.DAY)
    assert catalogue.window("groq", "minute") == Refill(seconds=60)
    assert catalogue.window("groq", "month") is None
    assert catalogue.window("nobody", "day") is None


def test_concurrency_has_no_window() -> None:
    (limit,) = load().free_limits("ollama-cloud", "gpt-oss:120b") or ()

    assert (limit.metric, limit.amount, limit.per, limit.window) == (
        Metric.CONCURRENCY,
        1,
        None,
        None,
    )


def test_no_figures_are_none_and_not_nothing() -> None:
    catalogue = load()

    assert catalogue.free_limits("openai", "gpt-5-mini") is None
    assert catalogue.free_limits("opencode-zen", "big-pickle") is None
    assert catalogue.free_limits("nobody", "m") is None


def test_the_nearest_model_with_figures_is_of_the_same_provider() -> None:
    catalogue = load()

    assert catalogue.nearest_model_with_figures("groq", "gpt-oss-12b") == "openai/gpt-oss-120b"
    assert catalogue.nearest_model_with_figures("openai", "gpt-5-mini") is None
    assert catalogue.nearest_model_with_figures("nobody", "m") is None


def test_rows_that_hold_under_a_condition_are_never_applied() -> None:
    usual = a_row("*", figures=[{"metric": "requests", "amount": 50, "per": "day"}])
    rich = a_row(
        "*", figures=[{"metric": "requests", "amount": 1000, "per": "day"}], condition="paid once"
    )

    limits = a_catalogue(free=[rich, usual]).free_limits("acme", "m") or ()

    assert [limit.amount for limit in limits] == [50]


@pytest.mark.parametrize(
    ("provider", "model", "free"),
    [
        ("groq", "openai/gpt-oss-120b", True),
        ("opencode-zen", "big-pickle", True),
        ("gemini", "gemini-2.5-pro", False),
        ("groq", "llama-unheard-of", False),
        ("openai", "gpt-5-mini", False),
        ("alibaba", "qwen-flash", False),
        ("nobody", "m", False),
    ],
    ids=[
        "figures",
        "free without figures",
        "an amount of 0",
        "unknown model",
        "paid",
        "one-time credit",
        "unknown",
    ],
)
def test_free_is_what_a_recurring_tier_covers(provider: str, model: str, *, free: bool) -> None:
    assert load().is_free(provider, model) is free


def test_model_facts_tell_context_price_and_what_is_lacking() -> None:
    facts = load().model_facts("groq", "openai/gpt-oss-120b")

    assert facts is not None
    assert (facts.context_tokens, facts.max_output_tokens) == (131_072, 65_536)
    assert facts.price_usd == (0.15, 0.6)
    assert facts.lacks == {Capability.EMBEDDINGS, Capability.VISION}


def test_model_facts_name_their_own_source_or_the_files() -> None:
    catalogue = load()

    listed = catalogue.model_facts("groq", "openai/gpt-oss-120b")
    judged = catalogue.model_facts("openai", "gpt-5.4")

    assert listed is not None
    assert judged is not None
    assert listed.source.startswith("https://github.com/anomalyco/models.dev")
    assert judged.source.endswith("gpt-5.4.toml")
    assert (listed.as_of, judged.as_of) == ("2026-07-02", "2026-07-02")


@pytest.mark.parametrize(
    ("model", "place"),
    [("plain", 9), ("big-model", 2), ("big-one", 3), ("m", 1)],
    ids=["any", "longer glob", "the name itself", "the model's own"],
)
def test_the_most_specific_rank_counts(model: str, place: int) -> None:
    row = {"reason": "made up", "as_of": "2026-01-01"}
    ranks = [
        {"models": ["*"], "place": 9, **row},
        {"models": ["big-*"], "place": 2, **row},
        {"models": ["big-one"], "place": 3, **row},
    ]

    assert a_catalogue(ranks=ranks).rank("acme", model) == place


def test_who_is_not_ranked_has_no_place() -> None:
    catalogue = load()

    assert catalogue.rank("openrouter", "z-ai/glm-5") is None
    assert catalogue.rank("nobody", "m") is None


def test_neurons_are_those_written_or_follow_from_the_price() -> None:
    written = load().model_facts("cloudflare", "@cf/meta/llama-3.2-1b-instruct")
    derived = a_catalogue(neuron_usd=0.5).model_facts("acme", "m")

    assert written is not None
    assert derived is not None
    assert (written.neurons, derived.neurons) == ((2_457, 18_252), (2, 4))


def test_what_a_paid_plan_alone_may_use_is_not_free() -> None:
    catalogue = load()

    limits = catalogue.free_limits("cloudflare", "@cf/moonshotai/kimi-k2.6") or ()

    assert [limit.amount for limit in limits if limit.metric is Metric.NEURONS] == [0]
    assert not catalogue.is_free("cloudflare", "@cf/moonshotai/kimi-k2.6")


def test_an_embedding_model_lacks_chat() -> None:
    facts = load().model_facts("gemini", "gemini-embedding-001")

    assert facts is not None
    assert Capability.CHAT in facts.lacks
    assert Capability.EMBEDDINGS not in facts.lacks


def test_facts_of_what_is_not_listed_are_none() -> None:
    assert load().model_facts("groq", "nobody/knows") is None
    assert load().model_facts("nobody", "m") is None
    assert load().models("nobody") == {}


def test_a_free_tiers_smaller_context_counts() -> None:
    catalogue = a_catalogue(free=[a_row("m", context_tokens=500)])

    facts = catalogue.model_facts("acme", "m")

    assert facts is not None
    assert (facts.context_tokens, facts.deprecated) == (500, True)


def test_groqs_refusals_without_a_wait_have_one_by_model_and_limit() -> None:
    small = dict(load().guessed_waits("groq", "llama-3.1-8b-instant"))
    large = dict(load().guessed_waits("groq", "llama-3.3-70b-versatile"))
    compound = dict(load().guessed_waits("groq", "groq/compound"))

    assert small == {
        "requests_per_minute": 2.0,
        "requests_per_day": None,
        "tokens_per_minute": 10.0,
        "tokens_per_day": None,
    }
    assert large["tokens_per_minute"] == 5.0
    assert "tokens_per_day" not in compound
    assert load().guessed_waits("groq", "whisper") == ()
    assert load().guessed_waits("nobody", "m") == ()


def test_a_retired_model_is_known_with_its_end_and_its_successor() -> None:
    known = load()

    gone = known.retired("groq", "llama-3.1-8b-instant")
    nameless = known.retired("groq", "meta-llama/llama-4-scout-17b-16e-instruct")

    assert gone is not None
    assert (gone.on, gone.successor) == ("2026-08-16", "openai/gpt-oss-20b")
    assert nameless is not None
    assert nameless.successor is None
    assert known.retired("groq", "openai/gpt-oss-120b") is None
    assert known.retired("nobody", "m") is None


def test_no_successor_is_retired_itself() -> None:
    known = load()
    rows = [(entry.id, row) for entry in known.providers.values() for row in entry.retired]

    assert rows
    assert not [row for name, row in rows if row.successor and known.retired(name, row.successor)]

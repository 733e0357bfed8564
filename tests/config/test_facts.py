"""What a profile says joined with what the catalogue knows."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.catalogue import load
from spillover.config import facts
from spillover.config.schema import Config
from spillover.core.values import Metric, Price, Tier

CATALOGUE = load()


def a_config(**profile: Any) -> Config:
    return Config.model_validate(
        {"accounts": {"shared": {"provider": "openrouter"}}, "profiles": {"p": profile}}
    )


def tier(profile: dict[str, Any]) -> Tier:
    config = a_config(**profile)
    entry = facts.entry_of(config.profiles["p"], config, CATALOGUE)
    address = profile.get("base_url") or (entry.base_url if entry is not None else "")
    return facts.tier_of(config.profiles["p"], config, CATALOGUE, base_url=address)


def test_the_provider_is_the_accounts_where_there_is_one() -> None:
    config = a_config(account="shared", model="m")

    assert facts.provider_name(config.profiles["p"], config) == "openrouter"


def test_the_catalogues_default_model_is_taken_where_none_is_written() -> None:
    named, unnamed = a_config(provider="groq", model="mine"), a_config(provider="groq")

    assert facts.model_of(named.profiles["p"], named, CATALOGUE) == "mine"
    assert facts.model_of(unnamed.profiles["p"], unnamed, CATALOGUE) == "openai/gpt-oss-120b"


def test_an_address_alone_has_no_default_model() -> None:
    config = a_config(base_url="http://127.0.0.1:1")

    assert facts.model_of(config.profiles["p"], config, CATALOGUE) is None


def test_free_limits_are_the_catalogues() -> None:
    config = a_config(provider="groq", limits="free")

    specs = facts.limits_of(config.profiles["p"], config, CATALOGUE)

    assert specs is not None
    assert {(spec.metric, spec.per) for spec in specs} >= {(Metric.TOKENS, "day")}


def test_free_limits_that_nobody_knows_are_none() -> None:
    config = a_config(provider="openai", limits="free")

    assert facts.limits_of(config.profiles["p"], config, CATALOGUE) is None


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            {"provider": "openai", "model": "gpt-5-mini", "price": {"input": 1.5, "output": 6}},
            Price(input=1_500, output=6_000),
        ),
        ({"provider": "openai", "model": "gpt-5-mini"}, Price(input=250, output=2_000)),
        ({"provider": "groq"}, Price(input=150, output=600)),
        ({"provider": "openrouter", "model": "z-ai/glm-5:free"}, Price()),
        ({"provider": "openai", "model": "gpt-unheard-of"}, None),
        ({"provider": "openai", "price": {"input": 0.0375}}, Price(input=38, output=0)),
        (
            {"provider": "openai", "price": {"input": 0.25, "output": 2, "cached_input": 0.025}},
            Price(input=250, output=2_000, cached_input=25),
        ),
        ({"provider": "ollama", "model": "qwen3:8b"}, Price()),
        ({"provider": "ollama", "model": "kimi-k2:1t-cloud"}, None),
        ({"base_url": "http://10.0.0.9/v1", "model": "m", "tier": "local"}, Price()),
        ({"base_url": "http://10.0.0.9/v1", "model": "m"}, None),
    ],
    ids=[
        "written",
        "catalogue",
        "free provider",
        "free model",
        "unknown",
        "rounded up",
        "cached",
        "local server",
        "local server's cloud",
        "local by word",
        "unknown address",
    ],
)
def test_prices_are_written_or_the_catalogues(
    profile: dict[str, Any], expected: Price | None
) -> None:
    config = a_config(**profile)

    assert facts.price_of(config.profiles["p"], config, CATALOGUE) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("@cf/meta/llama-3.2-1b-instruct", (2_457, 18_252)),
        ("@cf/openai/gpt-oss-120b", (31_819, 68_182)),
    ],
    ids=["published", "from the price"],
)
def test_neurons_are_those_published_or_follow_from_the_price(
    model: str, expected: tuple[int, int]
) -> None:
    config = a_config(provider="cloudflare", model=model)

    assert facts.rates_of(config.profiles["p"], config, CATALOGUE) == expected


def test_neurons_follow_from_a_written_price_too() -> None:
    config = a_config(
        provider="cloudflare", model="@cf/new", price={"input": 0.011, "output": 0.11}
    )

    assert facts.rates_of(config.profiles["p"], config, CATALOGUE) == (1_000, 10_000)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"provider": "groq"}, 20),
        ({"provider": "gemini", "model": "gemini-3.1-pro"}, 10),
        ({"provider": "openrouter", "model": "z-ai/glm-5"}, None),
        ({"provider": "ollama", "model": "qwen3:8b"}, None),
        ({"base_url": "http://127.0.0.1:9001/v1", "model": "m"}, None),
    ],
    ids=str,
)
def test_the_rank_is_the_catalogues_for_the_model(
    profile: dict[str, Any], expected: int | None
) -> None:
    config = a_config(**profile)

    assert facts.rank_of(config.profiles["p"], config, CATALOGUE) == expected


def test_who_does_not_count_neurons_has_no_rates() -> None:
    config = a_config(provider="groq")

    assert facts.rates_of(config.profiles["p"], config, CATALOGUE) is None


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"provider": "openai", "tier": "free"}, Tier.FREE),
        ({"provider": "ollama", "model": "qwen3:8b"}, Tier.LOCAL),
        ({"provider": "ollama", "model": "gpt-oss:120b-cloud"}, Tier.PAID),
        ({"provider": "ollama", "model": "kimi-k2:cloud"}, Tier.PAID),
        ({"provider": "ollama", "model": "m", "base_url": "http://box.lan:11434/v1"}, Tier.PAID),
        (
            {"provider": "ollama", "model": "m", "base_url": "http://b.lan/v1", "tier": "local"},
            Tier.LOCAL,
        ),
        ({"base_url": "http://127.0.0.1:9001/v1", "model": "m"}, Tier.PAID),
        ({"provider": "cerebras", "limits": "free"}, Tier.FREE),
        ({"provider": "cerebras"}, Tier.PAID),
        ({"provider": "openrouter", "model": "z-ai/glm-5:free"}, Tier.FREE),
        ({"provider": "openrouter", "model": "z-ai/glm-5"}, Tier.PAID),
        ({"provider": "groq"}, Tier.FREE),
        ({"provider": "opencode-zen", "model": "big-pickle"}, Tier.FREE),
        ({"provider": "gemini", "model": "gemini-2.5-pro"}, Tier.PAID),
        ({"provider": "openai"}, Tier.PAID),
    ],
    ids=str,
)
def test_the_tier_is_written_or_what_the_catalogue_knows_else_paid(
    profile: dict[str, Any], expected: Tier
) -> None:
    assert tier(profile) is expected

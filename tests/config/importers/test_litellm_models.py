"""`provider/model` of LiteLLM names a provider of the catalogue, a server of one's own, or nobody."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.catalogue import load
from spillover.config.importers.drafting import Far, Variable
from spillover.config.importers.litellm_models import Environment, far_of


def found(model: Any, *, config: dict[str, Any] | None = None, **params: Any) -> Far | str:
    written = {"litellm_params": {"model": model, **params}}
    return far_of(written, Environment(config or {}), load())


def far(model: str, **more: Any) -> Far:
    found_ = found(model, **more)
    assert isinstance(found_, Far), found_
    return found_


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b"),
        ("openrouter/z-ai/glm-5:free", "openrouter", "z-ai/glm-5:free"),
        ("together_ai/m", "together", "m"),
        ("ollama_chat/qwen3:8b", "ollama", "qwen3:8b"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("gpt-4o", "openai", "gpt-4o"),
        ("o3-mini", "openai", "o3-mini"),
        ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
    ],
)
def test_a_prefix_names_the_provider(model: str, provider: str, name: str) -> None:
    assert (far(model).provider, far(model).model) == (provider, name)


def test_openais_prefix_with_an_address_is_any_server() -> None:
    assert far("openai/m", api_base="https://h.example.com/v1").provider is None
    assert (
        far("m", custom_llm_provider="hosted_vllm", api_base="http://h:8000/v1").provider == "vllm"
    )
    assert far("openai_like/m", base_url="https://h.example.com/v1").base_url


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("bedrock/anthropic.claude", "AWS signs"),
        ("vertex_ai/gemini-2.5-pro", "Google signs in"),
        ("nobody/m", "nobody here knows"),
        ("mystery", "nobody here knows"),
        ("", "name no model"),
        (5, "name no model"),
    ],
)
def test_who_can_not_be_reached_is_told(model: Any, why: str) -> None:
    told = found(model)

    assert isinstance(told, str)
    assert why in told


def test_keys_and_addresses_may_stand_in_the_files_own_variables() -> None:
    config = {"environment_variables": {"K": "of-the-tests", "A": "https://h.example.com/v1"}}

    assert far("groq/m", api_key="os.environ/K", config=config).key == "of-the-tests"
    assert far("groq/m", api_key="os.environ/ELSEWHERE", config=config).key == Variable("ELSEWHERE")
    assert far("openai/m", api_base="os.environ/A", config=config).base_url.endswith("com/v1")
    told = found("openai/m", api_base="os.environ/ELSEWHERE")
    assert told == "its address is in a variable: write it into the file"


def test_a_named_credential_is_filled_in() -> None:
    config = {
        "credential_list": [{"credential_name": "c", "credential_values": {"api_key": "k-1"}}]
    }

    assert far("groq/m", litellm_credential_name="c", config=config).key == "k-1"


def test_limits_prices_and_context_are_taken_over() -> None:
    written = {
        "litellm_params": {"model": "groq/m", "input_cost_per_token": 2.5e-06, "tpm": "9"},
        "model_info": {"max_input_tokens": 100, "output_cost_per_token": 1.0, "mode": "chat"},
        "rpm": 6,
    }

    told = far_of(written, Environment({}), load())

    assert isinstance(told, Far)
    assert told.settings == {
        "limits": {"requests_per_minute": 6, "tokens_per_minute": 9},
        "context_tokens": 100,
        "price": {"input": 2.5},
    }


def test_what_has_no_place_in_a_profile_is_told() -> None:
    assert far("groq/m", temperature=0.5, timeout=5).left_out == ("temperature", "timeout")

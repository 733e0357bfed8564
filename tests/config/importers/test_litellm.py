"""LiteLLM's groups become chains: their deployments, then those of the groups they fall back to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.errors import RequestError
from tests.config.importers.files import left_out, planned


def deployed(group: Any, model: str = "groq/m", **more: Any) -> dict[str, Any]:
    return {"model_name": group, "litellm_params": {"model": model, **more}}


def litellm(*deployments: Any, **config: Any) -> Any:
    return planned("litellm", json.dumps({"model_list": deployments, **config}).encode())


def test_a_group_is_its_deployments_in_order_and_then_its_fallbacks() -> None:
    chain = planned("litellm").chains["gpt-4o"]

    assert chain == {
        "profiles": ["openai-gpt-4o", "azure-gpt-4o-eu", "anthropic-claude-sonnet-4-5"],
        "timeouts": {"total": "600s"},
        "retries": {"server_error": 3, "bad_gateway": 3},
        "cooldown": "30s",
    }


def test_names_that_are_not_legal_and_aliases_of_groups_become_aliases() -> None:
    assert planned("litellm").aliases == {
        "team/fast": "team-fast",
        "gpt-4": "gpt-4o",
        "hidden": "claude",
    }


def test_what_was_left_out_is_told() -> None:
    assert left_out(planned("litellm")).keys() == {
        "pictures (entry 6)",
        "* (entry 7)",
        "the fallback of gpt-4o",
        "general_settings.master_key",
        "context_window_fallbacks",
    }


def test_settings_without_a_place_here_are_told_with_what_stands_for_them() -> None:
    found = left_out(
        litellm(
            deployed("a"),
            litellm_settings={"drop_params": True, "cache": True, "success_callback": ["langfuse"]},
            router_settings={"redis_host": "h", "redis_password": "secret"},
        )
    )

    assert found.keys() == {
        "drop_params", "cache", "success_callback", "redis_host", "redis_password"
    }  # fmt: skip
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("named", "strategy"),
    [
        (None, "round_robin"),
        ("simple-shuffle", "round_robin"),
        ("least-busy", "least_used"),
        ("usage-based-routing-v2", "least_used"),
        ("latency-based-routing", "fastest"),
        ("cost-based-routing", "cheapest"),
    ],
)
def test_the_routing_strategy_is_the_one_most_like_it(named: str | None, strategy: str) -> None:
    plan = litellm(deployed("a"), deployed("a"), router_settings={"routing_strategy": named})

    assert plan.chains["a"] == {"profiles": ["groq-m", "groq-m-2"], "strategy": strategy}


def test_weights_are_kept_and_an_order_beats_them() -> None:
    weighted = litellm(deployed("a", weight=3), deployed("a"))
    ordered = litellm(deployed("a", weight=3), deployed("a", order=1))

    assert weighted.chains["a"]["profiles"] == [{"profile": "groq-m", "weight": 3}, "groq-m-2"]
    assert weighted.chains["a"]["strategy"] == "weighted"
    assert ordered.chains["a"] == ["groq-m-2", "groq-m"] or ordered.chains["a"] == {
        "profiles": ["groq-m-2", "groq-m"]
    }


def test_fallbacks_are_not_mixed_in_with_the_group() -> None:
    plan = litellm(
        deployed("a"),
        deployed("a"),
        deployed("b", "xai/m"),
        deployed("c", "mistral/m"),
        router_settings={"fallbacks": [{"a": ["b"]}, 5], "default_fallbacks": ["c", "b"]},
    )

    assert plan.chains["a"] == {"profiles": ["groq-m", "groq-m-2", "xai-m"]}
    assert plan.chains["b"] == {"profiles": ["xai-m", "mistral-m"]}
    assert "a keeps to the order of its list" in plan.notes[0]


def test_time_limits_and_retries_stay_within_what_can_be_set() -> None:
    plan = litellm(
        deployed("a"),
        litellm_settings={"num_retries": 99, "request_timeout": 1e9},
        router_settings={"stream_timeout": 0.25, "timeout": "x"},
    )

    assert plan.chains["a"]["timeouts"] == {"first_token": "0.25s", "total": "86400s"}
    assert plan.chains["a"]["retries"]["server_error"] == 10


def test_entries_of_wrong_types_are_left_out_one_by_one() -> None:
    plan = litellm(
        deployed("a"), None, 5, {"model_name": "b"}, deployed(None), {"litellm_params": []},
        router_settings={"model_group_alias": {"x": "gone", "y": 5}},
        general_settings={"database_url": "postgresql://u:p@h/d"},
        guardrails=[1],
    )  # fmt: skip

    assert list(plan.chains) == ["a"]
    assert len(plan.unmapped) == 9


@pytest.mark.parametrize("listed", [None, [], {}, "x"])
def test_a_file_without_deployments_is_refused(listed: Any) -> None:
    with pytest.raises(RequestError, match="no configuration of LiteLLM"):
        planned("litellm", json.dumps({"model_list": listed}).encode())


def test_fallbacks_that_multiply_are_refused() -> None:
    groups = [deployed(f"g{number}") for number in range(200)]

    with pytest.raises(RequestError, match="more than 20,000"):
        litellm(*groups, router_settings={"default_fallbacks": [f"g{n}" for n in range(200)]})

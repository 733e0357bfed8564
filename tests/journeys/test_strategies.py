"""Who serves first: the fastest, the cheapest, the free, as the chain and the request say."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.terminal import spillover
from tests.journeys.processes import ASKED, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider

SLOW_S = 0.5
REQUESTS = 30
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def named_by(served: Gateway, **headers: str) -> tuple[str | None, ...]:
    """Return whom the status, the explanation and a request itself name."""
    asked = {"messages": ASKED}
    explained = served.post("/api/explain", asked, **headers).json["serves"]
    reply = served.post("/v1/chat/completions", asked, **headers)
    answered = {name.lower(): value for name, value in reply.headers.items()}
    serving = served.status()["chains"]["default"]["serving"]
    return serving, explained, answered.get("x-spillover-profile")


def reloaded(served: Gateway, times: int) -> bool:
    return len(served.told("config.reloaded")) >= times


def test_fastest_goes_to_the_faster_and_remembers_it_over_a_restart(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    written["chains"]["default"]["strategy"] = "fastest"
    write(config, written)
    first.change(delay_s=SLOW_S)

    with gateway(config) as served:
        for number in range(REQUESTS):
            served.served_by(stream=number % 2 == 0)
    with gateway(config) as served:
        paces = {name: served.profile(name)["pace"] for name in ("first", "second")}
        serving = served.status()["chains"]["default"]["serving"]

    # Both were measured; of the rest one in twenty is a trial.
    assert first.accepted + second.accepted == REQUESTS
    assert 1 <= first.accepted <= 10
    assert paces["first"]["ttft_ms"] is None or paces["first"]["ttft_ms"] > SLOW_S * 1_000
    assert paces["second"]["tokens_per_s"] > 0
    assert serving == "second"


def test_fastest_leaves_who_fails(config: Path, first: Provider, second: Provider) -> None:
    written = document(first, second)
    written["chains"]["default"] |= {"strategy": "fastest", "cooldown": "1ms"}
    write(config, written)
    second.change(delay_s=0.1)

    with gateway(config) as served:
        for _ in range(4):
            served.served_by()
        before = served.status()["chains"]["default"]["serving"]
        first.script({"status": 503}, times=None)
        for _ in range(40):
            served.served_by()
        after = served.profile("first")

    assert before == "first"
    assert after["health"]["condition"] == "unhealthy"
    assert second.accepted >= 41


def test_policies_change_live_and_status_explanation_and_answer_agree(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    profiles = written["profiles"]
    profiles["first"] |= {"tier": "paid", "price": {"input": 1.0, "output": 2.0}}
    profiles["second"]["tier"] = "free"
    found: dict[str, tuple[str | None, ...]] = {}

    write(config, written)
    with gateway(config) as served:
        for number, policy in enumerate(("any", "free-tier", "auto-cheapest", "byok-paid")):
            write(config, {**written, "routing_policy": policy, "aliases": {policy: "default"}})
            wait_until(partial(reloaded, served, number + 1))
            found[policy] = named_by(served)
        narrowed = named_by(served, x_spillover_policy="free-tier")

    assert found == {
        "any": ("first",) * 3,
        "free-tier": ("second",) * 3,
        "auto-cheapest": ("second",) * 3,
        "byok-paid": ("first",) * 3,
    }
    assert narrowed == ("first",) * 3  # what only pays is not widened by a request


@pytest.mark.parametrize(
    ("request_", "expected"),
    [({}, "first"), ({"tools": TOOLS}, "second"), ({"max_tokens": 5_000}, "first")],
)
def test_free_tier_keeps_agents_from_a_context_that_they_outgrow(
    config: Path, first: Provider, second: Provider, request_: dict[str, Any], expected: str
) -> None:
    written = document(first, second, routing_policy="free-tier")
    written["profiles"]["first"]["context_tokens"] = 8_192
    written["profiles"]["second"] |= {"tier": "free", "context_tokens": 131_072}
    write(config, written)

    with gateway(config) as served:
        served_by = served.served_by(**request_)

    assert served_by == expected


def test_probes_find_out_that_a_provider_is_back(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    written["profiles"]["first"]["probe_every"] = "200ms"
    written["chains"]["default"]["cooldown"] = "500ms"
    write(config, written)
    first.script({"status": 503})

    with gateway(config) as served:
        served.served_by()
        wait_until(lambda: served.profile()["status"] == "active" and first.accepted > 1)
        health = served.profile()["health"]
        before = served.profile("second")["health"]["outcomes"]
        by_hand = spillover("probe", "second", "--config", config)
        wait_until(lambda: served.profile("second")["health"]["outcomes"] == before + 1)

    assert 0 < health["reliability"] < 1
    assert by_hand.returncode == 0

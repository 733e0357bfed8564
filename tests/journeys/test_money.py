"""What may cost money costs it only by leave and within its budget, and who is refused knows what to do."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load as load_catalogue
from tests.cli.terminal import spillover
from tests.journeys.processes import ASKED, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider
    from tests.serving import Reply

ONCE = {"requests_per_day": 1}
SPEND = {"x_spillover_spend": "yes"}
A_DOLLAR_A_THOUSAND = {"output": 1_000}
"""US dollars per million tokens: a tenth of a cent for each."""


def ask(served: Gateway, **headers: str) -> Reply:
    body = {"model": "default", "messages": ASKED, "max_tokens": 100}
    return served.post("/v1/chat/completions", body, **headers)


def gated(config: Path, first: Provider, second: Provider, **gate: str) -> Path:
    written = document(first, second, limits=ONCE)
    written["chains"]["default"]["spend_gate"] = gate
    return write(config, written)


def test_spend_gate_that_asks_opens_to_a_request_that_agrees(
    config: Path, first: Provider, second: Provider
) -> None:
    with gateway(gated(config, first, second, on_quota="ask")) as served:
        replies = [ask(served), ask(served), ask(served, **SPEND)]

    assert [reply.status for reply in replies] == [200, 429, 200]
    refused = replies[1].error
    assert refused["code"] == "all_exhausted"
    assert "x-spillover-spend: yes lets 'second' answer" in refused["message"]
    assert (first.accepted, second.accepted) == (1, 1)


@pytest.mark.parametrize(
    ("gate", "fault", "statuses"),
    [
        ({"on_quota": "never"}, None, [200, 429, 429]),
        ({"on_quota": "never"}, "overloaded", [200, 200, 200]),
        ({"on_outage": "never"}, "overloaded", [503, 503, 503]),
        ({"on_outage": "never"}, None, [200, 200, 200]),
    ],
)
def test_spend_gate_tells_a_spent_quota_from_an_outage(
    config: Path,
    first: Provider,
    second: Provider,
    *,
    gate: dict[str, str],
    fault: str | None,
    statuses: list[int],
) -> None:
    if fault is not None:
        first.script(fault, times=None)

    with gateway(gated(config, first, second, **gate)) as served:
        found = [ask(served, **SPEND).status for _ in range(3)]

    assert found == statuses
    assert second.accepted == statuses.count(200) - (1 if fault is None else 0)


def test_budget_is_never_overspent_and_each_threshold_is_told_once_over_a_restart(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second, limits=[{"cost": 1, "per": "day", "window": "calendar"}])
    written["profiles"]["first"] |= {"tier": "paid", "price": A_DOLLAR_A_THOUSAND}
    write(config, written)
    first.change(answer="word " * 80)  # 100 tokens, as the request allows: ten cents

    with gateway(config) as served:
        for told, calls in (([50], 5), ([50, 90], 4)):
            for _ in range(calls):
                ask(served)
            wait_until(partial(has_told, served, told))
        before = percents(served)
        served.process.kill()
        served.process.wait()
    with gateway(config) as served:
        replies = [ask(served) for _ in range(3)]
        wait_until(lambda: percents(served) == [100])
        spent = served.profile()
        metrics = served.get("/metrics").body.decode()
        printed = served.text

    assert (before, first.accepted, second.accepted) == ([50, 90], 10, 2)
    assert [reply.status for reply in replies] == [200] * 3
    assert (spent["status"], spent["reason"]) == ("exhausted", "limit")
    assert spent["limits"][0]["used"] == pytest.approx(1.0)
    assert "first has used 100 % of cost per day  $1.00 of $1.00" in printed
    alerts = 'spillover_budget_alerts_total{limit="cost_per_day",percent="100",profile="first"} 1.0'
    assert alerts in metrics


def has_told(served: Gateway, told: list[int]) -> bool:
    return percents(served) == told


def percents(served: Gateway) -> list[int]:
    return [event["percent"] for event in served.told("budget.reached")]


def test_credit_that_is_used_up_stays_so_until_its_user_clears_it(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"requests_per_lifetime": 3}))

    with gateway(config) as served:
        by = [served.served_by() for _ in range(4)]
        served.process.kill()
        served.process.wait()
    with gateway(config) as served:
        by.append(served.served_by())
        spent = served.profile()
        alone = served.chat(model="first", messages=ASKED)
        cleared = spillover("usage", "clear", "first", "--config", config)
        by.append(served.served_by())

    assert by == ["first"] * 3 + ["second"] * 2 + ["first"]
    assert (spent["status"], spent["until"], cleared.returncode) == ("exhausted", None, 0)
    assert (spent["limits"][0]["per"], spent["limits"][0]["remaining"]) == ("lifetime", 0)
    headers = {name.lower(): value for name, value in alone.headers.items()}
    assert (alone.status, headers.get("retry-after")) == (429, None)
    assert headers["x-should-retry"] == "false"
    assert "the credit of 'first' is used up" in alone.error["message"]


def test_spent_chain_names_who_is_back_first_when_and_the_local_model_meanwhile(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second, limits={"requests_per_hour": 1})
    written["profiles"]["second"]["tier"] = "local"
    written["chains"]["default"]["profiles"] = ["first"]
    write(config, written)

    with gateway(config) as served:
        served.served_by()
        refused = ask(served)
        asked = spillover("ask", "hi", "--config", config)
        explained = served.post("/api/explain", {"messages": ASKED}).json
        meanwhile = served.served_by(model="second")

    message = refused.error["message"]
    at = datetime.fromisoformat(refused.error["profiles"][0]["available_at"])
    assert refused.status == 429
    assert message.startswith(
        "every profile of 'default' is spent: first (limit: requests_per_hour"
    )
    assert f"; soonest is first in 61 min, at {at:%Y-%m-%d %H:%M:%S} UTC; " in message
    assert "the local profile 'second' could serve it: ask for model 'second'" in message
    assert "the local profile 'second' could serve it" in asked.stderr
    assert (asked.returncode, meanwhile) == (1, "second")
    assert explained["refusal"]["code"] == "all_exhausted"
    told = datetime.fromisoformat(explained["available_at"])
    assert timedelta() <= at - told < timedelta(seconds=1)


def test_whoever_comes_back_when_he_was_told_to_is_served(config: Path, first: Provider) -> None:
    write(config, document(first, limits=[{"requests": 1, "per": "3s"}]))

    with gateway(config) as served:
        served.served_by()
        refused = ask(served)
        wait_s = {name.lower(): value for name, value in refused.headers.items()}["retry-after"]
        time.sleep(int(wait_s))
        back = served.served_by()

    assert (refused.status, back) == (429, "first")
    assert f"soonest is first in {wait_s} s, at " in refused.error["message"]


def test_member_outside_its_hours_says_when_it_opens(
    config: Path, first: Provider, second: Provider
) -> None:
    opens = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2)
    span = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    written = document(first, second)
    written["chains"]["default"]["profiles"] = [{"profile": "first", "hours": span}]
    write(config, written)

    with gateway(config) as served:
        refused = ask(served)

    assert (refused.status, refused.error["code"]) == (403, "policy_abstained")
    (obstacle,) = refused.error["profiles"]
    assert obstacle == {
        "profile": "first",
        "reason": "hours",
        "available_at": f"{opens:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert f"at {opens:%Y-%m-%d %H:%M:%S} UTC" in refused.error["message"]
    assert first.accepted == 0


def test_neurons_are_counted_by_the_rates_of_each_model_on_the_account(
    config: Path, first: Provider, second: Provider
) -> None:
    models = {"first": "@cf/openai/gpt-oss-120b", "second": "@cf/qwen/qwen3-30b-a3b-fp8"}
    written = document(first, second)
    for name, model in models.items():
        written["profiles"][name] |= {
            "provider": "cloudflare",
            "base_url": first.base_url,
            "api_key": written["profiles"]["first"]["api_key"],
            "model": model,
            "limits": "free",
        }
    write(config, written)

    with gateway(config) as served:
        for name in models:
            served.served_by(model=name)
        profiles = served.status()["profiles"]

    neurons = 0.0
    for name, model in models.items():
        facts = load_catalogue().model_facts("cloudflare", model)
        assert facts is not None
        assert facts.neurons is not None
        used = profiles[name]["usage"]["hour"]
        per_input, per_output = facts.neurons
        due = (used["input_tokens"] * per_input + used["output_tokens"] * per_output) / 1e6
        assert used["neurons"] == pytest.approx(due, rel=1e-3)
        neurons += used["neurons"]
    shared = [limit_of(profiles[name], "neurons") for name in models]
    assert [(each["scope"], each["amount"]) for each in shared] == [("account", 10_000)] * 2
    assert [each["used"] for each in shared] == pytest.approx([neurons] * 2)


def test_limits_per_model_have_their_own_counters_and_those_of_a_month_are_shared(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    for name, model in {"first": "mistral-medium-2508", "second": "mistral-small-2603"}.items():
        written["profiles"][name] |= {
            "provider": "mistral",
            "base_url": first.base_url,
            "api_key": written["profiles"]["first"]["api_key"],
            "model": model,
            "limits": "free",
        }
    write(config, written)

    with gateway(config) as served:
        served.served_by(model="first")
        profiles = served.status()["profiles"]

    used = profiles["first"]["usage"]["hour"]["tokens"]
    assert used == first.tokens > 0, "input and output, as the provider says"
    months = [limit_of(profiles[name], "tokens", "month") for name in profiles]
    minutes = [limit_of(profiles[name], "tokens", "minute") for name in profiles]
    assert [each["used"] for each in months] == [used, used]
    assert [(each["scope"], each["used"]) for each in minutes] == [("model", used), ("model", 0)]


def limit_of(profile: dict[str, Any], metric: str, per: str | None = None) -> dict[str, Any]:
    """The profile's limit on a metric, in the window `per`."""
    return next(
        each
        for each in profile["limits"]
        if each["metric"] == metric and per in {None, each["per"]}
    )

"""From a configuration to what runs: limits on their counters, chains, endpoints."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.secrets import Secret
from spillover.core.chains import CooldownRule, Hours
from spillover.core.tokens import counted
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Capability,
    FailureClass,
    LimitScope,
    Metric,
    Price,
    Protocol,
    Refill,
    Rolling,
    RoutingPolicy,
    StreamUsage,
    Tier,
    Usage,
)
from tests.config.writing import EVERY_SETTING, assembled, loaded, written

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.config.routing import Endpoint


def the_endpoint(folder: Path, profile: str, **environ: str) -> Endpoint:
    return assembled(folder, f"profiles:\n  p: {profile}\n", **environ).endpoints["p"]


def test_own_limits_are_on_the_profiles_counter(tmp_path: Path) -> None:
    (limit,) = assembled(tmp_path, EVERY_SETTING).profiles["chutes-free"].limits

    assert (limit.metric, limit.amount, limit.window) == (
        Metric.TOKENS,
        5_000,
        Rolling(seconds=3_600),
    )
    assert (limit.owner, limit.scope) == ("profile:chutes-free", LimitScope.PROFILE)


def test_an_accounts_limits_are_on_the_accounts_counter(tmp_path: Path) -> None:
    (limit,) = assembled(tmp_path, EVERY_SETTING).profiles["glm"].limits

    assert (limit.amount, limit.owner, limit.scope) == (
        50,
        "account:openrouter",
        LimitScope.ACCOUNT,
    )


def test_free_limits_are_where_the_providers_pool_says(tmp_path: Path) -> None:
    groq = assembled(tmp_path, EVERY_SETTING).profiles["groq"]

    assert {limit.owner for limit in groq.limits} == {f"model:{groq.account}|openai/gpt-oss-120b"}
    assert {limit.scope for limit in groq.limits} == {LimitScope.MODEL}
    assert {type(limit.window) for limit in groq.limits} == {Refill}


def test_free_limits_of_a_shared_pool_are_one_counter_for_all_models(tmp_path: Path) -> None:
    routing = assembled(
        tmp_path,
        """\
        profiles:
          a: {provider: openrouter, model: "x/a:free", limits: free}
          b: {provider: openrouter, model: "x/b:free", limits: free}
        """,
    )

    owners = {limit.owner for profile in routing.profiles.values() for limit in profile.limits}
    assert owners == {f"account:{routing.profiles['a'].account}"}


def test_a_profile_may_have_limits_of_its_own_and_of_its_account(tmp_path: Path) -> None:
    routing = assembled(
        tmp_path,
        """\
        accounts: {a: {provider: groq, limits: {requests_per_day: 50}}}
        profiles: {p: {account: a, limits: {tokens_per_hour: 5K}}}
        """,
    )

    assert [limit.owner for limit in routing.profiles["p"].limits] == ["profile:p", "account:a"]


def test_a_chain_of_every_catalogue_provider_is_assembled(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    models = {entry.id: entry.default_model.id or "m" for entry in catalogue.providers.values()}
    profiles = "".join(
        f"  {name}: {{provider: {name}, api_key: k, model: {model!r}, limits: {free},"
        f" price: {{input: 1, output: 2}}}}\n"
        for name, model in models.items()
        for free in ["free" if catalogue.free_limits(name, model) else "{}"]
    )

    routing = assembled(tmp_path, f"profiles:\n{profiles}chains:\n  all: [{', '.join(models)}]\n")

    assert [member.profile for member in routing.chains["all"].members] == list(models)
    assert {name: profile.model for name, profile in routing.profiles.items()} == models
    assert routing.endpoints.keys() == models.keys()


def test_loading_and_assembling_bring_in_no_client_and_no_server(tmp_path: Path) -> None:
    path = written(tmp_path, "profiles: {p: {provider: groq, api_key: k, limits: free}}")
    code = (
        "import sys; from pathlib import Path; from spillover.config.loader import load; "
        "from spillover.config.assemble import assemble; "
        "found = load(Path(sys.argv[1]), environ={}); assemble(found, found.catalogue); "
        "print(*sys.modules)"
    )

    listed = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True
    )

    assert not {"aiohttp", "httpx", "keyring", "sqlite3", "uvicorn"} & set(listed.stdout.split())


def test_every_form_of_a_written_window_arrives(tmp_path: Path) -> None:
    windows = [
        limit.window for limit in assembled(tmp_path, EVERY_SETTING).profiles["gemini"].limits
    ]

    assert windows == [
        Calendar(unit=CalendarUnit.DAY, zone="America/Los_Angeles"),
        Rolling(seconds=60),
        Refill(seconds=60, burst=8_000),
    ]


def test_the_catalogues_facts_are_on_the_profile(tmp_path: Path) -> None:
    groq = assembled(tmp_path, EVERY_SETTING).profiles["groq"]

    assert (groq.context_tokens, groq.max_output_tokens) == (131_072, 65_536)
    assert groq.reserves_max_tokens
    assert not groq.counts_cached_input
    assert groq.rank == 20
    assert groq.price == Price(input=150, output=600)
    assert groq.lacks == {Capability.VISION, Capability.EMBEDDINGS}
    assert groq.minute_window == Refill(seconds=60)
    assert dict(groq.guessed_waits)["tokens_per_minute"] == 10.0
    assert groq.alternatives == ("openai/gpt-oss-20b",)
    assert groq.tier is Tier.FREE


def test_neurons_of_a_free_tier_are_counted_by_the_models_rates(tmp_path: Path) -> None:
    cloudflare = assembled(
        tmp_path,
        "profiles: {p: {provider: cloudflare, limits: free, api_key: k}}",
        CLOUDFLARE_ACCOUNT_ID="a",
    ).profiles["p"]

    used = counted(cloudflare, Usage(input_tokens=1_000_000, output_tokens=1_000_000))

    (neurons,) = (limit for limit in cloudflare.limits if limit.metric is Metric.NEURONS)
    assert (neurons.amount, neurons.window) == (10_000_000_000, Calendar(unit=CalendarUnit.DAY))
    assert used.microneurons == (31_819 + 68_182) * 1_000_000


def test_written_facts_win_over_the_catalogues(tmp_path: Path) -> None:
    routing = assembled(
        tmp_path,
        """\
        profiles:
          p:
            provider: groq
            title: The quick one
            tier: paid
            context_tokens: 1000
            max_output_tokens: 100
            lacks: []
            embedding_space: s
            stream_usage: never
            price: {input: 1, output: 2}
        """,
    )
    profile = routing.profiles["p"]

    assert (profile.title, profile.tier) == ("The quick one", Tier.PAID)
    assert (profile.context_tokens, profile.max_output_tokens) == (1_000, 100)
    assert (profile.lacks, profile.embedding_space) == (frozenset(), "s")
    assert profile.price is not None
    assert (profile.price.input, profile.price.output) == (1_000, 2_000)
    assert routing.endpoints["p"].stream_usage is StreamUsage.NEVER


def test_neurons_per_token_are_on_the_profile(tmp_path: Path) -> None:
    routing = assembled(
        tmp_path,
        "profiles: {p: {provider: cloudflare, limits: free}}\n",
        CLOUDFLARE_API_TOKEN="t",
        CLOUDFLARE_ACCOUNT_ID="a",
    )
    profile = routing.profiles["p"]

    assert profile.microneurons_per_input_token == 31_819
    assert profile.microneurons_per_output_token == 68_182
    assert Metric.NEURONS in {limit.metric for limit in profile.limits}


def test_a_profile_without_its_key_starts_as_failed_and_the_rest_serves(tmp_path: Path) -> None:
    routing = assembled(tmp_path, "profiles:\n  a: {provider: groq}\n  b: {provider: mistral}\n")

    assert not routing.profiles["a"].key_missing
    assert routing.profiles["b"].key_missing
    assert routing.endpoints["b"].secret is None


def test_whether_a_key_is_missing_is_known_best_by_those_who_serve(tmp_path: Path) -> None:
    config = loaded(tmp_path, "profiles:\n  a: {provider: groq}\n  b: {provider: mistral}\n")

    routing = assemble(config, load_catalogue(), told={"a": None, "b": "mistral#1", "gone": "x"})

    assert routing.profiles["a"].key_missing
    assert not routing.profiles["b"].key_missing
    assert routing.profiles["b"].account == "mistral#1"
    assert routing.profiles.keys() == {"a", "b"}


def test_an_endpoint_has_an_address_for_each_operation(tmp_path: Path) -> None:
    endpoint = the_endpoint(tmp_path, "{provider: groq}")

    assert endpoint.chat_url == "https://api.groq.com/openai/v1/chat/completions"
    assert endpoint.completions_url == "https://api.groq.com/openai/v1/completions"
    assert endpoint.embeddings_url == "https://api.groq.com/openai/v1/embeddings"


def test_a_query_stays_behind_the_path(tmp_path: Path) -> None:
    endpoint = the_endpoint(tmp_path, '{base_url: "https://x.example/v1?api-version=7", model: m}')

    assert endpoint.chat_url == "https://x.example/v1/chat/completions?api-version=7"


def test_anthropic_is_spoken_to_in_its_own_dialect(tmp_path: Path) -> None:
    endpoint = the_endpoint(tmp_path, "{provider: anthropic, api_key: sk-ant-1}")

    assert endpoint.protocol is Protocol.ANTHROPIC
    assert endpoint.chat_url == "https://api.anthropic.com/v1/messages"
    assert endpoint.headers() == {"x-api-key": "sk-ant-1"}


def test_anthropic_is_spoken_to_in_the_openai_dialect_where_that_is_written(tmp_path: Path) -> None:
    endpoint = the_endpoint(tmp_path, "{provider: anthropic, protocol: openai, api_key: sk-ant-1}")

    assert endpoint.chat_url == "https://api.anthropic.com/v1/chat/completions"
    assert endpoint.headers() == {"Authorization": "Bearer sk-ant-1"}


def test_a_provider_may_want_the_bare_key_in_a_header_of_its_own(tmp_path: Path) -> None:
    endpoint = the_endpoint(
        tmp_path, "{provider: azure, api_key: k1, model: m}", AZURE_RESOURCE_NAME="mine"
    )

    assert endpoint.headers() == {"api-key": "k1"}
    assert endpoint.base_url == "https://mine.openai.azure.com/openai/v1"


def test_further_headers_are_sent_and_kept_secret(tmp_path: Path) -> None:
    endpoint = the_endpoint(tmp_path, "{provider: groq, headers: {X-Title: 'secret-title-0001'}}")

    assert endpoint.headers()["X-Title"] == "secret-title-0001"
    assert "secret-title-0001" not in repr(endpoint)


def test_an_endpoint_without_a_key_sends_none(tmp_path: Path) -> None:
    endpoint = the_endpoint(tmp_path, "{provider: ollama, model: m}")

    assert endpoint.headers() == {}
    assert endpoint.is_loopback
    assert endpoint.first_token_s == 180


def test_a_remote_endpoint_may_go_through_a_proxy(tmp_path: Path) -> None:
    assert not the_endpoint(tmp_path, "{provider: groq}").is_loopback


def test_no_core_value_holds_a_secret(tmp_path: Path) -> None:
    routing = assembled(tmp_path, EVERY_SETTING)

    shown = f"{routing.profiles!r} {routing.chains!r} {routing!r}"

    assert "of-the-tests" not in shown
    assert routing.endpoints["groq"].secret == Secret("gsk_of-the-tests-0001")


def test_a_changed_key_changes_both_prints(tmp_path: Path) -> None:
    before = the_endpoint(tmp_path, "{provider: groq}")
    after = the_endpoint(tmp_path, "{provider: groq}", GROQ_API_KEY="gsk_another-0001")

    assert before.key_print != after.key_print
    assert before.config_print != after.config_print


@pytest.mark.parametrize(
    "change",
    ["model: m", "limits: {requests_per_day: 5}", "title: x", "headers: {x-a: b}"],
    ids=str,
)
def test_a_changed_setting_changes_the_configs_print_alone(tmp_path: Path, change: str) -> None:
    before = the_endpoint(tmp_path, "{provider: groq}")
    after = the_endpoint(tmp_path, f"{{provider: groq, {change}}}")

    assert before.key_print == after.key_print
    assert before.config_print != after.config_print


def test_prints_and_accounts_are_equal_in_every_process(tmp_path: Path) -> None:
    config = loaded(tmp_path, EVERY_SETTING)

    first, second = (assemble(config, load_catalogue()) for _ in range(2))

    assert first == second


def test_a_chain_arrives_with_all_its_settings(tmp_path: Path) -> None:
    chain = assembled(
        tmp_path,
        EVERY_SETTING.replace("failback: immediate", "failback: {after: 5m}")
        .replace("when_exhausted: fail", "when_exhausted: {wait: 30s}")
        .replace("patience: 0s", "patience: 2s")
        .replace("truncate: never", "truncate: middle"),
    ).chains["coding"]

    assert [(member.profile, member.weight) for member in chain.members] == [
        ("groq", 3),
        ("openai-paid", 1),
    ]
    assert chain.members[1].hours == Hours(
        start_minute=1_080, end_minute=540, zone="America/New_York"
    )
    assert (chain.failback.after_s, chain.wait_s, chain.patience_s) == (300.0, 30.0, 2.0)
    assert chain.truncate
    assert chain.time_limits.total_s == 1_800.0
    assert chain.retries == {FailureClass.SERVER_ERROR: 2}
    assert chain.cooldowns == {
        FailureClass.OVERLOADED: CooldownRule(wait_s=30.0),
        FailureClass.RATE_LIMITED: CooldownRule(wait_s=60.0, fixed=True),
    }


def test_a_chain_takes_the_global_policy_and_privacy_unless_it_says_more(tmp_path: Path) -> None:
    routing = assembled(
        tmp_path,
        """\
        routing_policy: free-tier
        profiles: {groq: {provider: groq}}
        chains:
          plain: [groq]
          own: {profiles: [groq], routing_policy: any, privacy: true}
        """,
    )

    assert routing.chains["plain"].routing_policy is RoutingPolicy.FREE_TIER
    assert routing.chains["own"].routing_policy is RoutingPolicy.ANY
    assert (routing.chains["plain"].privacy, routing.chains["own"].privacy) == (False, True)
    assert routing.alone["groq"].routing_policy is RoutingPolicy.FREE_TIER


def test_global_privacy_can_not_be_taken_back(tmp_path: Path) -> None:
    routing = assembled(
        tmp_path,
        """\
        privacy: true
        profiles: {groq: {provider: groq}}
        chains: {open: {profiles: [groq], privacy: false}}
        """,
    )

    assert routing.chains["open"].privacy
    assert routing.alone["groq"].privacy


def test_without_chains_all_profiles_are_one_in_the_order_written(tmp_path: Path) -> None:
    routing = assembled(tmp_path, "profiles:\n  z: {provider: groq}\n  a: {provider: openai}\n")

    assert [member.profile for member in routing.chains["default"].members] == ["z", "a"]


def test_the_default_chain_is_the_one_of_that_name_else_the_first(tmp_path: Path) -> None:
    profiles = "profiles: {groq: {provider: groq}}\n"

    named = assembled(tmp_path, profiles + "chains: {x: [groq], default: [groq]}\n")
    first = assembled(tmp_path, profiles + "chains: {x: [groq], y: [groq]}\n")

    assert (named.default, first.default) == ("default", "x")

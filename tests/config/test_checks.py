"""What settings mean together, and what is said where they can't work."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load
from spillover.config import checks
from spillover.config.schema import Config
from spillover.config.secrets import MissingSecret

if TYPE_CHECKING:
    from spillover.config.findings import Finding

CATALOGUE = load()
GROQ = {"provider": "groq", "api_key": "gsk_1"}


def a_config(profile: dict[str, Any] | None = None, **sections: Any) -> Config:
    return Config.model_validate({"profiles": {"p": profile or GROQ}, **sections})


def the_error(profile: dict[str, Any] | None = None, **sections: Any) -> Finding:
    (finding,) = checks.errors(a_config(profile, **sections), CATALOGUE)
    return finding


def the_warning(
    profile: dict[str, Any], environ: dict[str, str] | None = None, **sections: Any
) -> Finding:
    (finding,) = checks.warnings(a_config(profile, **sections), CATALOGUE, environ or {})
    return finding


def test_nothing_is_found_in_a_good_configuration() -> None:
    config = a_config()

    assert not list(checks.errors(config, CATALOGUE))
    assert not list(checks.warnings(config, CATALOGUE, {}))
    assert not list(checks.missing_keys(config, CATALOGUE, {}))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/openai"])
def test_a_providers_host_without_the_catalogues_path_is_told_of(path: str) -> None:
    source = {"base_url": f"https://api.groq.com{path}", "api_key": "k"}

    warned = the_warning({**source, "model": "m"})
    account = the_warning({"account": "a", "model": "m"}, accounts={"a": source})

    assert warned.path == ("profiles", "p", "base_url")
    assert account.path == ("accounts", "a", "base_url")
    assert "https://api.groq.com/openai/v1" in warned.expected


@pytest.mark.parametrize(
    "base_url",
    ["https://api.groq.com/openai/v1", "https://api.groq.com/beta", "https://example.com"],
)
def test_other_addresses_are_not(base_url: str) -> None:
    config = a_config({"base_url": base_url, "api_key": "k", "model": "m"})

    assert not list(checks.warnings(config, CATALOGUE, {}))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_an_address_that_others_reach_needs_keys(host: str) -> None:
    found = list(checks.errors(a_config(server={"host": host}), CATALOGUE))

    assert [finding.found for finding in found] == [
        f"{host!r} without client_keys",
        f"{host!r} without admin_key",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_this_machines_own_address_needs_none(host: str) -> None:
    assert not list(checks.errors(a_config(server={"host": host}), CATALOGUE))


def test_an_address_with_both_kinds_of_keys_is_fine() -> None:
    server = {"host": "0.0.0.0", "client_keys": ["c"], "admin_key": "a"}

    assert not list(checks.errors(a_config(server=server), CATALOGUE))


def test_client_keys_without_an_admin_key_lock_everybody_out() -> None:
    assert the_error(server={"client_keys": ["c"]}).found == "client_keys without admin_key"


def test_a_profile_needs_a_provider_or_an_address() -> None:
    finding = the_error({"model": "m"})

    assert (finding.path, finding.found) == (("profiles", "p"), "neither provider nor base_url")


def test_an_unknown_provider_names_the_nearest() -> None:
    finding = the_error({"provider": "grok", "model": "m"})

    assert (finding.path, finding.nearest) == (("profiles", "p", "provider"), "groq")


def test_an_unknown_provider_of_an_account_is_told_there() -> None:
    finding = the_error(
        {"account": "a", "model": "m"}, accounts={"a": {"provider": "opnrouter", "api_key": "k"}}
    )

    assert (finding.path, finding.nearest) == (("accounts", "a", "provider"), "openrouter")


@pytest.mark.parametrize("protocol", ["anthropic", "gemini", "openai-responses"])
def test_a_provider_is_not_spoken_to_in_a_dialect_it_is_not_known_to_have(protocol: str) -> None:
    finding = the_error(GROQ | {"protocol": protocol})

    assert finding.expected == "base_url: of that address, or openai"


def test_an_address_alone_needs_a_model() -> None:
    assert the_error({"base_url": "http://127.0.0.1:1"}).found == "no model"


def test_a_local_server_needs_a_model() -> None:
    assert the_error({"provider": "ollama"}).found == "no model"


def test_a_provider_with_known_models_names_some() -> None:
    finding = the_error({"provider": "github-models", "api_key": "k"})

    assert finding.expected == "model: the upstream's name"


@pytest.mark.parametrize("key", ["base_url", "api_key", "protocol", "provider"])
def test_an_account_stands_in_the_place_of_other_settings(key: str) -> None:
    values = {
        "base_url": "http://127.0.0.1:1",
        "api_key": "k",
        "protocol": "openai",
        "provider": "groq",
    }
    accounts = {"a": {"provider": "openrouter", "api_key": "k"}}

    finding = the_error({"account": "a", "model": "m", key: values[key]}, accounts=accounts)

    assert (finding.path, finding.found) == (("profiles", "p", key), f"{key} beside account")


def test_an_accounts_provider_may_be_repeated() -> None:
    profile = {"account": "a", "provider": "openrouter", "model": "m"}
    config = a_config(profile, accounts={"a": {"provider": "openrouter", "api_key": "k"}})

    assert not list(checks.errors(config, CATALOGUE))


def test_free_at_an_address_alone_says_what_it_lacks() -> None:
    finding = the_error({"base_url": "http://127.0.0.1:9/v1", "model": "m", "limits": "free"})

    assert finding.found == "free, which means nothing at an address without a provider"
    assert finding.expected == "own amounts, or provider: beside base_url"


def test_keys_of_the_gateway_may_be_missing_at_any_address() -> None:
    keys = {"client_keys": [MissingSecret("CK is not set")], "admin_key": MissingSecret("x")}
    config = a_config(server={"host": "0.0.0.0", **keys})

    missing = list(checks.missing_keys(config, CATALOGUE, {}))

    assert not list(checks.errors(config, CATALOGUE))
    assert [finding.path for finding in missing] == [
        ("server", "client_keys", 0),
        ("server", "admin_key"),
    ]
    assert missing[0].found == "nothing (CK is not set)"


def test_free_without_figures_names_the_nearest_model_that_has_some() -> None:
    finding = the_error(GROQ | {"model": "gpt-oss-12b", "limits": "free"})

    assert finding.path == ("profiles", "p", "limits")
    assert "no free figures are known for 'gpt-oss-12b' at 'groq'" in finding.found
    assert finding.nearest == "openai/gpt-oss-120b"


def test_free_of_a_retired_model_names_its_successor() -> None:
    finding = the_error(GROQ | {"model": "llama-3.3-70b-versatile", "limits": "free"})

    assert finding.found.endswith("at 'groq', which is retired from 2026-08-16 on")
    assert finding.nearest == "openai/gpt-oss-120b"


def test_free_at_a_provider_without_any_figures_asks_for_amounts() -> None:
    finding = the_error({"provider": "openai", "api_key": "k", "limits": "free"})

    assert (finding.expected, finding.nearest) == ("own amounts", None)


def test_free_limits_of_an_account_are_refused() -> None:
    finding = the_error(
        {"account": "a", "model": "m"},
        accounts={"a": {"provider": "openrouter", "api_key": "k", "limits": "free"}},
    )

    assert finding.path == ("accounts", "a", "limits")


def test_a_limit_on_cost_needs_a_price() -> None:
    finding = the_error(
        {"base_url": "http://127.0.0.1:1", "model": "m", "limits": {"cost_per_day": 1}}
    )

    assert "no price is known for 'm'" in finding.found


def test_an_accounts_limit_on_cost_needs_the_price_of_each_profile() -> None:
    finding = the_error(
        {"account": "a", "model": "unheard-of"},
        accounts={"a": {"provider": "openai", "api_key": "k", "limits": {"cost_per_day": 1}}},
    )

    assert finding.path == ("profiles", "p", "limits")


@pytest.mark.parametrize(
    "profile",
    [
        {"provider": "openai", "api_key": "k", "limits": {"cost_per_day": 1}},
        {
            "base_url": "http://127.0.0.1:1",
            "model": "m",
            "limits": {"cost_per_day": 1},
            "price": {"input": 1},
        },
        {"provider": "cloudflare", "api_key": "k", "limits": "free"},
        {"provider": "huggingface", "api_key": "k", "limits": "free"},
    ],
    ids=["known price", "written price", "neurons from price", "credits"],
)
def test_what_is_counted_in_money_is_fine_with_a_price(profile: dict[str, Any]) -> None:
    assert not list(checks.errors(a_config(profile), CATALOGUE))


def test_a_limit_on_neurons_needs_a_provider_that_counts_them() -> None:
    finding = the_error(GROQ | {"limits": {"neurons_per_day": 1}})

    assert "a limit on neurons" in finding.found


def test_a_local_server_elsewhere_is_warned_of() -> None:
    finding = the_warning(
        {"provider": "ollama", "model": "m"}, environ={"OLLAMA_HOST": "box.lan:11434"}
    )

    assert "which is not this machine" in finding.found
    assert "tier: local" in finding.expected


def test_a_cloud_model_of_a_local_server_is_warned_of() -> None:
    assert "runs in the cloud" in the_warning({"provider": "ollama", "model": "x:cloud"}).found


def test_a_written_tier_settles_it() -> None:
    config = a_config({"provider": "ollama", "model": "x:cloud", "tier": "free"})

    assert not list(checks.warnings(config, CATALOGUE, {}))


def test_a_free_tier_of_nothing_is_warned_of() -> None:
    finding = the_warning(
        {"provider": "gemini", "api_key": "k", "model": "gemini-2.5-pro", "limits": "free"}
    )

    assert finding.found == "free, which is 0 requests per day for this model"


def test_an_own_limit_of_nothing_is_meant() -> None:
    config = a_config(GROQ | {"limits": {"requests_per_day": 0}})

    assert not list(checks.warnings(config, CATALOGUE, {}))


def test_an_alias_that_is_never_reached_is_warned_of() -> None:
    by_name = the_warning(GROQ, chains={"c": ["p"]}, aliases={"c": "p"})
    by_glob = the_warning(GROQ, chains={"c": ["p"]}, aliases={"*": "p", "gpt-*": "c"})

    assert "looked up first" in by_name.expected
    assert by_glob.path == ("aliases", "gpt-*")


def test_free_figures_in_use_that_are_old_are_told_once_a_provider() -> None:
    free = {"limits": "free", "api_key": "k"}
    config = Config.model_validate(
        {
            "profiles": {
                "new": {"provider": "groq", **free},
                "old": {"provider": "groq", "model": "groq/compound", **free},
                "own": {"provider": "mistral", "limits": {"requests_per_day": 5}, "api_key": "k"},
                "local": {"base_url": "http://127.0.0.1:9/v1", "model": "m"},
            }
        }
    )

    (finding,) = checks.stale(config, CATALOGUE, date(2027, 1, 1))

    assert finding.path == ("profiles", "old", "limits")
    assert finding.found == "free figures of groq from 2026-07-18, 167 days old"
    assert "catalogue.yaml" in finding.expected


def test_a_retired_model_is_told_with_its_successor() -> None:
    config = a_config(
        profiles={
            "gone": GROQ | {"model": "llama-3.3-70b-versatile"},
            "sound": GROQ | {"model": "openai/gpt-oss-20b"},
            "elsewhere": {"base_url": "https://a.example/v1", "model": "llama-3.3-70b-versatile"},
        }
    )

    (past,) = checks.retiring(config, CATALOGUE, date(2026, 8, 16))
    (coming,) = checks.retiring(config, CATALOGUE, date(2026, 8, 15))

    assert past.path == ("profiles", "gone", "model")
    assert past.found.endswith("which was retired on 2026-08-16 at groq")
    assert past.expected == "its successor openai/gpt-oss-120b"
    assert "which will be retired" in coming.found


def test_free_figures_of_today_are_not_told_of() -> None:
    config = a_config({**GROQ, "limits": "free"})

    assert not list(checks.stale(config, CATALOGUE, date(2026, 9, 1)))


def test_missing_keys_are_told_where_they_belong() -> None:
    config = Config.model_validate(
        {
            "accounts": {"a": {"provider": "openrouter"}},
            "profiles": {"p": {"provider": "groq"}, "q": {"account": "a", "model": "m"}},
        }
    )

    found = list(checks.missing_keys(config, CATALOGUE, {}))

    assert [(finding.path, finding.found) for finding in found] == [
        (("profiles", "p", "api_key"), "nothing (GROQ_API_KEY is not set)"),
        (("accounts", "a", "api_key"), "nothing (OPENROUTER_API_KEY is not set)"),
    ]

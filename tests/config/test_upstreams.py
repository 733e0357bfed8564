"""Where requests go, and that a credential goes to its own address alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from spillover.catalogue import load
from spillover.config.schema import Config
from spillover.config.secrets import MissingSecret, Secret
from spillover.config.upstreams import Upstream, served_at, upstream_of, usage_of

OLLAMA = "http://127.0.0.1:11434/v1"


def the_upstream(profile: dict[str, object], **environ: str) -> Upstream:
    config = Config.model_validate(
        {
            "accounts": {"shared": {"provider": "groq", "api_key": "the-accounts-key"}},
            "profiles": {"p": profile},
        }
    )
    return upstream_of(config.profiles["p"], config, catalogue=load(), environ=environ)


def test_a_provider_alone_has_the_catalogues_address_and_the_environments_key() -> None:
    far = the_upstream({"provider": "groq"}, GROQ_API_KEY=" gsk_1 ")

    assert (far.provider, far.base_url) == ("groq", "https://api.groq.com/openai/v1")
    assert far.secret == Secret("gsk_1")
    assert far.missing is None


def test_an_alias_means_the_provider_itself() -> None:
    assert the_upstream({"provider": "google"}).provider == "gemini"


def test_a_written_key_wins_over_the_environments() -> None:
    far = the_upstream({"provider": "groq", "api_key": "mine"}, GROQ_API_KEY="theirs")

    assert far.secret == Secret("mine")


def test_the_first_variable_that_is_set_is_taken() -> None:
    assert the_upstream({"provider": "gemini"}, GOOGLE_API_KEY="g").secret == Secret("g")


def test_a_missing_key_says_which_variables_would_do() -> None:
    far = the_upstream({"provider": "gemini"})

    assert far.secret is None
    assert far.missing == (
        "GEMINI_API_KEY or GOOGLE_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY is not set"
    )


def test_a_key_that_the_configuration_asks_for_in_vain_is_missing() -> None:
    far = the_upstream(
        {"provider": "groq", "api_key": MissingSecret("MY_KEY is not set")}, GROQ_API_KEY="other"
    )

    assert (far.secret, far.missing) == (None, "MY_KEY is not set")


@pytest.mark.parametrize("provider", ["ollama", "kilo", "llm7"])
def test_who_answers_without_a_key_misses_none(provider: str) -> None:
    far = the_upstream({"provider": provider})

    assert (far.secret, far.missing) == (None, None)


def test_a_provider_without_a_variable_needs_a_written_key() -> None:
    far = the_upstream(
        {"provider": "vertex"}, GOOGLE_VERTEX_PROJECT="p", GOOGLE_VERTEX_LOCATION="l"
    )

    assert far.missing == "api_key is not given"


def test_the_environments_key_never_goes_to_another_address() -> None:
    far = the_upstream(
        {"provider": "groq", "base_url": "https://evil.example/v1"}, GROQ_API_KEY="gsk_1"
    )

    assert far.secret is None
    assert far.missing is None


def test_another_path_of_the_same_origin_is_the_same_address() -> None:
    far = the_upstream(
        {"provider": "groq", "base_url": "https://api.groq.com:443/v2"}, GROQ_API_KEY="gsk_1"
    )

    assert far.secret == Secret("gsk_1")
    assert far.base_url == "https://api.groq.com:443/v2"


def test_an_address_alone_is_a_custom_provider() -> None:
    far = the_upstream({"base_url": "http://127.0.0.1:9001/v1"})

    assert (far.provider, far.entry, far.secret) == ("custom", None, None)


def test_an_address_is_completed_from_the_environment() -> None:
    far = the_upstream({"provider": "cloudflare", "api_key": "t"}, CLOUDFLARE_ACCOUNT_ID="acc")

    assert far.base_url == "https://api.cloudflare.com/client/v4/accounts/acc/ai/v1"


def test_what_an_address_lacks_is_missing_like_a_key() -> None:
    far = the_upstream({"provider": "vertex", "api_key": "t"})

    assert far.missing == "GOOGLE_VERTEX_LOCATION and GOOGLE_VERTEX_PROJECT are not set"


def test_an_account_gives_provider_and_key_and_both_give_headers() -> None:
    far = the_upstream({"account": "shared", "headers": {"x-title": "mine"}})

    assert (far.provider, far.account) == ("groq", "shared")
    assert far.secret == Secret("the-accounts-key")
    assert far.headers == (("x-title", Secret("mine")),)


def test_a_local_servers_own_variable_gives_its_address() -> None:
    assert (
        the_upstream({"provider": "ollama"}, OLLAMA_HOST="10.0.0.5:9999").base_url
        == "http://10.0.0.5:9999/v1"
    )


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", OLLAMA),
        ("localhost:9999", "http://localhost:9999/v1"),
        (":9999", "http://127.0.0.1:9999/v1"),
        ("0.0.0.0:11434", OLLAMA),
        ("0.0.0.0", OLLAMA),
        ("[::]:11434", "http://[::1]:11434/v1"),
        ("http://box.lan:1234", "http://box.lan:1234/v1"),
        ("https://box.lan", "https://box.lan/v1"),
        ("http://box.lan/ollama/v1/", "http://box.lan/ollama/v1"),
        ("box:notaport", "http://box:11434/v1"),
    ],
)
def test_an_address_as_servers_write_it_becomes_a_url(address: str, expected: str) -> None:
    assert served_at(address, OLLAMA) == expected


@pytest.mark.parametrize(
    ("profile", "url"),
    [
        ({"provider": "openrouter", "api_key": "k"}, "https://openrouter.ai/api/v1/key"),
        ({"provider": "deepseek", "api_key": "k"}, "https://api.deepseek.com/user/balance"),
        (
            {
                "provider": "openrouter",
                "api_key": "k",
                "base_url": "https://openrouter.ai/api/v1beta",
            },
            "https://openrouter.ai/api/v1/key",
        ),
        ({"provider": "openrouter"}, None),
        (
            {"provider": "openrouter", "api_key": "k", "base_url": "https://proxy.test/api/v1"},
            None,
        ),
        ({"provider": "groq", "api_key": "k"}, None),
        ({"base_url": "https://openrouter.ai/api/v1", "api_key": "k"}, None),
    ],
)
def test_what_is_left_is_asked_with_a_key_at_the_providers_own_address(
    profile: dict[str, object], url: str | None
) -> None:
    found = usage_of(the_upstream(profile))

    assert (None if found is None else found.url) == url


def test_a_place_whose_answer_nobody_reads_is_not_asked() -> None:
    far = the_upstream({"provider": "openrouter", "api_key": "k"})
    assert far.entry is not None
    assert far.entry.quota_endpoint is not None
    place = replace(far.entry.quota_endpoint, answer=None)

    assert usage_of(replace(far, entry=replace(far.entry, quota_endpoint=place))) is None

"""The packaged facts: each provider whole, each figure with its source and date."""

from __future__ import annotations

import re

import msgspec
import pytest

from spillover.catalogue import Catalogue, Kind, Pool, TierKind, load
from spillover.catalogue.entries import GuessedWait, Provider, ResetKind
from spillover.core.values import LimitScope

DATE = re.compile(r"20\d\d-[01]\d(-[0-3]\d)?")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_all_64_providers_are_packaged_and_litellm(catalogue: Catalogue) -> None:
    assert len(catalogue.providers) == 64 + 1
    assert "kilo" in catalogue.providers


def test_litellm_is_a_gateway_on_this_machine_that_is_paid(catalogue: Catalogue) -> None:
    litellm = catalogue.providers["litellm"]

    assert litellm.base_url == "http://127.0.0.1:4000/v1"
    assert (litellm.kind, litellm.tier_kind) == (Kind.GATEWAY, TierKind.PAID)
    assert litellm.auth.optional


def test_every_provider_has_a_dated_default_model_with_its_source(catalogue: Catalogue) -> None:
    undated = [
        entry.id
        for entry in catalogue.providers.values()
        if not entry.default_model.source or not DATE.fullmatch(entry.default_model.as_of)
    ]

    assert undated == []


def test_only_servers_to_be_asked_and_providers_without_common_names_lack_a_default_model(
    catalogue: Catalogue,
) -> None:
    nameless = {
        entry.id
        for entry in catalogue.providers.values()
        if entry.default_model.id is None and entry.kind is not Kind.LOCAL
    }

    assert nameless == {"anyapi", "azure", "github-models", "litellm", "navy", "volcengine"}


def test_every_provider_is_dated(catalogue: Catalogue) -> None:
    assert [e.id for e in catalogue.providers.values() if not DATE.fullmatch(e.as_of)] == []


def test_every_figure_has_a_source_and_a_date(catalogue: Catalogue) -> None:
    unsourced = [
        (entry.id, row.models)
        for entry in catalogue.providers.values()
        for row in entry.free
        if not row.source or not DATE.fullmatch(row.as_of)
    ]

    assert unsourced == []


def test_every_figure_has_a_window_that_the_catalogue_can_measure(catalogue: Catalogue) -> None:
    limits = [
        limit
        for entry in catalogue.providers.values()
        for row in entry.free
        for model in row.models
        for limit in catalogue.free_limits(entry.id, model.replace("*", "some")) or ()
    ]

    assert limits
    assert all((limit.per is None) == (limit.window is None) for limit in limits)
    assert all(limit.amount >= 0 for limit in limits)


def test_every_known_window_says_where_it_was_learned(catalogue: Catalogue) -> None:
    unsourced = [
        (entry.id, name)
        for entry in catalogue.providers.values()
        for name, window in entry.windows.items()
        if window.kind is not ResetKind.UNKNOWN and not window.source and entry.id != "zai"
    ]

    assert [found for found in unsourced if found[0] != "github-models"] == []


def test_every_header_has_its_source(catalogue: Catalogue) -> None:
    headers = [header for entry in catalogue.providers.values() for header in entry.headers]

    assert len(headers) > 90
    assert all(header.source for header in headers)


def test_addresses_are_complete_but_for_variables_of_the_environment(catalogue: Catalogue) -> None:
    for entry in catalogue.providers.values():
        assert re.match(r"https://|http://127\.0\.0\.1:", entry.base_url), entry.id
        assert not entry.base_url.endswith("/"), entry.id
        assert all(name.isupper() for name in entry.places), entry.id


def test_no_variable_is_both_a_key_and_a_part_of_the_address(catalogue: Catalogue) -> None:
    both = [e.id for e in catalogue.providers.values() if set(e.key_env) & set(e.places)]

    assert both == []


def test_ids_and_aliases_name_one_provider_each(catalogue: Catalogue) -> None:
    names = [name for entry in catalogue.providers.values() for name in (entry.id, *entry.aliases)]

    assert len(names) == len(set(names))


def test_groq_and_cerebras_reserve_max_tokens(catalogue: Catalogue) -> None:
    reserving = {e.id for e in catalogue.providers.values() if e.reserves_max_tokens}

    assert reserving == {"groq", "cerebras"}


def test_groq_and_anthropic_leave_cached_tokens_uncounted(catalogue: Catalogue) -> None:
    leaving = {e.id for e in catalogue.providers.values() if not e.counts_cached_input}

    assert leaving == {"groq", "anthropic"}
    assert all(catalogue.providers[name].cached_note for name in leaving)


def test_who_lists_models_to_anybody_proves_no_key_by_it(catalogue: Catalogue) -> None:
    public = {e.id: e for e in catalogue.providers.values() if not e.models_prove_key}

    assert {"openrouter", "kilo", "modelscope", "pollinations", "ollama"} <= public.keys()
    assert public["openrouter"].key_check == "/key"
    assert all(entry.key_check_source for entry in public.values())


def test_credits_for_newcomers_are_marked_as_such(catalogue: Catalogue) -> None:
    trials = {e.id: e for e in catalogue.providers.values() if e.tier_kind is TierKind.ONE_TIME}

    assert len(trials) == 12
    assert [r.one_time_usd for r in trials["cerebras"].free if r.one_time_usd] == [5]
    for entry in trials.values():
        assert any(row.one_time_usd or row.one_time_tokens for row in entry.free), entry.id


CLASSIC = {
    ("cerebras", "gpt-oss-120b"): {
        ("requests", "minute"): (30, 5),
        ("tokens", "day"): (10**6,) * 2,
    },
    ("groq", "openai/gpt-oss-120b"): {
        ("requests", "day"): (1_000, 1_000),
        ("requests", "minute"): (30, 30),
        ("tokens", "minute"): (6_000, 8_000),
    },
    ("gemini", "gemini-2.5-flash-lite"): {
        ("requests", "day"): (1_000, 20),
        ("requests", "minute"): (15, 10),
    },
    ("gemini", "gemini-3.5-flash-lite"): {
        ("requests", "day"): (1_000, 500),
        ("requests", "minute"): (15, 15),
    },
    ("gemini", "gemini-2.5-flash"): {
        ("requests", "day"): (250, 20),
        ("requests", "minute"): (10, 5),
    },
    ("gemini", "gemini-2.5-pro"): {
        ("requests", "day"): (100, 0),
        ("requests", "minute"): (5, None),
    },
    ("mistral", "*"): {
        ("requests", "minute"): (2, None),
        ("tokens", "month"): (10**9, 10**9),
    },
    ("openrouter", "*:free"): {
        ("requests", "day"): (50, 50),
        ("requests", "minute"): (20, 20),
    },
    ("cloudflare", "@cf/*"): {("neurons", "day"): (10_000, 10_000)},
}
"""The classic free-tier table of 2026-05-25: what each figure was, and what it is."""


@pytest.mark.parametrize(("place", "figures"), CLASSIC.items(), ids=map(str, CLASSIC))
def test_the_classic_tables_figures_are_there_as_they_were_and_as_they_are(
    catalogue: Catalogue,
    place: tuple[str, str],
    figures: dict[tuple[str, str], tuple[int, int | None]],
) -> None:
    provider, model = place
    row = next(r for r in catalogue.providers[provider].free if r.was and model in r.models)

    (was,) = row.was
    old = {(figure.metric.value, figure.per): figure.amount for figure in was.figures}
    new = {(figure.metric.value, figure.per): figure.amount for figure in row.figures}
    assert was.as_of == "2026-05-25"
    assert old == {name: before for name, (before, _) in figures.items()}
    assert {name: new.get(name) for name in figures} == {
        name: today for name, (_, today) in figures.items()
    }


def test_the_classic_order_is_kept_but_for_cerebras_which_gives_nothing_back(
    catalogue: Catalogue,
) -> None:
    classic = [
        ("cerebras", "gpt-oss-120b"), ("groq", "openai/gpt-oss-120b"), ("gemini", "gemini-3.5-flash"),
        ("openrouter", "z-ai/glm-5:free"), ("mistral", "mistral-medium-2508"),
        ("cloudflare", "@cf/openai/gpt-oss-120b"),
    ]  # fmt: skip

    today = sorted(classic, key=lambda each: catalogue.rank(*each) or 0)

    assert today == [*classic[1:], classic[0]]


def test_every_rank_says_why_and_since_when(catalogue: Catalogue) -> None:
    ranks = [rank for entry in catalogue.providers.values() for rank in entry.ranks]

    assert len(ranks) > 25
    assert all(rank.reason and DATE.fullmatch(rank.as_of) and rank.place > 0 for rank in ranks)


def test_local_servers_have_no_rank_for_what_they_run_is_not_known(catalogue: Catalogue) -> None:
    assert [e.id for e in catalogue.providers.values() if e.kind is Kind.LOCAL and e.ranks] == []


def test_every_price_has_a_source_and_a_date(catalogue: Catalogue) -> None:
    facts = [
        catalogue.model_facts(name, model)
        for name in catalogue.providers
        for model in catalogue.models(name)
    ]

    assert len(facts) > 300
    assert all(each and each.source and DATE.fullmatch(each.as_of) for each in facts)


def test_every_cloudflare_model_with_free_figures_is_known_in_neurons(
    catalogue: Catalogue,
) -> None:
    unknown = [
        model
        for model in catalogue.models("cloudflare")
        if (facts := catalogue.model_facts("cloudflare", model)) and facts.neurons is None
    ]

    assert unknown == []


def test_slow_starters_have_a_longer_first_token_time(catalogue: Catalogue) -> None:
    local = [e for e in catalogue.providers.values() if e.kind is Kind.LOCAL]

    assert catalogue.providers["nvidia"].first_token_s == 180
    assert {entry.first_token_s for entry in local} == {180}


def test_local_servers_and_nobody_else_are_local(catalogue: Catalogue) -> None:
    local = {e.id for e in catalogue.providers.values() if e.tier_kind is TierKind.LOCAL}

    assert local == {"ollama", "lmstudio", "llamacpp", "vllm"}


@pytest.mark.parametrize(
    ("pool", "scope", "ignores_keys"),
    [
        (Pool.ACCOUNT, LimitScope.ACCOUNT, False),
        (Pool.MODEL, LimitScope.MODEL, False),
        (Pool.PROJECT, LimitScope.MODEL, True),
        (Pool.IP, LimitScope.ACCOUNT, True),
        (Pool.PROFILE, LimitScope.PROFILE, False),
    ],
    ids=[pool.value for pool in Pool],
)
def test_a_pool_says_whose_counter_a_limit_is(
    pool: Pool, scope: LimitScope, *, ignores_keys: bool
) -> None:
    assert (pool.scope, pool.ignores_keys) == (scope, ignores_keys)


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="poool"):
        msgspec.json.decode(b'{"poool": "account"}', type=Provider)


def test_a_wait_is_guessed_for_windows_that_refusals_name() -> None:
    with pytest.raises(msgspec.ValidationError, match="per: with one of day, hour, minute"):
        msgspec.convert(
            {"models": ["*"], "metric": "tokens", "per": "5h", "source": "s", "as_of": "2026-01"},
            GuessedWait,
        )


def test_every_guessed_wait_is_dated_and_sourced(catalogue: Catalogue) -> None:
    rows = [row for entry in catalogue.providers.values() for row in entry.guessed_waits]

    assert rows
    assert all(row.source and row.as_of and row.instead for row in rows)

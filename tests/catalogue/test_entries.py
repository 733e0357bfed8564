"""The packaged facts: each provider whole, each figure with its source and date."""

from __future__ import annotations

import re

import msgspec
import pytest

from spillover.catalogue import Catalogue, Kind, Pool, TierKind, load
from spillover.catalogue.entries import Provider, ResetKind
from spillover.core.values import LimitScope

DATE = re.compile(r"20\d\d-[01]\d(-[0-3]\d)?")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_all_64_providers_are_packaged(catalogue: Catalogue) -> None:
    assert len(catalogue.providers) == 64


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

    assert nameless == {"anyapi", "azure", "github-models", "navy", "volcengine"}


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

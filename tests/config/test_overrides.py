"""A user's own catalogue file is laid over the packaged one, and told of where it is wrong."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from spillover.catalogue import Catalogue, Kind, Pool, TierKind, load
from spillover.config.overrides import merged, over
from spillover.core.values import Capability, LimitScope, Metric, Refill, Rolling

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.errors import Problem


def written(folder: Path, text: str, name: str = "catalogue.yaml") -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(text), "utf-8")
    return file


def laid(folder: Path, text: str) -> Catalogue:
    written(folder, text)
    own = over(load(), folder)
    assert own.problems == ()
    return own.catalogue


def problems(folder: Path, text: str) -> tuple[Problem, ...]:
    written(folder, text)
    return over(load(), folder).problems


def test_without_a_file_the_packaged_catalogue_is_in_force(tmp_path: Path) -> None:
    own = over(load(), tmp_path)

    assert own.catalogue is load()
    assert own.files == (tmp_path / "catalogue.yaml", tmp_path / "catalogue.json")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "providers:\n", "providers: {}\n"])
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    catalogue = laid(tmp_path, text)

    assert (catalogue.providers, catalogue.own) == (load().providers, {})


def test_own_free_figures_take_the_place_of_the_packaged_ones(tmp_path: Path) -> None:
    catalogue = laid(
        tmp_path,
        """\
        providers:
          groq:
            free:
              - {models: ["openai/*"], figures: [{metric: tokens, amount: 9000, per: minute}]}
        """,
    )

    (limit,) = catalogue.free_limits("groq", "openai/gpt-oss-120b") or ()
    assert (limit.metric, limit.amount, limit.window) == (Metric.TOKENS, 9_000, Refill(seconds=60))
    assert limit.scope is LimitScope.MODEL
    assert limit.source == "catalogue.yaml"
    assert catalogue.own == {"groq": "catalogue.yaml"}
    assert load().free_limits("groq", "openai/gpt-oss-120b") != (limit,)


def test_figures_are_as_old_as_the_file_says_or_the_file_is(tmp_path: Path) -> None:
    dated = "as_of: 2026-10-01\nproviders: {groq: {pool: account}}\n"
    row = "{models: ['*'], as_of: 2026-09-09}"

    said = laid(tmp_path, dated).providers["groq"].as_of
    own = laid(tmp_path, f"providers: {{groq: {{free: [{row}]}}}}").providers["groq"]

    today = datetime.fromtimestamp((tmp_path / "catalogue.yaml").stat().st_mtime, UTC).date()
    assert said == "2026-10-01"
    assert (own.as_of, own.free[0].as_of) == (today.isoformat(), "2026-09-09")


def test_a_mapping_changes_what_it_names_and_null_brings_back_the_default(tmp_path: Path) -> None:
    groq = laid(
        tmp_path,
        """\
        providers:
          groq:
            windows: {minute: {kind: rolling}, day: null}
            default_model: openai/gpt-oss-20b
            terms: null
            auth: {optional: true}
            first_token_s: 90
        """,
    ).providers["groq"]

    assert groq.windows["minute"].kind == "rolling"
    assert groq.windows["minute"].note == "refills continuously"
    assert "day" not in groq.windows
    assert groq.default_model.id == "openai/gpt-oss-20b"
    assert (groq.terms, groq.first_token_s) == (None, 90)
    assert (groq.auth.header, groq.auth.optional) == ("Authorization", True)
    assert groq.base_url == load().providers["groq"].base_url


def test_models_are_changed_and_added(tmp_path: Path) -> None:
    catalogue = laid(
        tmp_path,
        """\
        providers:
          groq:
            models:
              openai/gpt-oss-120b: {price: [1, 2], rank: 3}
              new-model: {context: 4096, lacks: [tools]}
        """,
    )

    changed = catalogue.model_facts("groq", "openai/gpt-oss-120b")
    added = catalogue.model_facts("groq", "new-model")
    assert changed is not None
    assert added is not None
    assert (changed.price_usd, changed.context_tokens) == ((1, 2), 131_072)
    assert changed.source == "catalogue.yaml"
    assert catalogue.rank("groq", "openai/gpt-oss-120b") == 3
    assert (added.context_tokens, added.lacks) == (4_096, frozenset({Capability.TOOLS}))
    assert load().model_facts("groq", "new-model") is None


def test_ranks_and_headers_need_no_evidence_but_the_file(tmp_path: Path) -> None:
    catalogue = laid(
        tmp_path,
        """\
        providers:
          ollama:
            ranks: [{models: ["qwen3:*"], place: 2}]
            headers: [{name: x-left, kind: remaining, format: int}]
            default_model: {id: "qwen3:8b"}
        """,
    )

    ollama = catalogue.providers["ollama"]
    assert catalogue.rank("ollama", "qwen3:8b") == 2
    assert ollama.headers[0].source == "catalogue.yaml"
    assert ollama.default_model.source == "catalogue.yaml"


def test_an_alias_names_the_provider_it_is_of(tmp_path: Path) -> None:
    catalogue = laid(tmp_path, "providers: {google: {terms: mine}}")

    assert catalogue.providers["gemini"].terms == "mine"
    assert "google" not in catalogue.providers


def test_a_provider_of_ones_own_needs_an_address_alone(tmp_path: Path) -> None:
    catalogue = laid(
        tmp_path,
        """\
        providers:
          acme:
            base_url: https://api.acme.example/v1
            aliases: [acme-ai]
            free: [{models: ["*"], figures: [{metric: requests, amount: 5, per: hour}]}]
        """,
    )

    acme = catalogue.provider("acme-ai")
    assert acme is not None
    assert (acme.kind, acme.pool, acme.tier_kind) == (Kind.CLOUD, Pool.ACCOUNT, TierKind.PAID)
    (limit,) = catalogue.free_limits("acme", "m") or ()
    assert (limit.amount, limit.window) == (5, Rolling(seconds=3_600))


def test_json_is_read_too(tmp_path: Path) -> None:
    written(tmp_path, json.dumps({"providers": {"groq": {"pool": "account"}}}), "catalogue.json")

    own = over(load(), tmp_path)

    assert own.problems == ()
    assert own.catalogue.providers["groq"].pool is Pool.ACCOUNT


def test_two_files_are_one_too_many(tmp_path: Path) -> None:
    written(tmp_path, "{}", "catalogue.json")

    (problem,) = problems(tmp_path, "{}")

    assert problem.file.endswith("catalogue.yaml")
    assert problem.found == "catalogue.json beside it"


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").mkdir()

    (problem,) = over(load(), tmp_path).problems

    assert problem.found.startswith("no readable file")


@pytest.mark.parametrize(
    ("text", "place", "found", "expected"),
    [
        ("providers: [groq]", (1, "providers"), "a list", "a mapping"),
        ("- groq", (0, ""), "a list", "a mapping"),
        ("provider: {}", (1, "provider"), "'provider'", "providers: or as_of:"),
        ("providers:\n  groq: fast", (2, "providers.groq"), "'fast'", "a mapping"),
        ("providers:\n  groq:\n    pool: planet", (3, "providers.groq.pool"), "'planet'", "one of"),
        ("providers:\n  groq:\n    poool: model", (3, "providers.groq.poool"), "'poool'", "a field"),
        (
            "providers:\n  groq:\n    free:\n      - {models: ['*'], figures: [{metric: requests, amount: 5K, per: day}]}",
            (4, "providers.groq.free[0].figures[0].amount"), "'5K'", "a number",
        ),
        (
            "providers:\n  groq:\n    models:\n      m:\n        price: 5",
            (5, "providers.groq.models.m.price"), "5", "a list or nothing",
        ),
        ("providers:\n  groq:\n    models: 7", (3, "providers.groq.models"), "7", "a mapping"),
        ("providers:\n  groq:\n    id: other", (3, "providers.groq.id"), "another id", "none"),
        ("providers:\n  grok: {pool: model}", (2, "providers.grok"), "'grok'", "a provider of"),
        ("providers: {groq: {as_of: soon}}", (1, "providers.groq.as_of"), "'soon'", "a date"),
        ("providers:\n  groq: {pool: model, pool: ip}", (2, "providers.groq.pool"), "'pool' a", "each"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_has_its_place(
    tmp_path: Path, text: str, place: tuple[int, str], found: str, expected: str
) -> None:
    (problem,) = problems(tmp_path, text)

    assert (problem.line, problem.key) == place
    assert problem.file == str(tmp_path / "catalogue.yaml")
    assert problem.found.startswith(found)
    assert problem.expected.startswith(expected)


def test_everything_wrong_is_told_at_once_in_the_files_order(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
        providers:
          groq:
            pool: planet
            tier_kind: mine
            first_token_s: long
          acme: {base_url: nowhere}
          gemini: {kind: sky, models: {m: {rank: 0}}}
        """,
    )

    assert [(problem.line, problem.key) for problem in found] == [
        (3, "providers.groq.pool"),
        (4, "providers.groq.tier_kind"),
        (5, "providers.groq.first_token_s"),
        (6, "providers.acme.base_url"),
        (7, "providers.gemini.kind"),
        (7, "providers.gemini.models.m.rank"),
    ]


def test_a_misspelt_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    text = "providers:\n  grok: {pool: model}\n  groq: {poool: model}"

    assert [problem.nearest for problem in problems(tmp_path, text)] == ["groq", "pool"]


def test_changes_go_as_deep_as_they_are_written() -> None:
    base = {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}

    assert merged(base, {"a": {"c": 3}, "d": [2], "e": None, "f": None}) == {
        "a": {"b": 1, "c": 3},
        "d": [2],
    }
    assert base == {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}

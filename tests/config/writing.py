"""Writes configurations for tests and reads them back."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.loader import LoadedConfig, load
from spillover.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.config.routing import Routing

KEYS = {
    "GROQ_API_KEY": "gsk_of-the-tests-0001",
    "GEMINI_API_KEY": "AIza-of-the-tests-0001",
    "OPENAI_API_KEY": "sk-of-the-tests-0001",
    "OPENROUTER_API_KEY": "sk-or-of-the-tests-0001",
    "CHUTES_API_KEY": "cpk_of-the-tests-0001",
}

EVERY_SETTING = """\
server: {host: 127.0.0.1, port: 4400, max_body: 64MB, allowed_hosts: []}
storage: sqlite
routing_policy: any
privacy: false
on_ledger_error: local

accounts:
  openrouter: {provider: openrouter, api_key: "${OPENROUTER_API_KEY}", limits: {requests_per_day: 50}}

profiles:
  chutes-free:
    provider: chutes
    api_key: ${CHUTES_API_KEY}
    model: deepseek-ai/DeepSeek-V3.1
    tier: free
    limits: {tokens_per_hour: 5000}
  groq:
    provider: groq
    api_key: ${GROQ_API_KEY}
    model: openai/gpt-oss-120b
    limits: free
    alternatives: [openai/gpt-oss-20b]
  glm: {account: openrouter, model: "z-ai/glm-5:free"}
  gemini:
    provider: gemini
    api_key: ${GEMINI_API_KEY}
    model: gemini-3.5-flash
    limits:
      - {requests: 20, per: day, window: calendar, timezone: America/Los_Angeles}
      - {requests: 5, per: minute}
      - {tokens: 8000, per: minute, window: refill, burst: 8000}
  openai-paid: {provider: openai, api_key: "${OPENAI_API_KEY}", model: gpt-5-mini, tier: paid, price: {input: 0.25, output: 2.0}}
  ollama: {provider: ollama, model: "qwen3:8b"}

chains:
  default: [chutes-free, groq, glm, gemini, openai-paid]
  coding:
    profiles: [{profile: groq, weight: 3}, {profile: openai-paid, hours: "18:00-09:00 America/New_York"}]
    strategy: priority
    routing_policy: any
    failback: immediate
    when_exhausted: fail
    patience: 0s
    truncate: never
    cache: {ttl: 10m, max_size: 64MB}
    spend_gate: {on_quota: allow, on_outage: allow}
    timeouts: {connect: 5s, first_token: 60s, stall: 60s, total: 30m, deadline: 5m}
    retries: {server_error: 2}
    cooldown: {overloaded: 30s, rate_limited: {fixed: 60s}}
aliases: {"gpt-*": coding, "claude-*": coding}
notify: [desktop, "ntfy://topic", "slack://token"]
"""
"""Every setting in the form that users know it by."""


def written(folder: Path, text: str) -> Path:
    """Write a configuration and return its path."""
    path = folder / "spillover.yaml"
    path.write_text(textwrap.dedent(text), "utf-8")
    return path


def loaded(folder: Path, text: str, **environ: str) -> LoadedConfig:
    """Load a configuration in an environment of the usual keys and these variables."""
    return load(written(folder, text), environ={**KEYS, **environ})


def problems(folder: Path, text: str, **environ: str) -> tuple[Problem, ...]:
    """Return what loading a configuration complains of."""
    with pytest.raises(ConfigError) as refused:
        loaded(folder, text, **environ)
    return refused.value.problems


def the_problem(folder: Path, text: str, **environ: str) -> Problem:
    """Return the only thing that is wrong with a configuration."""
    (problem,) = problems(folder, text, **environ)
    return problem


def assembled(folder: Path, text: str, **environ: str) -> Routing:
    """Load and assemble a configuration."""
    return assemble(loaded(folder, text, **environ), load_catalogue())

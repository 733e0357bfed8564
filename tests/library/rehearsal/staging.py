"""A user's configuration for the rehearsal's tests, without a single real key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spillover.config.assemble import assemble
from spillover.config.loader import LoadedConfig, load_document

if TYPE_CHECKING:
    from spillover.config.routing import Routing

REAL = "gsk_the-users-own-key-0123456789"


def configured(chain: Any = None, **more: Any) -> tuple[LoadedConfig, Routing]:
    """Return a chain over four providers in three dialects, one of them an account's."""
    profiles = {
        "groq": {
            "provider": "groq",
            "api_key": REAL,
            "model": "openai/gpt-oss-120b",
            "limits": "free",
            "headers": {"x-extra": REAL},
        },
        "glm": {"account": "or", "model": "z-ai/glm-5:free"},
        "claude": {"provider": "anthropic", "api_key": REAL, "model": "claude-x", "tier": "paid"},
        "gemini": {"provider": "gemini", "protocol": "gemini", "api_key": REAL, "model": "g"},
        "plain": {"base_url": "https://plain.example/v1", "api_key": REAL, "model": "p"},
    }
    document = {
        "accounts": {
            "or": {"provider": "openrouter", "api_key": REAL, "limits": {"requests_per_day": 50}}
        },
        "profiles": profiles,
        "chains": {"default": chain or list(profiles)[:-1]},
        **more,
    }
    loaded = load_document(document, environ={})
    return loaded, assemble(loaded, loaded.catalogue)

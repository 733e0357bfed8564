"""The providers whose quirks can be simulated, by name.

Refuses to know anything of them but which there are.
"""

from __future__ import annotations

from typing import Final

from spillover.simulator.flavours.anthropic import Anthropic
from spillover.simulator.flavours.base import Flavour, StreamUsage
from spillover.simulator.flavours.cerebras import Cerebras
from spillover.simulator.flavours.deepseek import DeepSeek
from spillover.simulator.flavours.gemini import Gemini
from spillover.simulator.flavours.gemini_native import GeminiNative
from spillover.simulator.flavours.groq import Groq
from spillover.simulator.flavours.mistral import Mistral
from spillover.simulator.flavours.ollama import Ollama
from spillover.simulator.flavours.openai import OpenAI
from spillover.simulator.flavours.openrouter import OpenRouter

__all__ = ["FLAVOURS", "Flavour", "StreamUsage", "flavour_of"]

FLAVOURS: Final[dict[str, Flavour]] = {
    one.name: one
    for one in (
        Groq(),
        Gemini(),
        OpenRouter(),
        Mistral(),
        Cerebras(),
        OpenAI(),
        DeepSeek(),
        Ollama(),
        Anthropic(),
        GeminiNative(),
        Flavour(),
    )
}


def flavour_of(name: str) -> Flavour:
    """Return a flavour, or raise ValueError naming those there are."""
    found = FLAVOURS.get(name)
    if found is None:
        raise ValueError(f"no flavour: {name!r} (there are {', '.join(FLAVOURS)})")
    return found

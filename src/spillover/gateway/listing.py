"""List what clients may name as their model: chains, profiles, and aliases that are no globs.

Written in Gemini's shape at its addresses, in Anthropic's for clients that send `anthropic-version`,
in OpenAI's for all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spillover.events.kinds import iso
from spillover.protocols.conversation.seals import Dialect

if TYPE_CHECKING:
    from spillover.config.routing import Routing
    from spillover.gateway.routes import Inquiry

OWNER = "spillover"


async def models(inquiry: Inquiry) -> None:
    """Answer the list."""
    routing, since = inquiry.engine.routing, inquiry.gateway.since
    names = routing.names()
    dialect = inquiry.visit.dialect
    if dialect is Dialect.GEMINI:
        document: dict[str, Any] = {"models": [_gemini(name, routing, since) for name in names]}
    elif dialect is Dialect.ANTHROPIC:
        document = {
            "data": [_anthropic(name, routing, since) for name in names],
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }
    else:
        document = {"object": "list", "data": [_openai(name, routing, since) for name in names]}
    await inquiry.visit.answer_json(200, document)


async def model(inquiry: Inquiry) -> None:
    """Answer one model, whatever way it is named; raises `UnknownModel`."""
    routing, name = inquiry.engine.routing, inquiry.names["model"]
    routing.resolve(name)
    shape = _SHAPES.get(inquiry.visit.dialect, _openai)
    await inquiry.visit.answer_json(200, shape(name, routing, inquiry.gateway.since))


def _openai(name: str, routing: Routing, since: float) -> dict[str, Any]:
    profile = None if name in routing.chains else routing.profiles.get(name)
    return {
        "id": name,
        "object": "model",
        "created": int(since),
        "owned_by": OWNER if profile is None else profile.provider,
    }


def _anthropic(name: str, routing: Routing, since: float) -> dict[str, Any]:
    named = routing.chains.get(name) or routing.profiles.get(name)
    return {
        "type": "model",
        "id": name,
        "display_name": (named.title if named else "") or name,
        "created_at": iso(int(since)),
    }


def _gemini(name: str, routing: Routing, _since: float) -> dict[str, Any]:
    named = routing.chains.get(name) or routing.profiles.get(name)
    return {
        "name": f"models/{name}",
        "displayName": (named.title if named else "") or name,
        "supportedGenerationMethods": [
            "generateContent",
            "streamGenerateContent",
            "countTokens",
        ],
    }


_SHAPES = {Dialect.ANTHROPIC: _anthropic, Dialect.GEMINI: _gemini}

"""Read which models a provider lists, in every form that lists have, and say how to ask for all of them.

Rules of this file:
- A list is the whole answer, or what stands in it as `data`, `models` or `result`.
- An entry is a name, or has one: its `id`, unless a `result` holds it, whose ids are numbers of its own.
- Names are shown to people: what can't be printed, or is too long to be one, is left out.

Refuses to know what is known of the models, and what was meant where there is no list.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from spillover.core.values import Protocol

MOST_MODELS: Final = 5_000
LONGEST_NAME: Final = 300
_PAGES: Final = {
    # 20 else: https://platform.claude.com/docs/en/api/models/list
    Protocol.ANTHROPIC: "limit=1000",
    # 50 else: https://ai.google.dev/api/models#method:-models.list
    Protocol.GEMINI: "pageSize=1000",
}
"""How the dialects that page their lists are asked for all of one."""
_NAMES: Final = {
    "data": ("id", "name", "model"),
    "models": ("id", "name", "model"),
    # https://developers.cloudflare.com/api/resources/ai/subresources/models/methods/list/
    "result": ("name", "id", "model"),
}
"""Where providers put their list, if it is not the whole answer, and the name within an entry."""


def whole_list(path: str, protocol: Protocol) -> str:
    """Return the path of a list of models with what asks for all of it; a query of its own stays."""
    query = _PAGES.get(protocol)
    if query is None or "?" in path:
        return path
    return f"{path}?{query}"


def models_in(body: bytes) -> tuple[str, ...] | None:
    """Return the names of the models that an answer lists, each once, in its order; None: no list."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    listed, keys = answer, _NAMES["data"]
    if isinstance(answer, dict):
        place = next((each for each in _NAMES if isinstance(answer.get(each), list)), "data")
        listed, keys = answer.get(place), _NAMES[place]
    if not isinstance(listed, list):
        return None
    names = (_name(each, keys) for each in listed[:MOST_MODELS])
    return tuple(dict.fromkeys(name for name in names if name))


def _name(entry: Any, keys: tuple[str, ...]) -> str:
    found = entry
    if isinstance(entry, dict):
        found = next((entry[key] for key in keys if isinstance(entry.get(key), str)), None)
    text = found.removeprefix("models/") if isinstance(found, str) else ""
    return text if text.isprintable() and len(text) <= LONGEST_NAME else ""

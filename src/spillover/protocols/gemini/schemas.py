"""Read Gemini's own schemas (OpenAPI's, with types in capitals) as JSON Schema.

Gemini itself takes JSON Schema too, which is what is written. Refuses to know what a schema is for.
"""

from __future__ import annotations

from typing import Any, Final

_NUMBERS: Final = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
"""Written as text, as protocol buffers write long integers."""


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the same schema in JSON Schema's words."""
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "type" and isinstance(value, str):
            found[name] = value.lower()
        elif name == "properties" and isinstance(value, dict):
            found[name] = {key: _inner(item) for key, item in value.items()}
        elif name == "anyOf" and isinstance(value, list):
            found[name] = [_inner(item) for item in value]
        elif name == "items":
            found[name] = _inner(value)
        elif name in _NUMBERS and isinstance(value, str) and value.isdigit():
            found[name] = int(value)
        elif name == "example":
            found["examples"] = [value]
        elif name not in {"nullable", "propertyOrdering"}:
            found[name] = value
    if schema.get("nullable") is True:
        if isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
        if isinstance(found.get("enum"), list):
            found["enum"] = [*found["enum"], None]
    return found


def _inner(schema: Any) -> Any:
    return json_schema(schema) if isinstance(schema, dict) else schema

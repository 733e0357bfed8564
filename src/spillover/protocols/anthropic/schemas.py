"""Make a JSON Schema one that Anthropic's structured outputs take.

They refuse bounds, patterns and objects that are open to more fields; Anthropic's own SDKs move what
is refused into the description, as is done here
(https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations).
Refuses to know what the schema is for.
"""

from __future__ import annotations

from typing import Any, Final

from spillover.protocols.conversation.fields import encode

_REFUSED: Final = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "pattern",
)
_OF_SCHEMAS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "allOf", "oneOf", "prefixItems")


def accepted(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that is sent; what it can't enforce is told to the model in words."""
    found: dict[str, Any] = {}
    told: list[str] = []
    for name, value in schema.items():
        if name in _REFUSED or (name == "minItems" and value not in (0, 1)):
            told.append(f"{name}: {encode(value).decode()}")
        elif name in _OF_SCHEMAS and isinstance(value, dict):
            found[name] = {key: _inner(item) for key, item in value.items()}
        elif name in _LISTS and isinstance(value, list):
            # One of several is any of several, as far as can be enforced.
            found["anyOf" if name == "oneOf" else name] = [_inner(item) for item in value]
        elif name == "items":
            found[name] = _inner(value)
        else:
            found[name] = value
    if found.get("type") == "object" or "properties" in found:
        found["additionalProperties"] = False
    if told:
        words = "{" + ", ".join(told) + "}"
        before = found.get("description")
        found["description"] = f"{before}\n\n{words}" if before else words
    return found


def _inner(schema: Any) -> Any:
    return accepted(schema) if isinstance(schema, dict) else schema

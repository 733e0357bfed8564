"""Describe the gateway's routes as OpenAPI: `openapi.json` beside this file, and the code's own shapes.

What has a type in the code (events, the catalogue's entries, the words of answers) is taken from it,
so that neither can change alone. Refuses to know what the routes do.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.catalogue import Provider
from spillover.catalogue.entries import ModelFacts
from spillover.core.notices import NoticeKind
from spillover.core.refusals import EndKind
from spillover.core.values import (
    Confidence,
    FailureClass,
    LimitScope,
    Metric,
    Operation,
    RoutingPolicy,
    SkipReason,
    Source,
    Status,
    Tier,
)
from spillover.events import Event
from spillover.events.kinds import INSTANTS

if TYPE_CHECKING:
    from enum import StrEnum

WORDS: Final[dict[str, type[StrEnum]]] = {
    "Confidence": Confidence,
    "FailureClass": FailureClass,
    "LimitScope": LimitScope,
    "Metric": Metric,
    "NoticeKind": NoticeKind,
    "Operation": Operation,
    "Outcome": EndKind,
    "ProfileState": Status,
    "RoutingPolicy": RoutingPolicy,
    "SkipReason": SkipReason,
    "Source": Source,
    "Tier": Tier,
}
"""The words of answers, by the name of their schema."""
_INSTANT: Final = {"type": "string", "format": "date-time"}


@cache
def description(version: str) -> dict[str, Any]:
    """Return the description of this version's routes."""
    text = files("spillover.gateway").joinpath("openapi.json").read_bytes()
    document: dict[str, Any] = msgspec.json.decode(text)
    document["info"]["version"] = version
    schemas = document["components"]["schemas"]
    schemas |= {name: {"type": "string", "enum": list(kind)} for name, kind in WORDS.items()}
    schemas |= _events() | _catalogue()
    return document


def _events() -> dict[str, Any]:
    """Return the shapes of events as they are told over HTTP: instants as text, each with an id."""
    (union,), found = _shapes("Told", Event)
    for shape in found.values():
        properties = shape.get("properties", {})
        for name in INSTANTS & properties.keys():
            is_sure = properties[name] == {"type": "number"}
            properties[name] = _INSTANT if is_sure else {"anyOf": [_INSTANT, {"type": "null"}]}
    return {**found, "Told": union}


def _catalogue() -> dict[str, Any]:
    """Return the shapes of the catalogue's entries, with what is told beside what they hold."""
    _, found = _shapes("Catalogue", Provider, ModelFacts)
    entry = found.pop("CatalogueProvider")
    more = {
        "models": {
            "type": "object",
            "additionalProperties": {"$ref": "#/components/schemas/CatalogueModelFacts"},
        },
        "oldest_as_of": {"type": ["string", "null"]},
        "stale": {"type": "boolean"},
        "changed_by": {"type": ["string", "null"], "description": "the user's own file, if any"},
    }
    entry["properties"] |= more
    entry["required"] += list(more)
    return {**found, "CatalogueEntry": entry}


def _shapes(prefix: str, *types: Any) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """Return the schemas of types, and of what they hold by names that begin with `prefix`."""
    template = f"#/components/schemas/{prefix}{{name}}"
    found, within = msgspec.json.schema_components(types, ref_template=template)
    return found, {f"{prefix}{name}": shape for name, shape in within.items()}

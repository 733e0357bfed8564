"""Read plain values into the catalogue's types, and say in words what does not fit.

Refuses to know files, lines, and what the values are for.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

from spillover.catalogue import Kind, Pool, ResetKind, TierKind, entries
from spillover.catalogue.entries import Confidence, Entry
from spillover.config.findings import Fault, KeyPath, nearest
from spillover.core.values import Capability, LimitScope, Metric, StreamUsage

_Type = TypeVar("_Type", bound=Entry)

_MESSAGE: Final = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$(?P<place>[^`]*)`)?", re.DOTALL)
"""What msgspec says, and where."""
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
_TYPE: Final = re.compile(r"Expected `([^`]+)`(?:, got `[^`]+`)?")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_CHOICES: Final = {
    "kind": Kind,
    "windows": ResetKind,
    "pool": Pool,
    "tier_kind": TierKind,
    "stream_usage": StreamUsage,
    "confidence": Confidence,
    "metric": Metric,
    "scope": LimitScope,
    "lacks": Capability,
}
"""The words that may stand in a field, or in the mappings that it holds by names of its own."""
_EXAMPLES: Final = {
    "as_of": "a date such as 2026-11-20",
    "base_url": "an address such as https://api.example.com/v1, without a slash at its end",
}
"""Fields whose text has a form."""
_FIELDS: Final = sorted(
    {
        field
        for kind in vars(entries).values()
        if isinstance(kind, type) and issubclass(kind, Entry)
        for field in kind.__struct_fields__
    }
)


def read(value: Any, kind: type[_Type]) -> _Type:
    """Return a plain value as one of the catalogue's types; raises Fault with the first misfit.

    The fault's path ends where msgspec can't tell which key of a mapping it means.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message = str(error)
    told = _MESSAGE.fullmatch(message)
    what, place = (told["what"], told["place"] or "") if told else (message, "")
    path = _path(place)
    if (unknown := _UNKNOWN.match(what)) is not None:
        near = nearest(unknown[1], _FIELDS)
        expected = "a field of the catalogue (docs/catalogue.md)"
        raise Fault(expected, path=(*path, unknown[1]), found=unknown[1], nearest=near)
    if (missing := _MISSING.match(what)) is not None:
        raise Fault(f"{missing[1]}:", path=(*path, missing[1]), found=None)
    raise Fault(_expected(what, path), path=path, found=_at(value, path))


def _path(place: str) -> KeyPath:
    path: list[str | int] = []
    for name, number, unnamed in _STEP.findall(place):
        if unnamed:
            break
        path.append(int(number) if number else name)
    return tuple(path)


def _at(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _expected(what: str, path: KeyPath) -> str:
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    if what.startswith("Invalid enum value"):
        return f"one of {', '.join(_CHOICES[field])}"
    if field in _EXAMPLES and "null" not in what:
        return _EXAMPLES[field]
    typed = _TYPE.match(what)
    if typed is None:
        return what
    names = [_WORDS.get(name.strip(), name.strip()) for name in typed[1].split("|")]
    return " or ".join(names) + what[typed.end() :].replace(" >= ", " of at least ")

"""Ask for an answer of some form, and read it: a type, a JSON schema, or what OpenAI's format has.

Types are Pydantic's models and whatever msgspec reads: its structs, dataclasses, typed dicts.
Refuses to know how an answer is asked for and who gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from spillover.errors import MalformedAnswer

T = TypeVar("T")

ResponseFormat: TypeAlias = "type[Any] | Mapping[str, Any] | None"
"""What `response_format` may be."""

_OPENAI: Final = frozenset({"text", "json_object", "json_schema"})
_REF: Final = "#/$defs/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[T]):
    """What an answer is to look like."""

    name: str
    wire: Mapping[str, Any]
    """`response_format` as OpenAI's format has it."""
    reads: Callable[[str], T] | None
    """Reads the answer's text; None: it is left as it is."""

    def read(self, text: str, *, finish_reason: str | None) -> T | None:
        """Return what a text says; raises MalformedAnswer where it has another form."""
        if self.reads is None:
            return None
        try:
            return self.reads(text)
        except (ValueError, RecursionError) as error:
            what = f"the model's answer (finish_reason: {finish_reason})"
            raise MalformedAnswer(what, self.name, text=text) from error


def form_of(asked: ResponseFormat) -> Form[Any] | None:
    """Return the form that was asked for.

    Raises TypeError for a type whose values are no JSON objects: no provider promises those.
    """
    if asked is None:
        return None
    if not isinstance(asked, Mapping):
        return _of_type(asked)
    kind = asked.get("type")
    if kind in _OPENAI:
        return Form(name="JSON", wire=asked, reads=None if kind == "text" else msgspec.json.decode)
    name = str(asked.get("title") or "answer")
    return Form(name=name, wire=_wire(name, asked), reads=msgspec.json.decode)


def _of_type(kind: Any) -> Form[Any]:
    name: str = getattr(kind, "__name__", repr(kind))
    reads: Callable[[str], Any]
    if hasattr(kind, "model_json_schema"):
        schema, reads = kind.model_json_schema(), kind.model_validate_json
    else:
        schema, reads = _root(msgspec.json.schema(kind)), msgspec.json.Decoder(kind).decode
    if schema.get("type") != "object":
        raise TypeError(f"response_format: {name} is no JSON object; make it a field of one")
    return Form(name=name, wire=_wire(name, _closed(schema)), reads=reads)


def _wire(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    described = {"name": name, "schema": schema, "strict": _is_strict(schema)}
    return {"type": "json_schema", "json_schema": described}


def _root(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose root says what it is: providers want no reference there."""
    name = schema.get("$ref", "").removeprefix(_REF)
    if not name:
        return schema
    kinds = schema["$defs"]
    found = {**kinds[name]}
    if f'"{_REF}{name}"'.encode() not in msgspec.json.encode(kinds):
        kinds = {each: kind for each, kind in kinds.items() if each != name}
    return {**found, "$defs": kinds} if kinds else found


def _closed(schema: Any) -> Any:
    """Return the schema of a type as strict providers take it: no field but its own, and each there.

    Defaults go with that; the type still has them.
    """
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"}:
            found[key] = {name: _closed(each) for name, each in value.items()}
        elif key != "default":
            found[key] = _closed(value)
    if "properties" in found:
        found.setdefault("additionalProperties", False)
        found["required"] = list(found["properties"])
    return found


def _is_strict(schema: Any) -> bool:
    """Whether every object of a schema says all of its fields, needs them and takes no others."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required") or ()) != set(properties):
            return False
    elif schema.get("type") == "object":
        return False
    kinds = schema.get("$defs")
    inner = [*(properties or {}).values(), *(kinds or {}).values()]
    rest = [value for key, value in schema.items() if key not in {"properties", "$defs", "enum"}]
    return _is_strict([*inner, *rest])

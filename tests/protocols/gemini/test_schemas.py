"""Gemini's own schemas are read as JSON Schema."""

from __future__ import annotations

from spillover.protocols.gemini.schemas import json_schema


def test_types_and_what_may_be_null_are_read() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "a": {"type": "STRING", "nullable": True, "enum": ["x"], "example": "x"},
            "b": {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "1", "maxItems": 2},
            "c": {"anyOf": [{"type": "STRING"}, True], "nullable": True},
            "d": True,
        },
        "required": ["a"],
        "propertyOrdering": ["a", "b"],
    }

    assert json_schema(schema) == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None], "examples": ["x"]},
            "b": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
            "c": {"anyOf": [{"type": "string"}, True]},
            "d": True,
        },
        "required": ["a"],
    }

"""A schema is made one that structured outputs take, and nothing of it is lost to the model."""

from __future__ import annotations

from spillover.protocols.anthropic.schemas import accepted


def test_bounds_are_told_in_words_at_every_depth() -> None:
    schema = {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0, "description": "In years."},
            "tags": {"type": "array", "items": {"type": "string", "pattern": "a+"}, "minItems": 2},
            "any": True,
        },
        "$defs": {"one": {"oneOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}},
    }

    assert accepted(schema) == {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "description": "In years.\n\n{minimum: 0}"},
            "tags": {
                "type": "array",
                "items": {"type": "string", "description": '{pattern: "a+"}'},
                "description": "{minItems: 2}",
            },
            "any": True,
        },
        "$defs": {
            "one": {
                "anyOf": [{"type": "string", "description": "{maxLength: 3}"}, {"type": "null"}]
            }
        },
        "additionalProperties": False,
    }


def test_what_is_taken_stays() -> None:
    schema = {"type": "array", "items": {"enum": [1]}, "minItems": 1, "anyOf": [{"type": "array"}]}

    assert accepted(schema) == schema

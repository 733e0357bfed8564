"""What the entries of a conversation are, in the words of each dialect."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.steps import Side, Step, steps_of

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def steps(dialect: Dialect, *entries: Any) -> list[Step] | None:
    return steps_of(msgspec.Raw(msgspec.json.encode(entries)), dialect)


@pytest.mark.parametrize(
    ("dialect", "entry", "step"),
    [
        (Dialect.CHAT, {"role": "developer", "content": "a"}, Step(side=Side.RULES)),
        (Dialect.CHAT, {"role": "user", "content": [{"type": "text"}]}, Step(side=Side.USER)),
        (
            Dialect.CHAT,
            {"role": "assistant", "tool_calls": [CALL]},
            Step(side=Side.MODEL, calls=("1",)),
        ),
        (
            Dialect.CHAT,
            {"role": "assistant", "function_call": {"name": "f"}},
            Step(side=Side.MODEL, calls=("",)),
        ),
        (
            Dialect.CHAT,
            {"role": "tool", "tool_call_id": "1", "content": "x"},
            Step(side=Side.TOOL, results=("1",)),
        ),
        (Dialect.RESPONSES, {"role": "user", "content": "a"}, Step(side=Side.USER)),
        (
            Dialect.RESPONSES,
            {"type": "custom_tool_call", "call_id": "1"},
            Step(side=Side.MODEL, calls=("1",)),
        ),
        (
            Dialect.RESPONSES,
            {"type": "function_call_output", "call_id": "1"},
            Step(side=Side.TOOL, results=("1",)),
        ),
        (Dialect.RESPONSES, {"type": "reasoning"}, Step(side=Side.MODEL, leads=True)),
        (Dialect.RESPONSES, {"type": "compaction"}, Step(side=Side.MODEL)),
        (Dialect.ANTHROPIC, {"role": "user", "content": "a"}, Step(side=Side.USER)),
        (
            Dialect.ANTHROPIC,
            {"role": "assistant", "content": [{"type": "text"}, {"type": "tool_use", "id": "1"}]},
            Step(side=Side.MODEL, calls=("1",)),
        ),
        (
            Dialect.ANTHROPIC,
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]},
            Step(side=Side.TOOL, results=("1",)),
        ),
        (Dialect.GEMINI, {"parts": [{"text": "a"}]}, Step(side=Side.USER)),
        (
            Dialect.GEMINI,
            {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "1"}}]},
            Step(side=Side.MODEL, calls=("1",)),
        ),
        (
            Dialect.GEMINI,
            {"role": "user", "parts": [{"function_response": {"name": "f"}}]},
            Step(side=Side.TOOL, results=("f",)),
        ),
    ],
)
def test_an_entry_is_told_by_its_own_words(dialect: Dialect, entry: Any, step: Step) -> None:
    assert steps(dialect, entry) == [step]


@pytest.mark.parametrize("dialect", Dialect)
def test_what_has_another_shape_is_left_to_its_provider(dialect: Dialect) -> None:
    assert steps(dialect, "a") is None
    assert steps_of(msgspec.Raw(b'"a"'), dialect) is None

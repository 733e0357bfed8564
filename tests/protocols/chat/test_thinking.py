"""Thinking and its seals are carried on chat's messages."""

from __future__ import annotations

import pytest

from spillover.protocols.chat.thinking import read_thinking, write_detail, write_details
from spillover.protocols.conversation.fields import Fields
from spillover.protocols.conversation.requests import Thinking
from spillover.protocols.conversation.seals import Dialect, Seal

THOUGHTS = [
    Thinking(text="Hm.", seal=Seal(origin=Dialect.ANTHROPIC, value="sig")),
    Thinking(seal=Seal(origin=Dialect.ANTHROPIC, value="data", redacted=True)),
    Thinking(seal=Seal(origin=Dialect.ANTHROPIC, value="sig")),
    Thinking(seal=Seal(origin=Dialect.GEMINI, value="gem")),
    Thinking(text="Sum.", seal=Seal(origin=Dialect.RESPONSES, value="enc", id="rs_1")),
    Thinking(text="Own.", seal=Seal(origin=Dialect.CHAT, value="")),
]


@pytest.mark.parametrize("thought", THOUGHTS)
def test_a_thought_comes_back_as_it_was(thought: Thinking) -> None:
    message = Fields({"reasoning_details": write_details([thought])})

    assert list(read_thinking(message)) == [thought]


def test_thoughts_are_told_apart() -> None:
    message = Fields({"reasoning_details": write_details(THOUGHTS)})

    assert list(read_thinking(message)) == THOUGHTS


def test_pieces_of_a_thought_are_put_together() -> None:
    pieces = [
        write_detail("H", None, 0),
        write_detail("m.", None, 0),
        write_detail("", THOUGHTS[0].seal, 0),
    ]

    assert list(read_thinking(Fields({"reasoning_details": pieces}))) == THOUGHTS[:1]


def test_details_of_odd_kinds_hold_nothing() -> None:
    message = Fields({"reasoning_details": [{"text": 7, "data": 7, "signature": 7, "id": 7}]})

    assert list(read_thinking(message)) == [Thinking(seal=Seal(origin=Dialect.CHAT, value=""))]


def test_thoughts_stand_in_parts_of_the_content_too() -> None:
    part = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "Add "}, {"text": "them."}, 7],
    }
    content = [part, {"type": "text", "text": "4"}, {"type": "thinking", "thinking": None}, "odd"]

    (thought,) = read_thinking(Fields({"content": content}))

    assert thought.text == "Add them."
    assert list(read_thinking(Fields({"content": "4"}))) == []
    assert list(read_thinking(Fields({"reasoning_details": []}))) == []

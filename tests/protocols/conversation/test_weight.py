"""A conversation weighs what OpenAI's chat of the same words would."""

from __future__ import annotations

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.core.values import Capability, Operation
from spillover.protocols.chat.requests_out import write_request
from spillover.protocols.conversation.requests import (
    Media,
    Medium,
    OutputFormat,
    Part,
    Refusal,
    Request,
    Role,
    Sampling,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.weight import demand_of
from spillover.protocols.openai_chat import TEMPLATE_CHARS, read_request
from tests.protocols.conversations import PIXEL, SCHEMA
from tests.protocols.strategies import requests

IMAGE = Media(medium=Medium.IMAGE, data=PIXEL)


def user(*parts: Part) -> Request:
    return Request(turns=(Turn(role=Role.USER, parts=parts),))


@given(requests())
def test_it_needs_what_chat_needs(request: Request) -> None:
    body = write_request(request, Target(model="up")).body

    found, chat = demand_of(request), read_request(body, Operation.CHAT).demand()

    assert (found.needs, found.images) == (chat.needs, chat.images)
    assert found.max_output_tokens == chat.max_output_tokens


def test_texts_are_counted_by_their_width() -> None:
    found = demand_of(replace(user(Text(text="ab漢"), Refusal(text="c")), system=(Text(text="d"),)))

    assert (found.chars, found.wide_chars) == (4 + 2 * TEMPLATE_CHARS, 1)


@pytest.mark.parametrize(
    ("request_", "needs", "images"),
    [
        (user(IMAGE), {Capability.VISION}, 1),
        (user(Media(medium=Medium.FILE, data="QQ==")), set(), 1),
        (user(ToolResult(id="c", content=(Text(text="x"), IMAGE))), {Capability.VISION}, 1),
        (user(ToolCall(id="c", name="f", arguments="{}")), set(), 0),
        (Request(tools=(Tool(name="f", schema=SCHEMA),)), {Capability.TOOLS}, 0),
        (Request(format=OutputFormat(schema=SCHEMA)), {Capability.JSON_SCHEMA}, 0),
        (Request(format=OutputFormat()), set(), 0),
    ],
)
def test_what_is_needed_is_told(request_: Request, needs: set[Capability], images: int) -> None:
    found = demand_of(request_)

    assert found.needs == needs | {Capability.CHAT}
    assert found.images == images


def test_how_much_is_asked_for_is_told() -> None:
    asked = Request(stream=True, choices=2, sampling=Sampling(max_tokens=9))

    found = demand_of(asked)

    assert (found.stream, found.choices, found.max_output_tokens) == (True, 2, 9)

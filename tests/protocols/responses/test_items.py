"""Items are read and written, and a seal keeps its item's id."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.protocols.conversation.fields import Fields, Losses
from spillover.protocols.conversation.requests import Media, Medium, Text, Thinking
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.responses.items import (
    asked_part,
    read_content,
    read_reasoning,
    reasoning_item,
)
from tests.protocols.conversations import PIXEL


@pytest.mark.parametrize(
    ("part", "media"),
    [
        (
            {
                "type": "input_image",
                "image_url": f"data:image/png;base64,{PIXEL}",
                "detail": "auto",
            },
            Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL),
        ),
        (
            {"type": "input_image", "image_url": "https://e.org/a", "detail": "low"},
            Media(medium=Medium.IMAGE, url="https://e.org/a", detail="low"),
        ),
        (
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,QQ==",
            },
            Media(medium=Medium.FILE, mime="application/pdf", data="QQ==", name="a.pdf"),
        ),
        (
            {"type": "input_file", "file_url": "https://e.org/a"},
            Media(medium=Medium.FILE, url="https://e.org/a"),
        ),
    ],
)
def test_media_are_read_and_written_alike(part: dict[str, Any], media: Media) -> None:
    losses = Losses()

    assert list(read_content(Fields({"content": [part]}), "content", losses)) == [media]
    assert asked_part(media, losses) == part
    assert (losses.dropped, losses.lacks) == ((), ())


def test_media_of_lesser_shapes_are_read() -> None:
    parts = [
        {"type": "input_image", "file_id": "f"},
        {"type": "input_file", "file_id": "f"},
        {"type": "input_file", "file_data": "QQ==", "novel": 1},
        {"type": "novel"},
    ]
    losses = Losses()

    found = list(read_content(Fields({"content": parts}), "content", losses))

    assert found == [
        Media(medium=Medium.IMAGE, file_id="f"),
        Media(medium=Medium.FILE, file_id="f"),
        Media(medium=Medium.FILE, data="QQ=="),
    ]
    assert (losses.dropped, losses.lacks) == (("input.novel",), ("input.novel",))
    assert list(read_content(Fields({"content": ""}), "content", losses)) == []
    assert list(read_content(Fields({}), "content", losses)) == []
    assert list(read_content(Fields({"content": "x"}), "content", losses)) == [Text(text="x")]


@pytest.mark.parametrize(
    ("media", "name"),
    [
        (Media(medium=Medium.IMAGE, file_id="f"), "file_id"),
        (Media(medium=Medium.AUDIO, data="QQ=="), "audio"),
        (Media(medium=Medium.VIDEO, mime="video/mp4", url="https://e.org"), "video/mp4"),
        (Media(medium=Medium.AUDIO, mime="audio/wav", data="QQ=="), "audio/wav"),
    ],
)
def test_media_that_are_not_taken_are_lacking(media: Media, name: str) -> None:
    losses = Losses()

    asked_part(media, losses)

    assert losses.lacks == (name,)


def test_an_open_thought_is_read_where_it_has_no_summary() -> None:
    item = {"type": "reasoning", "summary": [], "content": [{"text": "open"}]}

    assert read_reasoning(Fields(item)) == Thinking(text="open")


@pytest.mark.parametrize(
    "seal",
    [
        Seal(origin=Dialect.RESPONSES, value="e", id="rs_1"),
        Seal(origin=Dialect.ANTHROPIC, value="s", redacted=True),
    ],
)
def test_a_seal_comes_back(seal: Seal) -> None:
    item = reasoning_item("", seal, "rs_1")

    assert read_reasoning(Fields(item)) == Thinking(seal=seal)

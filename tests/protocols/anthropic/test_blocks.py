"""Each part of a conversation has its block, or is named as a loss."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.protocols.anthropic.blocks import block_of
from spillover.protocols.conversation.fields import Losses
from spillover.protocols.conversation.requests import Media, Medium, Part, Refusal, Text, Thinking
from spillover.protocols.conversation.seals import Dialect, Seal
from tests.protocols.conversations import PIXEL


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Text(text=" "), None),
        (Refusal(text="No."), {"type": "text", "text": "No."}),
        (
            Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
            },
        ),
        (
            Media(medium=Medium.FILE, url="https://e.org/a.pdf", name="a"),
            {
                "type": "document",
                "source": {"type": "url", "url": "https://e.org/a.pdf"},
                "title": "a",
            },
        ),
        (
            Media(medium=Medium.FILE, mime="application/pdf", data="QQ=="),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ=="},
            },
        ),
        (
            Media(medium=Medium.FILE, mime="text/csv", data="YSxi"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a,b"},
            },
        ),
    ],
)
def test_a_part_has_its_block(part: Part, expected: dict[str, Any] | None) -> None:
    losses = Losses()

    assert block_of(part, losses) == expected
    assert (losses.dropped, losses.lacks) == ((), ())


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Media(medium=Medium.AUDIO, mime="audio/wav", data="QQ=="), "audio/wav"),
        (Media(medium=Medium.VIDEO, mime="video/mp4", url="https://e.org"), "video/mp4"),
        (Media(medium=Medium.IMAGE, mime="image/tiff", data="QQ=="), "image/tiff"),
        (Media(medium=Medium.IMAGE, data="QQ=="), "image"),
        (Media(medium=Medium.FILE, file_id="f"), "file_id"),
        (Media(medium=Medium.FILE, mime="text/plain", data="!"), "text/plain"),
        (Media(medium=Medium.FILE, data="QQ=="), "file"),
    ],
)
def test_media_that_are_not_taken_are_lacking(part: Part, name: str) -> None:
    losses = Losses()

    assert block_of(part, losses) is None
    assert losses.lacks == (name,)


def test_how_closely_to_look_is_dropped() -> None:
    losses = Losses()

    block_of(Media(medium=Medium.IMAGE, url="https://e.org", detail="low"), losses)

    assert losses.dropped == ("image_url.detail",)


@pytest.mark.parametrize("seal", [None, Seal(origin=Dialect.GEMINI, value="g")])
def test_thinking_that_anthropic_did_not_seal_is_dropped(seal: Seal | None) -> None:
    losses = Losses()

    assert block_of(Thinking(text="t", seal=seal), losses) is None
    assert losses.dropped == ("thinking",)

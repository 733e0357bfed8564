"""Parts are read and written, calls without ids and signatures without parts too."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.protocols.conversation.fields import Fields
from spillover.protocols.conversation.requests import (
    Media,
    Medium,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.gemini.parts import Ids, PartWriter, joined, read_part, write_result

OWN = Seal(origin=Dialect.GEMINI, value="g")


def read(part: dict[str, Any], ids: Ids | None = None) -> list[Part]:
    found = read_part(Fields(part), ids or Ids("s"))
    assert found is not None
    return list(found)


def test_calls_without_ids_are_found_by_name_in_order() -> None:
    ids = Ids("s")

    made = [ids.of_call("f", None), ids.of_call("g", None), ids.of_call("f", "own")]

    assert made == ["call_s_0", "call_s_1", "own"]
    assert ids.of_result("f", None) == "call_s_0"
    assert ids.of_result("f", None) == "own"
    assert ids.of_result("h", None) == "call_s_h"
    assert ids.of_result("h", "given") == "given"
    assert ids.of_result("g", "call_s_1") == "call_s_1"


@pytest.mark.parametrize(
    ("response", "content", "is_error"),
    [
        ({"output": "x"}, (Text(text="x"),), False),
        ({"result": "x"}, (Text(text="x"),), False),
        ({"error": "x"}, (Text(text="x"),), True),
        ({"output": ""}, (), False),
        ({"a": 1}, (Text(text='{"a":1}'),), False),
        ({"a": 1, "b": 2}, (Text(text='{"a":1,"b":2}'),), False),
        ({"error": {"a": 1}}, (Text(text='{"error":{"a":1}}'),), True),
    ],
)
def test_results_are_read(
    response: dict[str, Any],
    content: tuple[Text, ...],
    is_error: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    found = read({"functionResponse": {"name": "f", "id": "c", "response": response}})

    assert found == [ToolResult(id="c", content=content, is_error=is_error)]


def test_results_that_their_client_named_find_calls_without_ids_by_name() -> None:
    ids = Ids("s")
    made = [ids.of_call("f", None), ids.of_call("g", "b"), ids.of_call("f", None)]

    # Gemini CLI's: the calls in its history have no ids, the results have its own.
    assert ids.of_result("f", "f-1790000000") == made[0]
    assert ids.of_result("g", "b") == "b"
    assert ids.of_result("f", "f-1790000001") == made[2]
    assert ids.of_result("g", "c") == "c"


def test_results_with_media_are_read() -> None:
    inner = [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}, {}]

    found = read({"functionResponse": {"name": "f", "id": "c", "parts": inner}})

    image = Media(medium=Medium.IMAGE, mime="image/png", data="QQ==")
    assert found == [ToolResult(id="c", content=(Text(text="{}"), image))]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}},
            Media(medium=Medium.AUDIO, mime="audio/wav", data="QQ=="),
        ),
        (
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://e.org/a"}},
            Media(medium=Medium.VIDEO, mime="video/mp4", url="https://e.org/a"),
        ),
        (
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://e.org/a"}},
            Media(medium=Medium.FILE, mime="application/pdf", url="https://e.org/a"),
        ),
        (
            {"fileData": {"fileUri": "gs://a"}},
            Media(medium=Medium.FILE, file_id="gs://a"),
        ),
    ],
)
def test_media_are_read(part: dict[str, Any], expected: Media) -> None:
    assert read(part) == [expected]


def test_a_signature_is_read_before_its_part() -> None:
    assert read({"text": "a", "thoughtSignature": "g"}) == [Thinking(seal=OWN), Text(text="a")]
    assert read({"text": "", "thoughtSignature": "g"}) == [Thinking(seal=OWN)]
    assert read({"text": "t", "thought": True, "thoughtSignature": "g"}) == [
        Thinking(text="t", seal=OWN)
    ]
    assert read_part(Fields({"novel": {}}), Ids("")) is None


def test_a_thought_is_joined_with_its_pieces_and_its_seal() -> None:
    parts: list[Part] = [
        Thinking(text="a"),
        Thinking(text="b"),
        Thinking(seal=OWN),
        Text(text="c"),
        Thinking(text="d"),
        Text(text="e"),
        Thinking(text="f"),
    ]

    assert list(joined(parts)) == [
        Thinking(text="ab", seal=OWN),
        Text(text="c"),
        Thinking(text="d"),
        Text(text="e"),
        Thinking(text="f"),
    ]


def test_a_signature_waits_for_its_part() -> None:
    writer = PartWriter()

    assert writer.sealed("1") == []
    assert writer.sealed("2") == [{"text": "", "thoughtSignature": "1"}]
    assert writer.signed({"text": "a"}) == {"text": "a", "thoughtSignature": "2"}
    assert writer.signed({"text": "b"}) == {"text": "b"}
    assert writer.rest() == []


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("words", {"output": "words"}),
        ("", {"output": ""}),
        ('{"a": 1}', {"a": 1}),
        ('{"output": "x"}', {"output": '{"output": "x"}'}),
    ],
)
def test_results_are_objects(text: str, response: dict[str, Any]) -> None:
    result = ToolResult(id="c", content=(Text(text=text),))

    found = write_result(result, "f", [])

    assert found == {"functionResponse": {"id": "c", "name": "f", "response": response}}


def test_calls_are_read() -> None:
    assert read({"functionCall": {"name": "f"}}) == [
        ToolCall(id="call_s_0", name="f", arguments="{}")
    ]

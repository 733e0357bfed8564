"""A streamed answer is put together as it would have come whole."""

from __future__ import annotations

from typing import Any

from spillover.library.assembling import Assembly


def a_chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **more}
    return {"id": "a1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}


def a_piece(index: int | None, arguments: str, **more: Any) -> dict[str, Any]:
    name = more.pop("name", None)
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    piece = {"function": function, **more}
    return {"tool_calls": [piece if index is None else {"index": index, **piece}]}


def test_text_thoughts_and_usage_add_up() -> None:
    assembly = Assembly()

    first = assembly.take(a_chunk({"role": "assistant", "content": "", "reasoning_content": "hm"}))
    assembly.take(a_chunk({"content": "yes", "reasoning": None}))
    last = assembly.take(a_chunk({"content": "!"}, "stop"))
    assembly.take({"id": "a1", "choices": [], "usage": {"prompt_tokens": 3}})

    assert (first.reasoning, first.text, first.finish_reason) == ("hm", "", None)
    assert (last.text, last.finish_reason, last.tool_calls) == ("!", "stop", ())
    assert assembly.whole() == {
        "object": "chat.completion",
        "id": "a1",
        "model": "m",
        "usage": {"prompt_tokens": 3},
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "yes!", "reasoning_content": "hm"},
                "finish_reason": "stop",
            }
        ],
    }


def test_calls_that_are_mixed_come_whole_with_the_end() -> None:
    assembly = Assembly()

    pieces = [
        a_piece(0, '{"at"', id="c1", name="weather"),
        a_piece(1, "", id="c2", name="now"),
        a_piece(0, ": 1}"),
        a_piece(1, "{}"),
    ]
    early = [assembly.take(a_chunk(piece)).tool_calls for piece in pieces]
    last = assembly.take(a_chunk({}, "tool_calls"))

    assert early == [()] * 4
    assert [(call.id, call.name, call.arguments) for call in last.tool_calls] == [
        ("c1", "weather", {"at": 1}),
        ("c2", "now", {}),
    ]


def test_calls_whose_pieces_are_not_numbered_are_told_apart_by_their_ids() -> None:
    assembly = Assembly()

    for piece in (
        a_piece(None, "{", name="odd"),
        a_piece(None, "}"),
        a_piece(None, "[", id="c2", name="now"),
        a_piece(None, "]", id="c2"),
    ):
        assembly.take(a_chunk(piece))
    last = assembly.take(a_chunk({}, "tool_calls"))

    assert [(call.id, call.written) for call in last.tool_calls] == [("", "{}"), ("c2", "[]")]


def test_further_choices_and_log_probabilities_are_kept() -> None:
    assembly = Assembly()

    assembly.take(a_chunk({"content": "a"}, logprobs={"content": [{"token": "a"}]}))
    assembly.take(
        a_chunk({"content": "b"}, logprobs={"content": [{"token": "b"}], "refusal": None})
    )
    second = {"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}]}
    chunk = assembly.take(second)

    assert (chunk.text, chunk.finish_reason) == ("", None)
    one, two = assembly.whole()["choices"]
    assert one["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}]}
    assert two["message"]["content"] == "other"

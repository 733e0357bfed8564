"""The pieces of calls are put together, however loosely an upstream marks them."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.protocols.chat.calls_in import CallReader
from spillover.protocols.conversation.answers import CallBegin, CallDelta
from spillover.protocols.conversation.fields import Fields


def read(*chunks: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """The calls that chunks make, each with its id, name and arguments."""
    reader = CallReader("seed", 0)
    deltas = [
        delta
        for chunk in chunks
        for place, piece in enumerate(chunk)
        for delta in reader.feed(Fields(piece, lenient=True), place)
    ]
    found: dict[int, tuple[str, str, str]] = {}
    for delta in (*deltas, *reader.end()):
        if isinstance(delta, CallBegin):
            assert delta.call not in found
            found[delta.call] = (delta.id, delta.name, "")
        else:
            assert isinstance(delta, CallDelta)
            name, called, before = found[delta.call]
            found[delta.call] = (name, called, before + delta.arguments)
    return [found[number] for number in sorted(found)]


def piece(name: str | None = None, arguments: object = None, **fields: Any) -> dict[str, Any]:
    return {**fields, "function": {"name": name, "arguments": arguments}}


A, B = '{"place":"a"}', '{"place":"b"}'
ONE = [("a", "f", A)]
TWO = [("a", "f", A), ("b", "f", B)]
UNNAMED = [("call_seed_0_0", "f", A), ("call_seed_0_1", "f", B)]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([[piece("f", "", index=0, id="a")], [piece(None, A, index=0)]], ONE),
        ([[piece("f", A[:4], index=0, id="a")], [piece("f", A[4:], index=0, id="a")]], ONE),
        ([[piece("f", A, index=0, id="a")], [piece("f", B, index=0, id="b")]], TWO),
        ([[piece("f", A, index=0, id="a"), piece("f", B, index=1, id="b")]], TWO),
        (
            [
                [piece("f", A[:4], index=0, id="a")],
                [piece("f", B[:4], index=1, id="b")],
                [piece(None, A[4:], index=0)],
                [piece(None, B[4:], index=1)],
            ],
            TWO,
        ),
        ([[piece("f", A, id="a")], [piece("f", B, id="b")]], TWO),
        ([[piece("f", A), piece("f", B)]], UNNAMED),
        ([[piece("f", A)], [piece("f", B)]], UNNAMED),
        ([[piece("f", A[:4], id="a")], [piece(None, A[4:])]], ONE),
        ([[piece("f", A[:4], id="a")], [piece("f", A[4:])]], ONE),
        ([[piece("f", {"place": "a"}, index=0, id="a")]], ONE),
        ([[piece(None, A[:4], index=0, id="a")], [piece("f", A[4:], index=0)]], ONE),
        ([[piece(None, A, index=0, id="a")]], [("a", "", A)]),
        ([[{"index": 0, "id": "a"}]], [("a", "", "")]),
    ],
    ids=[
        "as OpenAI has it",
        "all of it with each piece",
        "one index, two ids",
        "two at once",
        "mixed",
        "no index",
        "neither index nor id, at once",
        "neither index nor id, in turn",
        "no index behind the first piece",
        "the name alone with each piece",
        "arguments as they are",
        "the name comes late",
        "the name never comes",
        "nothing comes",
    ],
)
def test_pieces_make_calls(
    chunks: list[list[dict[str, Any]]], expected: list[tuple[str, str, str]]
) -> None:
    assert read(*chunks) == expected

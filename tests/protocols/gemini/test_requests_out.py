"""The neutral conversation is written as a request of Gemini's generateContent, and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from spillover.protocols.anthropic import requests_in as anthropic_in
from spillover.protocols.anthropic import requests_out as anthropic_out
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Request,
    Role,
    Sampling,
    Target,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.seals import Dialect, Seal
from spillover.protocols.gemini.requests_in import read_request
from spillover.protocols.gemini.requests_out import UNCHECKED, path_of, write_request
from tests.protocols.conversations import CONVERSATION, PIXEL, SCHEMA, meaning, sealed_by
from tests.protocols.strategies import requests

OLD = Target(model="gemini-2.5-flash")
NEW = Target(model="gemini-3-pro")
HELLO = Turn(role=Role.USER, parts=(Text(text="Hi"),))


def written(request: Request, target: Target = OLD) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write_request(request, target).body)
    return found


def user(*parts: Part) -> Request:
    return Request(turns=(Turn(role=Role.USER, parts=parts),))


@given(requests())
def test_what_is_written_is_read_back(request: Request) -> None:
    request = sealed_by(Dialect.GEMINI, request)

    out = write_request(request, OLD)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(read_request(out.body)) == meaning(request)


@given(requests())
def test_anthropic_to_gemini_and_back_keeps_the_meaning(request: Request) -> None:
    unthought = [
        replace(turn, parts=tuple(part for part in turn.parts if not isinstance(part, Thinking)))
        for turn in request.turns
    ]
    target = Target(model="claude-opus-4-6")
    asked = anthropic_in.read_request(
        anthropic_out.write_request(replace(request, turns=tuple(unthought)), target).body
    )

    through = read_request(write_request(asked, OLD).body)

    back = anthropic_in.read_request(anthropic_out.write_request(through, target).body)
    assert meaning(back) == meaning(asked)


def test_a_whole_conversation_comes_back() -> None:
    asked = sealed_by(Dialect.GEMINI, CONVERSATION)

    out = write_request(asked, OLD)

    assert (out.dropped, out.lacks) == ((), ())
    assert meaning(read_request(out.body)) == meaning(asked)


def test_the_model_is_named_by_the_path() -> None:
    assert path_of("m", stream=False) == "models/m:generateContent"
    assert path_of("m", stream=True) == "models/m:streamGenerateContent?alt=sse"


def test_all_that_gemini_has_is_written() -> None:
    found = written(
        Request(
            system=(Text(text="Be brief."),),
            turns=(HELLO, Turn(role=Role.SYSTEM, parts=(Text(text="Now."), Refusal(text="-")))),
            format=OutputFormat(schema=SCHEMA, strict=True),
            sampling=Sampling(max_tokens=500, top_k=3, logprobs=0),
            choices=2,
        ),
        replace(OLD, max_output_tokens=100),
    )

    assert found == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Now."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 100,
            "topK": 3,
            "candidateCount": 2,
            "responseLogprobs": True,
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        },
    }
    json_alone = written(Request(turns=(HELLO,), format=OutputFormat()))
    assert json_alone["generationConfig"] == {"responseMimeType": "application/json"}


def test_the_systems_words_alone_are_said_by_the_user() -> None:
    found = written(Request(system=(Text(text="Write."),)))

    assert found == {"contents": [{"role": "user", "parts": [{"text": "Write."}]}]}


def test_tools_are_written_where_nobody_chose_among_them() -> None:
    found = written(replace(CONVERSATION, tool_choice=None))

    assert found["tools"]
    assert "toolConfig" not in found


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice(mode=Choosing.ANY), {"mode": "ANY"}),
        (
            ToolChoice(mode=Choosing.NAMED, names=("f",)),
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_a_choice_of_tools_is_kept(choice: ToolChoice, expected: object) -> None:
    tools = (Tool(name="f", description="d", schema=SCHEMA, strict=True), Tool(name="g"))
    request = Request(turns=(HELLO,), tools=tools, tool_choice=choice, parallel_calls=False)

    out = write_request(request, OLD)

    found = json.loads(out.body)
    assert found["toolConfig"] == {"functionCallingConfig": expected}
    assert found["tools"][0]["functionDeclarations"] == [
        {"name": "f", "description": "d", "parametersJsonSchema": SCHEMA},
        {"name": "g"},
    ]
    assert (out.dropped, out.lacks) == (("tools.strict",), ("parallel_tool_calls",))


@pytest.mark.parametrize(
    ("model", "wanted", "expected"),
    [
        (
            "gemini-3-pro",
            Reasoning(effort="max"),
            {"thinkingLevel": "high", "includeThoughts": True},
        ),
        ("gemini-3-pro", Reasoning(budget=0), {"thinkingLevel": "minimal"}),
        ("gemini-3-pro", Reasoning(shown=True), {"includeThoughts": True}),
        ("gemini-2.5-flash", Reasoning(budget=0), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", Reasoning(budget=0), {"thinkingBudget": 128}),
        ("gemini-2.5-flash", Reasoning(effort="max", shown=False), {"thinkingBudget": 24_576}),
        ("gemini-2.5-flash", Reasoning(shown=True), {"includeThoughts": True}),
    ],
)
def test_models_think_by_level_or_by_budget(
    model: str, wanted: Reasoning, expected: dict[str, Any]
) -> None:
    found = written(Request(turns=(HELLO,), reasoning=wanted), Target(model=model))

    assert found["generationConfig"]["thinkingConfig"] == expected


def test_a_call_that_gemini_did_not_make_is_excused() -> None:
    calls = tuple(ToolCall(id=f"c{n}", name="f", arguments="{") for n in range(2))
    foreign = Thinking(text="t", seal=Seal(origin=Dialect.ANTHROPIC, value="s"))
    own = Thinking(seal=Seal(origin=Dialect.GEMINI, value="g"))

    def parts(target: Target, *said: Part) -> list[dict[str, Any]]:
        turn = Turn(role=Role.ASSISTANT, parts=said)
        found: list[dict[str, Any]] = written(Request(turns=(turn,)), target)["contents"][0][
            "parts"
        ]
        return found

    excused = parts(NEW, foreign, Text(text="a"), *calls)
    assert [part.get("thoughtSignature") for part in excused] == [None, UNCHECKED, None]
    assert parts(NEW, own, *calls)[0]["thoughtSignature"] == "g"
    assert "thoughtSignature" not in parts(OLD, *calls)[0]
    assert parts(OLD, *calls)[0]["functionCall"]["args"] == {"arguments": "{"}
    assert parts(NEW, own) == [{"text": "", "thoughtSignature": "g"}]


def test_sides_are_merged_and_results_named_for_their_calls() -> None:
    image = Media(medium=Medium.IMAGE, data=PIXEL)
    call = ToolCall(id="c", name="f", arguments="{}")
    results = (
        ToolResult(id="c", content=(Text(text='{"a": 1}'), image)),
        ToolResult(id="d", content=(Text(text="bad"),), is_error=True),
    )
    turns = (
        HELLO,
        Turn(role=Role.ASSISTANT, parts=(call,)),
        Turn(role=Role.USER, parts=results[:1]),
        Turn(role=Role.USER, parts=results[1:]),
    )

    found = written(Request(turns=turns))["contents"]

    assert [content["role"] for content in found] == ["user", "model", "user"]
    assert found[2]["parts"] == [
        {
            "functionResponse": {
                "id": "c",
                "name": "f",
                "response": {"a": 1},
                "parts": [{"inlineData": {"mimeType": "image/jpeg", "data": PIXEL}}],
            }
        },
        {"functionResponse": {"id": "d", "name": "d", "response": {"error": "bad"}}},
    ]


def test_files_are_named_by_their_address() -> None:
    url = Media(medium=Medium.FILE, url="https://e.org/a.pdf", mime="application/pdf")
    uploaded = Media(medium=Medium.IMAGE, file_id="files/x", detail="low")

    unknown = Media(medium=Medium.FILE, file_id="gs://b/c")

    out = write_request(user(url, uploaded, unknown), OLD)

    assert json.loads(out.body)["contents"][0]["parts"] == [
        {"fileData": {"fileUri": "https://e.org/a.pdf", "mimeType": "application/pdf"}},
        {"fileData": {"fileUri": "files/x", "mimeType": "image/jpeg"}},
        {"fileData": {"fileUri": "gs://b/c"}},
    ]
    assert out.dropped == ("image_url.detail",)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Media(medium=Medium.FILE, data="QQ=="), "file"),
        (Media(medium=Medium.IMAGE, file_id="file-abc"), "file_id"),
    ],
)
def test_media_that_are_not_taken_are_lacking(part: Media, name: str) -> None:
    out = write_request(user(part), OLD)

    assert out.lacks == (name,)
    assert json.loads(out.body)["contents"] == []


def test_what_is_lost_is_named() -> None:
    request = replace(user(Text(text="a")), user="u", openai={"store": True}, dropped=("x",))

    assert write_request(request, OLD).dropped == ("x", "store", "user")

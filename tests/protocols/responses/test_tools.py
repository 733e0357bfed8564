"""Tools that are more than functions with a name are functions elsewhere, and come back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseOutputItem
from pydantic import TypeAdapter

from spillover.protocols.conversation.fields import Fields, Losses
from spillover.protocols.conversation.requests import Form, Spelling, Tool, ToolCall
from spillover.protocols.responses.tools import (
    call_item,
    flat_name,
    freeform_input,
    read_freeform,
    read_search,
    read_tools,
    write_tools,
)
from tests.protocols.conversations import SCHEMA

ITEM: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)
FUNCTION = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}
PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
}
SEARCH = {
    "type": "tool_search",
    "execution": "client",
    "parameters": SCHEMA,
    "description": "Finds tools.",
}
AGENTS = {"type": "namespace", "name": "agents", "description": "agents", "tools": [FUNCTION]}


def read(*offered: dict[str, Any]) -> tuple[list[Tool], Losses]:
    losses = Losses()
    return read_tools(Fields({"tools": list(offered)}).objects("tools"), losses), losses


def test_every_tool_that_the_client_runs_is_a_function_elsewhere() -> None:
    tools, losses = read(FUNCTION, PATCH, SEARCH, AGENTS)

    assert [tool.name for tool in tools] == ["f", "apply_patch", "tool_search", "agents__f"]
    assert [tool.schema for tool in tools if tool.name != "apply_patch"] == [SCHEMA] * 3
    patch = tools[1]
    assert patch.schema is not None
    assert patch.schema["required"] == ["input"]
    assert patch.description == "Edits files.\n\n`input` follows this grammar:\nstart: x"
    assert (losses.dropped, losses.lacks) == ((), ())


def test_tools_are_offered_to_openai_as_they_came() -> None:
    within = {"type": "namespace", "name": "agents", "description": "agents", "tools": [PATCH]}
    bare = {"type": "custom", "name": "say"}
    tools, _ = read(PATCH, SEARCH, AGENTS, bare, within)

    written = write_tools(tools)

    assert written == [PATCH, SEARCH, {**AGENTS, "tools": [FUNCTION, PATCH]}, bare]


def test_a_tool_that_is_offered_twice_is_offered_once() -> None:
    assert len(read(AGENTS, AGENTS)[0]) == 1


@pytest.mark.parametrize(
    "kind", ["web_search", "web_search_preview_2025_03_11", "image_generation"]
)
def test_what_openai_runs_is_an_offer_beside_functions_and_a_demand_alone(kind: str) -> None:
    _, beside = read(FUNCTION, {"type": kind, "external_web_access": True})
    _, alone = read({"type": kind})

    assert (beside.dropped, beside.lacks) == ((f"tools.{kind}",), ())
    assert (alone.dropped, alone.lacks) == ((), (f"tools.{kind}",))


def test_tools_that_hold_what_the_answer_needs_are_missed() -> None:
    _, losses = read(FUNCTION, {"type": "file_search"}, {"type": "tool_search"})

    assert losses.lacks == ("tools.file_search", "tools.tool_search")


def test_a_name_that_is_too_long_is_cut_and_stays_its_own() -> None:
    first, second = (flat_name(f"a_very_long_name_{end}", "n" * 60) for end in "ab")

    assert len(first) == len(second) == 64
    assert first != second
    assert flat_name("f", None) == "f"


@pytest.mark.parametrize(
    ("spelling", "kind", "said"),
    [
        (None, "function_call", {"name": "n", "arguments": '{"input":"x"}'}),
        (
            Spelling(name="f", namespace="agents"),
            "function_call",
            {"name": "f", "namespace": "agents", "arguments": '{"input":"x"}'},
        ),
        (
            Spelling(name="p", form=Form.FREEFORM),
            "custom_tool_call",
            {"name": "p", "input": "x"},
        ),
        (
            Spelling(name="tool_search", form=Form.SEARCH),
            "tool_search_call",
            {"execution": "client", "arguments": {"input": "x"}},
        ),
    ],
)
def test_a_call_is_spelled_as_its_client_has_the_tool(
    spelling: Spelling | None, kind: str, said: dict[str, Any]
) -> None:
    call = ToolCall(id="c", name="n", arguments='{"input":"x"}')

    item = call_item(call, "1", "completed", spelling)

    ITEM.validate_python(item)
    assert item["id"].endswith("_1")
    del item["id"]
    assert item == {"type": kind, "call_id": "c", "status": "completed", **said}
    assert "status" not in call_item(call, "1", None, spelling)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input":"x"}', "x"),
        ("{}", ""),
        ("*** Begin", "*** Begin"),
        ('{"input":1}', '{"input":1}'),
    ],
)
def test_a_freeform_text_may_be_written_bare(arguments: str, text: str) -> None:
    assert freeform_input(ToolCall(id="c", name="n", arguments=arguments)) == text


def test_a_search_that_is_no_object_looks_for_nothing() -> None:
    spelling = Spelling(name="tool_search", form=Form.SEARCH)
    call = ToolCall(id="c", name="tool_search", arguments="broken")

    assert call_item(call, "1", None, spelling)["arguments"] == {}


def test_calls_are_read_back() -> None:
    freeform = {"call_id": "c", "name": "p", "namespace": "n", "input": "x"}
    search = {"call_id": "c", "execution": "client", "arguments": {"query": "q"}}

    assert read_freeform(Fields(freeform)) == ToolCall(
        id="c", name="n__p", arguments='{"input":"x"}'
    )
    assert read_freeform(Fields({"call_id": "c", "name": "p"})).arguments == '{"input":""}'
    assert read_search(Fields(search)) == ToolCall(
        id="c", name="tool_search", arguments='{"query":"q"}'
    )
    assert read_search(Fields({"call_id": "c"})).arguments == "{}"

"""What agents of the command line send with every turn is served by upstreams of any protocol.

The shapes are those of Claude Code 2.1 and Codex 0.171, as they were seen to ask; the programs
themselves ask in `make test-clients`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import ProviderSpec, ScriptedCall, running
from tests.journeys.dialects import FLAVOURS, SCHEMA, a_profile, events_of, told
from tests.serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider

PATCH = "*** Begin Patch\n*** End Patch\n"
CODEX: dict[str, Any] = {
    "stream": True,
    "instructions": "You are a coding agent.",
    "tool_choice": "auto",
    "reasoning": {"summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "01a2",
    "text": {"verbosity": "low"},
    "client_metadata": {"session_id": "01a2"},
    "tools": [
        {"type": "function", "name": "exec_command", "strict": False, "parameters": SCHEMA},
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "Edits files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: begin"},
        },
        {
            "type": "namespace",
            "name": "agents",
            "description": "Sub-agents.",
            "tools": [{"type": "function", "name": "close", "parameters": SCHEMA}],
        },
        {"type": "tool_search", "execution": "client", "parameters": SCHEMA},
        {"type": "web_search", "external_web_access": True},
    ],
}
CALLS = (
    ScriptedCall(tool="apply_patch", arguments={"input": PATCH}),
    ScriptedCall(tool="agents__close", arguments={"place": "here"}),
    ScriptedCall(tool="tool_search", arguments={"query": "more"}),
)
CLAUDE: dict[str, Any] = {
    "max_tokens": 32_000,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.197.ad8;"},
        {"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>\nToday.\n</system-reminder>"},
                {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {"role": "system", "content": "Available agent types: none."},
    ],
    "metadata": {"user_id": '{"device_id":"809f"}'},
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "tools": [{"name": "Read", "description": "Reads a file.", "input_schema": SCHEMA}],
}


@pytest.fixture(scope="module")
def hosted() -> Iterator[dict[Dialect, SimulatedProvider]]:
    with running(*(ProviderSpec(flavour=FLAVOURS[each]) for each in Dialect)) as found:
        yield dict(zip(Dialect, found, strict=True))


@pytest.fixture(scope="module")
def gateway(hosted: dict[Dialect, SimulatedProvider]) -> Iterator[Served]:
    profiles = {each.value: a_profile(hosted[each], each) for each in Dialect}
    with serving({"storage": "memory", "profiles": profiles}) as served:
        yield served


@pytest.mark.parametrize("upstream", [Dialect.CHAT, Dialect.ANTHROPIC, Dialect.GEMINI])
def test_codex_has_every_tool_of_its_own_called_by_a_model_of_any_provider(
    hosted: dict[Dialect, SimulatedProvider], gateway: Served, upstream: Dialect
) -> None:
    provider = hosted[upstream]
    provider.change(replace(provider.spec, calls=CALLS))
    items: list[dict[str, Any]] = [{"type": "message", "role": "user", "content": "Go."}]
    called: list[dict[str, Any]] = []

    for _ in CALLS:
        asked = {**CODEX, "model": upstream.value, "input": items}
        reply = gateway.post("/v1/responses", asked)
        assert "tools.web_search" in reply.headers["x-spillover-dropped"]
        (item,) = events_of(reply.body)[-1]["response"]["output"]
        called.append(item)
        result = {"type": f"{item['type']}_output", "call_id": item["call_id"]}
        if item["type"] == "tool_search_call":
            result = {**result, "type": "tool_search_output", "tools": []}
        else:
            result["output"] = "done"
        items += [item, result]
    last = gateway.post("/v1/responses", {**CODEX, "model": upstream.value, "input": items})

    patch, close, search = called
    assert (patch["type"], patch["name"], patch["input"]) == (
        "custom_tool_call",
        "apply_patch",
        PATCH,
    )
    assert (close["name"], close["namespace"]) == ("close", "agents")
    assert (search["type"], search["arguments"]) == ("tool_search_call", {"query": "more"})
    (said,) = events_of(last.body)[-1]["response"]["output"]
    assert "answering with" in said["content"][0]["text"]


@pytest.mark.parametrize("upstream", [Dialect.CHAT, Dialect.RESPONSES, Dialect.GEMINI])
def test_claude_code_is_served_by_a_model_of_any_provider(
    hosted: dict[Dialect, SimulatedProvider], gateway: Served, upstream: Dialect
) -> None:
    provider = hosted[upstream]
    call = ScriptedCall(tool="Read", arguments={"place": "here"})
    provider.change(replace(provider.spec, calls=(call,)))
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "context-management-2025-06-27"}
    asked = {**CLAUDE, "model": upstream.value}

    reply = gateway.ask("POST", "/v1/messages?beta=true", asked, headers=headers)

    assert "context_management" in reply.headers["x-spillover-dropped"]
    assert events_of(reply.body)[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize("upstream", Dialect)
def test_cursor_is_given_a_chat_for_what_it_writes_as_responses(
    hosted: dict[Dialect, SimulatedProvider], gateway: Served, upstream: Dialect
) -> None:
    call = ScriptedCall(tool="exec_command", arguments={"place": "here"})
    provider = hosted[upstream]
    provider.change(replace(provider.spec, calls=(call,)))
    asked = {
        "model": upstream.value,
        "stream": True,
        "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Go."}],
        "tools": [CODEX["tools"][0]],
    }

    reply = gateway.post("/v1/chat/completions", asked)

    found = told(Dialect.CHAT, reply, stream=True)
    assert (found.calls, found.is_whole) == ((("exec_command", {"place": "here"}),), True)


@pytest.mark.parametrize("upstream", [Dialect.CHAT, Dialect.RESPONSES, Dialect.ANTHROPIC])
def test_gemini_clis_results_find_their_calls_at_any_provider(
    hosted: dict[Dialect, SimulatedProvider], gateway: Served, upstream: Dialect
) -> None:
    result = {"id": "Read-1790000000000", "name": "Read", "response": {"output": "found"}}
    turns = [
        {"role": "user", "parts": [{"text": "Go."}]},
        {"role": "model", "parts": [{"functionCall": {"name": "Read", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": result}]},
    ]
    provider = hosted[upstream]
    provider.reset()

    reply = gateway.post(f"/v1beta/models/{upstream.value}:generateContent", {"contents": turns})

    assert reply.status == 200
    sent = provider.records[-1].body
    assert sent.count(b"call_0_0") == 2  # the call's id, and its result's
    assert b"1790000000000" not in sent


def test_half_an_emoji_is_replaced_on_its_way(
    hosted: dict[Dialect, SimulatedProvider], gateway: Served
) -> None:
    body = rb'{"model": "chat", "messages": [{"role": "user", "content": "cut \ud83d"}]}'

    reply = gateway.post("/v1/chat/completions", body, content_type="application/json")

    assert reply.status == 200
    assert rb"cut \ufffd" in hosted[Dialect.CHAT].records[-1].body

"""Speaks every dialect as its plain clients do, and takes answers apart without our own readers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spillover.protocols.conversation.seals import Dialect

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider
    from tests.serving import Reply, Served

FLAVOURS = {
    Dialect.CHAT: "generic",
    Dialect.RESPONSES: "openai",
    Dialect.ANTHROPIC: "anthropic",
    Dialect.GEMINI: "gemini-native",
}
PROTOCOLS = {
    Dialect.CHAT: "openai",
    Dialect.RESPONSES: "openai-responses",
    Dialect.ANTHROPIC: "anthropic",
    Dialect.GEMINI: "gemini",
}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "string"}}}
ARGUMENTS = {"place": "simulated"}


@dataclass(frozen=True)
class Sent:
    """A request as it goes out."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


def a_profile(provider: SimulatedProvider, dialect: Dialect, model: str = "m") -> dict[str, Any]:
    return {
        "base_url": provider.base_url,
        "protocol": PROTOCOLS[dialect],
        "model": model,
        "api_key": f"sk-key-of-{model}-0123456789",
    }


def a_request(
    dialect: Dialect,
    text: str = "hello",
    *,
    model: str = "default",
    stream: bool = False,
    tool: bool = False,
) -> Sent:
    """A question of one turn; with `tool` there is one to call, which the simulator does."""
    message = {"role": "user", "content": text}
    described = {"name": "weather", "description": "The weather at a place."}
    body: dict[str, Any] = {"model": model, "stream": stream}
    match dialect:
        case Dialect.CHAT:
            body["messages"] = [message]
            if tool:
                function = {**described, "parameters": SCHEMA}
                body["tools"] = [{"type": "function", "function": function}]
            return Sent("/v1/chat/completions", body, {})
        case Dialect.RESPONSES:
            body["input"] = [message]
            if tool:
                body["tools"] = [{"type": "function", **described, "parameters": SCHEMA}]
            return Sent("/v1/responses", body, {})
        case Dialect.ANTHROPIC:
            body |= {"messages": [message], "max_tokens": 100}
            if tool:
                body["tools"] = [{**described, "input_schema": SCHEMA}]
            headers = {"x-api-key": "any", "anthropic-version": "2023-06-01"}
            return Sent("/v1/messages", body, headers)
        case Dialect.GEMINI:
            body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
            if tool:
                declared = {**described, "parametersJsonSchema": SCHEMA}
                body["tools"] = [{"functionDeclarations": [declared]}]
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return Sent(f"/v1beta/models/{model}:{verb}", body, {"x-goog-api-key": "any"})


def ask(served: Served, dialect: Dialect, text: str = "hello", **how: Any) -> Reply:
    sent = a_request(dialect, text, **how)
    return served.ask("POST", sent.path, sent.body, headers=sent.headers)


@dataclass(frozen=True)
class Told:
    """What an answer says, whole or streamed."""

    text: str
    calls: tuple[tuple[str, Any], ...]
    tokens: tuple[int, int] | None
    is_whole: bool


def told(dialect: Dialect, reply: Reply, *, stream: bool) -> Told:
    """Take an answer apart by what the dialect's documentation says of it."""
    if stream:
        return _STREAMED[dialect](events_of(reply.body), reply.body)
    return _WHOLE[dialect](reply.json)


def events_of(body: bytes) -> list[Any]:
    lines = body.decode().replace("\r\n", "\n").split("\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(one) for one in data if one != "[DONE]"]


def _chat(document: Any) -> Told:
    message, used = document["choices"][0]["message"], document["usage"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return Told(
        message.get("content") or "",
        tuple((call["name"], json.loads(call["arguments"])) for call in calls),
        (used["prompt_tokens"], used["completion_tokens"]),
        is_whole=document["choices"][0]["finish_reason"] in {"stop", "tool_calls"},
    )


def _chat_stream(events: list[Any], body: bytes) -> Told:
    deltas = [choice["delta"] for event in events for choice in event.get("choices", ())]
    pieces = [call["function"] for delta in deltas for call in delta.get("tool_calls") or ()]
    name = "".join(piece.get("name") or "" for piece in pieces)
    arguments = "".join(piece.get("arguments") or "" for piece in pieces)
    return Told(
        "".join(delta.get("content") or "" for delta in deltas),
        ((name, json.loads(arguments)),) if pieces else (),
        None,
        is_whole=body.endswith(b"data: [DONE]\n\n"),
    )


def _anthropic(document: Any) -> Told:
    blocks, used = document["content"], document["usage"]
    return Told(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        tuple((block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"),
        (used["input_tokens"], used["output_tokens"]),
        is_whole=document["stop_reason"] in {"end_turn", "tool_use"},
    )


def _anthropic_stream(events: list[Any], _: bytes) -> Told:
    starts = [e["content_block"] for e in events if e["type"] == "content_block_start"]
    deltas = [e["delta"] for e in events if e["type"] == "content_block_delta"]
    names = [block["name"] for block in starts if block["type"] == "tool_use"]
    arguments = "".join(delta.get("partial_json", "") for delta in deltas)
    return Told(
        "".join(delta.get("text", "") for delta in deltas),
        tuple((name, json.loads(arguments)) for name in names),
        None,
        is_whole=events[-1]["type"] == "message_stop",
    )


def _gemini(document: Any) -> Told:
    candidate, used = document["candidates"][0], document["usageMetadata"]
    parts = candidate["content"]["parts"]
    return Told(
        "".join(part.get("text", "") for part in parts),
        tuple(
            (part["functionCall"]["name"], part["functionCall"]["args"])
            for part in parts
            if "functionCall" in part
        ),
        (used["promptTokenCount"], used["candidatesTokenCount"]),
        is_whole=candidate.get("finishReason") == "STOP",
    )


def _gemini_stream(events: list[Any], _: bytes) -> Told:
    parts = [
        part
        for event in events
        for candidate in event.get("candidates", ())
        for part in candidate["content"]["parts"]
    ]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    last = events[-1].get("candidates") or [{}]
    return Told(
        "".join(part.get("text", "") for part in parts),
        tuple((call["name"], call["args"]) for call in calls),
        None,
        is_whole=last[0].get("finishReason") == "STOP",
    )


def _responses(document: Any) -> Told:
    items, used = document["output"], document["usage"]
    texts = [part["text"] for item in items for part in item.get("content") or ()]
    calls = [item for item in items if item["type"] == "function_call"]
    return Told(
        "".join(texts),
        tuple((call["name"], json.loads(call["arguments"])) for call in calls),
        (used["input_tokens"], used["output_tokens"]),
        is_whole=document["status"] == "completed",
    )


def _responses_stream(events: list[Any], _: bytes) -> Told:
    last = events[-1]
    whole = last["type"] == "response.completed"
    deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
    calls = _responses(last["response"]).calls if whole else ()
    return Told("".join(deltas), calls, None, is_whole=whole)


_WHOLE = {
    Dialect.CHAT: _chat,
    Dialect.RESPONSES: _responses,
    Dialect.ANTHROPIC: _anthropic,
    Dialect.GEMINI: _gemini,
}
_STREAMED = {
    Dialect.CHAT: _chat_stream,
    Dialect.RESPONSES: _responses_stream,
    Dialect.ANTHROPIC: _anthropic_stream,
    Dialect.GEMINI: _gemini_stream,
}


def error_of(dialect: Dialect, document: Any) -> tuple[str, str]:
    """An error's kind and message, where clients of the dialect look for them."""
    error = document["error"]
    kind = {Dialect.GEMINI: "status", Dialect.ANTHROPIC: "type"}.get(dialect, "code")
    return error[kind], error["message"]

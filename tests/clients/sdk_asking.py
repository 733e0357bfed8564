"""Asks as users of the SDKs do, each with its own client and exceptions; see `every_dialect`.

Runs where Spillover is not installed: it is told an address, and where upstreams are scripted.
"""

from __future__ import annotations

import importlib
import json
import sys
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}}
TOLD: dict[str, Any] = json.loads(sys.argv[1])
UPSTREAMS: list[str] = list(TOLD["controls"])
CUT = {"fault": {"break": "close", "after": 2}}
LIMITED = {"fault": "rate_limited"}


def script(upstream: str, fault: dict[str, Any]) -> None:
    """Spoil an upstream's next answer."""
    body = json.dumps(fault).encode()
    request = urllib.request.Request(f"{TOLD['controls'][upstream]}/faults", body, method="POST")
    with urllib.request.urlopen(request) as answer:
        answer.read()


def clear() -> None:
    """Take back what was learned of an upstream's refusal."""
    request = urllib.request.Request(f"{TOLD['address']}/api/usage/clear", b"{}", method="POST")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as answer:
        answer.read()


def check(found: object, where: str) -> None:
    """Exit where something is not as it has to be."""
    if not found:
        sys.exit(f"{where}: found {found!r}")


def raises(kind: type[Exception], ask: Callable[[], object], where: str) -> Any:
    """Return the error that asking raises; exit where it is none of `kind`."""
    try:
        ask()
    except kind as error:
        return error
    return sys.exit(f"{where}: no {kind.__name__}")


def drained(ask: Callable[..., Any], **asked: Any) -> list[Any]:
    """Return every piece of a stream."""
    return list(ask(**asked))


def anthropic() -> None:
    """Anthropic's SDK: whole, streamed, a turn with a tool, a fallback, a broken stream, an error."""
    sdk: Any = importlib.import_module("anthropic")
    client = sdk.Anthropic(base_url=TOLD["address"], api_key="any", max_retries=0)
    tool = {"name": "weather", "description": "x", "input_schema": SCHEMA}

    def asked(model: str, text: str = "hello", **more: Any) -> dict[str, Any]:
        messages = more.pop("messages", [{"role": "user", "content": text}])
        return {"model": model, "max_tokens": 99, "messages": messages, **more}

    for upstream in UPSTREAMS:
        whole = client.messages.create(**asked(upstream))
        check("answering" in whole.content[0].text, f"anthropic, {upstream}")
        with client.messages.stream(**asked(upstream)) as stream:
            check(stream.get_final_text() == whole.content[0].text, f"anthropic, {upstream} stream")
        first = asked(upstream, "use the weather tool", tools=[tool])
        with client.messages.stream(**first) as stream:
            called = stream.get_final_message()
        block = next(block for block in called.content if block.type == "tool_use")
        check(block.input == {"place": "simulated"}, f"anthropic, {upstream} tool")
        result = {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}
        turns = [
            *first["messages"],
            {"role": "assistant", "content": called.content},
            {"role": "user", "content": [result]},
        ]
        done = client.messages.create(**asked(upstream, messages=turns, tools=[tool]))
        check("answering" in done.content[0].text, f"anthropic, {upstream} result")
        script(upstream, LIMITED)
        fell = client.messages.create(**asked(f"{upstream}-first"))
        check("answering" in fell.content[0].text, f"anthropic, {upstream} fallback")
        clear()
        script(upstream, CUT)
        broken = asked(upstream, stream=True)
        error = raises(
            sdk.APIStatusError,
            partial(drained, client.messages.create, **broken),
            f"anthropic, {upstream} cut",
        )
        check("broke off" in str(error), f"anthropic, {upstream} cut")
        clear()
    raises(sdk.NotFoundError, lambda: client.messages.create(**asked("nobody")), "anthropic 404")
    counted = client.messages.count_tokens(
        model="chat", messages=[{"role": "user", "content": "hello"}]
    )
    check(counted.input_tokens > 0, "anthropic count")
    check([model.id for model in client.models.list()], "anthropic models")


def gemini() -> None:
    """Google's SDK likewise."""
    sdk: Any = importlib.import_module("google.genai")
    types: Any = importlib.import_module("google.genai.types")
    errors: Any = importlib.import_module("google.genai.errors")
    options = {"base_url": TOLD["address"], "retry_options": {"attempts": 1}}
    client = sdk.Client(api_key="any", http_options=options)
    declared = {"name": "weather", "description": "x", "parameters_json_schema": SCHEMA}
    tools = types.GenerateContentConfig(
        tools=[{"function_declarations": [declared]}],
        automatic_function_calling={"disable": True},
    )
    for upstream in UPSTREAMS:
        whole = client.models.generate_content(model=upstream, contents="hello")
        check("answering" in whole.text, f"gemini, {upstream}")
        pieces = list(client.models.generate_content_stream(model=upstream, contents="hello"))
        text = "".join(piece.text or "" for piece in pieces)
        check(text == whole.text, f"gemini, {upstream} stream")
        first = types.Content(role="user", parts=[types.Part(text="use the weather tool")])
        called = client.models.generate_content(model=upstream, contents=[first], config=tools)
        call = called.function_calls[0]
        check(call.args == {"place": "simulated"}, f"gemini, {upstream} tool")
        part = types.Part.from_function_response(name=call.name, response={"result": "sunny"})
        turns = [first, called.candidates[0].content, types.Content(role="user", parts=[part])]
        done = client.models.generate_content(model=upstream, contents=turns, config=tools)
        check("answering" in done.text, f"gemini, {upstream} result")
        script(upstream, LIMITED)
        fell = client.models.generate_content(model=f"{upstream}-first", contents="hello")
        check("answering" in fell.text, f"gemini, {upstream} fallback")
        clear()
        script(upstream, CUT)
        error = raises(
            errors.APIError,
            partial(
                drained,
                client.models.generate_content_stream,
                model=upstream,
                contents="hello",
            ),
            f"gemini, {upstream} cut",
        )
        check("broke off" in str(error), f"gemini, {upstream} cut")
        clear()
    error = raises(
        errors.ClientError,
        lambda: client.models.generate_content(model="nobody", contents="hello"),
        "gemini 404",
    )
    check(error.code == 404, "gemini 404")
    check(client.models.count_tokens(model="chat", contents="hello").total_tokens, "gemini count")
    check([model.name for model in client.models.list()], "gemini models")


def openai() -> None:
    """OpenAI's SDK, by both its protocols."""
    sdk: Any = importlib.import_module("openai")
    client = sdk.OpenAI(base_url=f"{TOLD['address']}/v1", api_key="any", max_retries=0)
    messages = [{"role": "user", "content": "hello"}]
    for upstream in UPSTREAMS:
        chat = client.chat.completions.create(model=upstream, messages=messages)
        check("answering" in chat.choices[0].message.content, f"chat, {upstream}")
        response = client.responses.create(model=upstream, input="hello")
        check("answering" in response.output_text, f"responses, {upstream}")
        again = client.responses.create(
            model=upstream, input="and?", previous_response_id=response.id
        )
        check("answering" in again.output_text, f"responses, {upstream} again")
        script(upstream, CUT)
        error = raises(
            sdk.APIError,
            partial(drained, client.responses.create, model=upstream, input="hello", stream=True),
            f"responses, {upstream} cut",
        )
        check("broke off" in str(error), f"responses, {upstream} cut")
        clear()


if __name__ == "__main__":
    for ask in (anthropic, gemini, openai):
        ask()
        print(f"{ask.__name__}: {len(UPSTREAMS)} upstreams")

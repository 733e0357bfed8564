"""A turn with a tool, taken by what a text of `spillover connect` leaves behind when it has run.

Runs where Spillover is not installed: the first argument says all of it as JSON; see `snippets`.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Told:
    """What is to be done."""

    client: str
    snippet: str
    """Where it stands."""
    address: str
    model: str
    prompt: str
    """Empty: the snippet is all."""
    result: str

    def weather(self, place: str) -> str:
        """Tell the weather at a place."""
        return f"{self.result} in {place}"


def langchain(told: Told, left: dict[str, Any]) -> str:
    """Stream both answers, as agents on LangChain do."""
    messages: Any = importlib.import_module("langchain_core.messages")
    tools: Any = importlib.import_module("langchain_core.tools")
    tool = tools.tool(told.weather)
    llm = left["llm"].bind_tools([tool])
    turn: list[Any] = [messages.HumanMessage(told.prompt)]
    for _ in range(2):
        first, *rest = llm.stream(turn)
        whole = sum(rest, first)
        turn += [whole, *(tool.invoke(call) for call in whole.tool_calls)]
    return str(turn[-1].text)


def pydantic_ai(told: Told, left: dict[str, Any]) -> str:
    """Let the agent call the tool."""
    agent = left["agent"]
    agent.tool_plain(told.weather)
    return str(agent.run_sync(told.prompt).output)


def litellm(told: Told, left: dict[str, Any]) -> str:
    """Call the tool by hand, where its snippet has only a function to call."""
    place = {"type": "object", "properties": {"place": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": place}}
    messages: list[Any] = [{"role": "user", "content": told.prompt}]

    def asked() -> Any:
        answer = left["litellm"].completion(
            model=f"openai/{told.model}",
            api_base=f"{told.address}/v1",
            api_key="any",
            messages=messages,
            tools=[tool],
        )
        return answer.choices[0].message

    messages.append(asked())
    for call in messages[-1].tool_calls:
        content = told.weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    return str(asked().content)


TURNS = {
    "langchain": langchain,
    "langchain-anthropic": langchain,
    "litellm": litellm,
    "pydantic-ai": pydantic_ai,
}


def main(told: Told) -> None:
    """Run the snippet, then the turn, and print the last answer."""
    left: dict[str, Any] = {"__name__": "__main__"}
    text = Path(told.snippet).read_text("utf-8")
    exec(compile(text, told.snippet, "exec"), left)  # noqa: S102 - our own docs
    if told.prompt:
        print(TURNS[told.client](told, left))


if __name__ == "__main__":
    main(Told(**json.loads(sys.argv[1])))

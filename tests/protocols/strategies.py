"""Strategies that make conversations which every protocol can carry whole."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from spillover.protocols.conversation.answers import Answer, Choice, Said, Stop, Tokens
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    Part,
    Request,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from spillover.protocols.conversation.seals import Dialect, Seal
from tests.protocols.conversations import PIXEL, SCHEMA

words = st.text('aZ é界🙂\n"\\{}', min_size=1, max_size=8).filter(str.strip)
names = st.sampled_from(["f", "get_weather", "a_b"])
arguments = st.dictionaries(names, st.integers(0, 9) | words | st.booleans(), max_size=3).map(
    lambda found: json.dumps(found, separators=(",", ":"), ensure_ascii=False)
)
seals = st.builds(Seal, origin=st.just(Dialect.ANTHROPIC), value=names)
thoughts = st.builds(Thinking, text=words, seal=seals) | st.builds(
    Thinking, seal=seals.map(lambda seal: replace(seal, redacted=True))
)
images = st.just(Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL)) | st.just(
    Media(medium=Medium.IMAGE, url="https://example.org/a.png")
)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Turn, ...]:
    """What a user and a model have said in turn, tools included."""
    turns: list[Turn] = []
    open_calls: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        said: list[Part] = [
            ToolResult(id=call, content=(Text(text=draw(words)),)) for call in open_calls
        ]
        said += [Text(text=draw(words))]
        said += draw(st.lists(images, max_size=2))
        turns.append(Turn(role=Role.USER, parts=tuple(said)))
        open_calls = [f"call_{number}_{n}" for n in range(draw(st.integers(0, 2)))]
        parts: list[Part] = draw(st.lists(thoughts, max_size=2))
        parts += [Text(text=draw(words))]
        parts += [
            ToolCall(id=call, name=draw(names), arguments=draw(arguments)) for call in open_calls
        ]
        turns.append(Turn(role=Role.ASSISTANT, parts=tuple(parts)))
    return tuple(turns)


tools = st.builds(
    Tool, name=names, description=st.none() | words, schema=st.just(SCHEMA), strict=st.none()
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that every protocol can carry whole."""
    found = draw(st.lists(tools, max_size=2, unique_by=lambda tool: tool.name))
    modes = [Choosing.AUTO, Choosing.NONE, Choosing.ANY]
    choices = st.none() | st.builds(ToolChoice, mode=st.sampled_from(modes))
    if found:
        named = ToolChoice(mode=Choosing.NAMED, names=(found[0].name,))
        choices = choices | st.just(named)
    return Request(
        system=tuple(Text(text=text) for text in draw(st.lists(words, max_size=1))),
        turns=draw(exchanges()),
        tools=tuple(found),
        tool_choice=draw(choices) if found else None,
        sampling=Sampling(
            max_tokens=draw(st.integers(1, 9_999)),
            temperature=draw(st.none() | st.sampled_from([0, 0.5, 1])),
            stop=draw(st.just(()) | st.just(("END",))),
        ),
    )


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Answers that every protocol can carry whole."""
    parts: list[Said] = draw(st.lists(thoughts, max_size=2))
    if draw(st.booleans()):
        parts.append(Text(text=draw(words)))
    calls = draw(st.lists(st.tuples(names, arguments), max_size=3))
    parts += [
        ToolCall(id=f"call_{n}", name=name, arguments=text) for n, (name, text) in enumerate(calls)
    ]
    usual = Stop.TOOLS if calls else draw(st.sampled_from([Stop.END, Stop.LENGTH]))
    cached = draw(st.integers(0, 50))
    tokens = Tokens(
        input=cached + draw(st.integers(1, 99)),
        cached=cached,
        output=draw(st.integers(10, 99)),
        reasoning=draw(st.integers(0, 9)),
    )
    return Answer(choices=(Choice(parts=tuple(parts), stop=usual),), tokens=tokens)


odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 7, -1, 0.5, 1e300, "", "words", [], {}, [7], {"a": 7}, [{}]]
)


@st.composite
def mutations(draw: st.DrawFn, body: bytes) -> bytes:
    """The JSON of `body` with up to three of its values made odd or taken away."""
    whole = json.loads(body)
    for _ in range(draw(st.integers(1, 3))):
        at = whole
        while at:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 3)):
                at = at[key]
                continue
            if draw(st.integers(0, 4)):
                at[key] = deepcopy(draw(odd))
            else:
                del at[key]
            break
    return json.dumps(whole).encode()

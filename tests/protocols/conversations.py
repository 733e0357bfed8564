"""Conversations to translate: an answer of each kind, and answers taken to pieces and put together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from spillover.protocols.conversation.answers import (
    Answer,
    Begin,
    CallBegin,
    CallDelta,
    Choice,
    Delta,
    End,
    Fault,
    Finish,
    Likelihood,
    RefusalDelta,
    Said,
    Sealed,
    Spent,
    Stamp,
    Stop,
    TextDelta,
    ThinkingDelta,
    Tokens,
)
from spillover.protocols.conversation.requests import (
    Choosing,
    Media,
    Medium,
    Part,
    Refusal,
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
from spillover.protocols.sse import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STAMP = Stamp(id="abc123", model="chain", created_at=1_700_000_000)
PIXEL = "iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}

CONVERSATION = Request(
    system=(Text(text="Be brief."),),
    turns=(
        Turn(
            role=Role.USER,
            parts=(
                Text(text="Where is this?"),
                Media(medium=Medium.IMAGE, mime="image/png", data=PIXEL),
                Media(medium=Medium.IMAGE, url="https://example.org/a.png"),
            ),
        ),
        Turn(
            role=Role.ASSISTANT,
            parts=(
                Thinking(text="A tower.", seal=Seal(origin=Dialect.ANTHROPIC, value="c2ln")),
                Thinking(seal=Seal(origin=Dialect.ANTHROPIC, value="b3Bh", redacted=True)),
                Text(text="I look it up."),
                ToolCall(id="call_a", name="places", arguments='{"like":"tower"}'),
                ToolCall(id="call_b", name="weather", arguments='{"city":"Paris"}'),
            ),
        ),
        Turn(
            role=Role.USER,
            parts=(
                ToolResult(id="call_a", content=(Text(text="Paris"),)),
                ToolResult(id="call_b", content=(Text(text="rain"),)),
                Text(text="Well?"),
            ),
        ),
    ),
    tools=(
        Tool(name="places", description="Finds places.", schema=SCHEMA),
        Tool(name="weather", schema=SCHEMA),
    ),
    tool_choice=ToolChoice(mode=Choosing.AUTO),
    sampling=Sampling(max_tokens=500, temperature=0.5, stop=("END",)),
)
"""What every protocol can carry whole."""


def meaning(request: Request) -> Request:
    """Return a request as it is meant: each side's turns as one, results first."""
    merged: list[tuple[Role, list[Part]]] = []
    for turn in request.turns:
        if merged and merged[-1][0] is turn.role:
            merged[-1][1].extend(turn.parts)
        else:
            merged.append((turn.role, list(turn.parts)))
    for _, parts in merged:
        parts.sort(key=lambda part: not isinstance(part, ToolResult))
    turns = tuple(Turn(role=role, parts=tuple(map(_meant, parts))) for role, parts in merged)
    return replace(
        request, turns=turns, model=None, wants_usage=True, dropped=(), lacks=request.lacks
    )


def _meant(part: Part) -> Part:
    # What is found at an address tells itself.
    return replace(part, mime=None) if isinstance(part, Media) and part.url is not None else part


def sealed_by(dialect: Dialect, request: Request) -> Request:
    """Return a request whose thoughts are all sealed, in the open, by the provider of `dialect`."""

    def resealed(part: Part) -> Part:
        if not isinstance(part, Thinking) or part.seal is None:
            return part
        return replace(part, seal=Seal(origin=dialect, value=part.seal.value))

    turns = (
        replace(turn, parts=tuple(resealed(part) for part in turn.parts)) for turn in request.turns
    )
    return replace(request, turns=tuple(turns))


def in_pieces(answer: Answer, size: int = 3) -> list[Delta]:
    """Return the deltas that stream an answer, its texts cut into pieces of `size` characters."""
    found: list[Delta] = [Begin(id=answer.id, model=answer.model, tokens=answer.tokens)]

    def cut(text: str) -> list[str]:
        return [text[start : start + size] for start in range(0, len(text), size)]

    for number, choice in enumerate(answer.choices):
        calls = 0
        for part in choice.parts:
            if isinstance(part, Text):
                found += [TextDelta(choice=number, text=piece) for piece in cut(part.text)]
            elif isinstance(part, Refusal):
                found += [RefusalDelta(choice=number, text=piece) for piece in cut(part.text)]
            elif isinstance(part, Thinking):
                found += [ThinkingDelta(choice=number, text=piece) for piece in cut(part.text)]
                if part.seal is not None:
                    found.append(Sealed(choice=number, seal=part.seal))
            else:
                found.append(CallBegin(choice=number, call=calls, id=part.id, name=part.name))
                found += [
                    CallDelta(choice=number, call=calls, arguments=piece)
                    for piece in cut(part.arguments)
                ]
                calls += 1
        stop, sequence = choice.stop, choice.stop_sequence
        found.append(Finish(choice=number, stop=stop, stop_sequence=sequence))
    if answer.tokens is not None:
        found.append(Spent(tokens=answer.tokens))
    return [*found, End()]


def gathered(deltas: Iterable[Delta]) -> Answer:
    """Return the answer that deltas add up to."""
    answer = Answer()
    choices: dict[int, Gathering] = {}
    for delta in deltas:
        match delta:
            case Begin():
                answer = replace(answer, id=delta.id, model=delta.model, tokens=delta.tokens)
            case Spent():
                answer = replace(answer, tokens=delta.tokens)
            case End():
                break
            case Fault():
                raise AssertionError(delta.body)
            case _:
                choices.setdefault(delta.choice, Gathering()).add(delta)
    found = [choice.choice() for _, choice in sorted(choices.items())]
    return replace(answer, choices=tuple(found))


class Gathering:
    """One choice, as far as it has been streamed."""

    def __init__(self) -> None:
        self.parts: list[Said] = []
        self.calls: dict[int, int] = {}
        self.end = Finish(stop=Stop.END)
        self.logprobs: list[Likelihood] = []

    def choice(self) -> Choice:
        return Choice(
            parts=tuple(self.parts),
            stop=self.end.stop,
            stop_sequence=self.end.stop_sequence,
            logprobs=tuple(self.logprobs),
        )

    def add(self, delta: Any) -> None:
        match delta:
            case TextDelta():
                self.logprobs += delta.logprobs
                self.say(Text(text=delta.text))
            case RefusalDelta():
                self.say(Refusal(text=delta.text))
            case ThinkingDelta():
                self.say(Thinking(text=delta.text))
            case Sealed():
                self.seal(delta.seal)
            case CallBegin():
                self.calls[delta.call] = len(self.parts)
                self.parts.append(ToolCall(id=delta.id, name=delta.name, arguments=""))
            case CallDelta():
                place = self.calls[delta.call]
                call = self.parts[place]
                assert isinstance(call, ToolCall)
                self.parts[place] = replace(call, arguments=call.arguments + delta.arguments)
            case Finish():
                self.end = delta
            case _:
                raise AssertionError(delta)

    def say(self, part: Text | Refusal | Thinking) -> None:
        last = self.parts[-1] if self.parts else None
        is_over = isinstance(last, Thinking) and last.seal is not None
        if type(last) is type(part) and not is_over:
            self.parts[-1] = replace(part, text=last.text + part.text)
        else:
            self.parts.append(part)

    def seal(self, seal: Seal) -> None:
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Thinking) and last.seal is None:
            self.parts[-1] = replace(last, seal=seal)
        else:
            self.parts.append(Thinking(seal=seal))


def events(stream: bytes) -> list[bytes]:
    """Return the events of a stream."""
    return Splitter().feed(stream)


def payloads(stream: bytes) -> list[Any]:
    """Return what the events of a stream carry, a sentinel aside."""
    lines = [line[6:] for line in stream.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def streamed(writer: Any, deltas: Iterable[Delta]) -> bytes:
    """Return the whole stream that a writer makes."""
    return b"".join([*map(writer.feed, deltas), writer.end()])


def read_all(feed: Callable[[bytes], list[Delta]], stream: bytes) -> list[Delta]:
    """Return all deltas that a reader finds in a stream."""
    return [delta for event in events(stream) for delta in feed(event)]


ANSWERS: dict[str, Answer] = {
    "text": Answer(
        id="up-1",
        model="m-1",
        choices=(Choice(parts=(Text(text="Hello there."),)),),
        tokens=Tokens(input=20, cached=8, stored=4, output=6),
    ),
    "thinking and calls": Answer(
        choices=(
            Choice(
                parts=(
                    Thinking(text="Let me see.", seal=Seal(origin=Dialect.ANTHROPIC, value="c2ln")),
                    Thinking(seal=Seal(origin=Dialect.ANTHROPIC, value="b3Bh", redacted=True)),
                    Text(text="I look it up."),
                    ToolCall(id="call_a", name="weather", arguments='{"city":"Oslo"}'),
                    ToolCall(id="call_b", name="weather", arguments='{"city":"Rome"}'),
                ),
                stop=Stop.TOOLS,
            ),
        ),
        tokens=Tokens(input=9, output=40, reasoning=12),
    ),
    "foreign seals": Answer(
        choices=(
            Choice(
                parts=(
                    Thinking(text="Hm.", seal=Seal(origin=Dialect.CHAT, value="")),
                    Thinking(seal=Seal(origin=Dialect.GEMINI, value="Z2Vt")),
                    ToolCall(id="call_a", name="now", arguments="{}"),
                    Thinking(seal=Seal(origin=Dialect.RESPONSES, value="ZW5j", id="rs_1")),
                    Text(text="Done"),
                ),
                stop=Stop.TOOLS,
            ),
        ),
    ),
    "gemini's thoughts": Answer(
        choices=(
            Choice(
                parts=(
                    Thinking(text="Hm.", seal=Seal(origin=Dialect.GEMINI, value="Z2Vt")),
                    Text(text="Done"),
                ),
            ),
        ),
    ),
    "refusal": Answer(choices=(Choice(parts=(Refusal(text="I can't help."),)),)),
    "filtered": Answer(choices=(Choice(stop=Stop.FILTERED),)),
    "logprobs": Answer(
        choices=(
            Choice(
                parts=(Text(text="Hi"),),
                stop=Stop.LENGTH,
                logprobs=(
                    Likelihood(
                        token="Hi",
                        logprob=-0.5,
                        bytes=(72, 105),
                        top=(Likelihood(token="Ho", logprob=-1.5),),
                    ),
                ),
            ),
        ),
    ),
    "nothing": Answer(),
}
"""An answer of each kind, for every writer and every SDK."""

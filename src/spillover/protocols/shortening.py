"""Shorten a conversation that is too long: leave out its oldest middle turns, whole messages only.

Rules of this file:
- A *turn* begins with a user's message, or with an assistant's that calls tools, and holds what
  follows it. A call and its results are never parted, whatever stands between them.
- System and developer messages stay, and so do the first turn (what it is all about), the one that
  the user asked last, and the last one.
- Turns go from the oldest on, and no more of them than must.

Refuses to know how many tokens are too many: whoever asks says when it fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.values import Operation, Value
from spillover.protocols.openai_chat import Asked, read_fields

if TYPE_CHECKING:
    from collections.abc import Callable

_RULES: Final = frozenset({"system", "developer"})
_ASSISTANT: Final = "assistant"
_USER: Final = "user"


class Shortened(Value, frozen=True, kw_only=True):
    """A request with messages left out, and how many those are."""

    asked: Asked
    removed: int


class _Call(msgspec.Struct):
    id: str | None = None


class _Message(msgspec.Struct):
    role: str = ""
    tool_calls: list[_Call] | None = None
    function_call: dict[str, object] | None = None
    tool_call_id: str | None = None

    @property
    def calls(self) -> bool:
        return bool(self.tool_calls or self.function_call)


_raws: Final = msgspec.json.Decoder(list[msgspec.Raw])
_messages: Final = msgspec.json.Decoder(list[_Message])
_encode: Final = msgspec.json.Encoder().encode


def shorten(asked: Asked, fits: Callable[[Asked], bool]) -> Shortened | None:
    """Return `asked` without so many of its oldest middle turns that it `fits`.

    None: it is no conversation, or too long even without all of them. What stays keeps its bytes and
    its order, and is counted anew.
    """
    if asked.operation is not Operation.CHAT:
        return None
    raws = _raws.decode(asked.fields["messages"])
    try:
        messages = _messages.decode(asked.fields["messages"])
    except msgspec.ValidationError:
        return None  # messages of a shape that only their provider knows
    spare = _spare(_turns(messages), messages)
    fewest, most = 1, len(spare)
    if not spare or not fits(_without(asked, raws, spare)):
        return None
    while fewest < most:  # who fits without some turns fits without more of them
        half = (fewest + most) // 2
        if fits(_without(asked, raws, spare[:half])):
            most = half
        else:
            fewest = half + 1
    chosen = spare[:most]
    return Shortened(
        asked=_without(asked, raws, chosen), removed=sum(len(places) for places in chosen)
    )


def _turns(messages: list[_Message]) -> list[list[int]]:
    """Return the places of each turn's messages, system and developer messages aside."""
    ends = _ends(messages)
    turns: list[list[int]] = []
    bound = -1
    for place, message in enumerate(messages):
        if message.role in _RULES:
            continue
        begins = message.role == _USER or (message.role == _ASSISTANT and message.calls)
        if not turns or (begins and place > bound):
            turns.append([])
        turns[-1].append(place)
        bound = max(bound, ends[place])
    return turns


def _ends(messages: list[_Message]) -> list[int]:
    """Return for each message the place of the last result of its calls, or its own.

    Some clients name their calls alike in every turn: a result belongs to the latest call before it.
    """
    ends = list(range(len(messages)))
    results: dict[str, int] = {}
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.tool_call_id is not None:
            results.setdefault(message.tool_call_id, place)
        for call in message.tool_calls or ():
            ends[place] = max(ends[place], results.pop(call.id or "", place))
    return ends


def _spare(turns: list[list[int]], messages: list[_Message]) -> list[list[int]]:
    """Return the turns that may be left out, the oldest first."""
    asked_last = max(
        (
            number
            for number, turn in enumerate(turns)
            if any(messages[place].role == _USER for place in turn)
        ),
        default=0,
    )
    kept = {0, asked_last, len(turns) - 1}
    return [turn for number, turn in enumerate(turns) if number not in kept]


def _without(asked: Asked, raws: list[msgspec.Raw], turns: list[list[int]]) -> Asked:
    """Return the request without some turns, counted anew."""
    gone = {place for turn in turns for place in turn}
    stays = [raw for place, raw in enumerate(raws) if place not in gone]
    return read_fields({**asked.fields, "messages": msgspec.Raw(_encode(stays))}, asked.operation)

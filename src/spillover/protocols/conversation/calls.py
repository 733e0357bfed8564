"""Put right what upstreams get wrong about calls: their ids, and why an answer that holds some ends.

Clients tell results by the ids, so that two calls may not share one; and they look for calls where an
answer says that it ends for them. Refuses to know how any protocol spells them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from spillover.protocols.conversation.answers import Answer, CallBegin, Choice, Finish, Stop
from spillover.protocols.conversation.requests import ToolCall

if TYPE_CHECKING:
    from spillover.protocols.conversation.answers import Said


class Calls:
    """The calls of one answer, in order."""

    __slots__ = ("_callers", "_ids", "_seed")

    def __init__(self, seed: str) -> None:
        """Make ids of `seed` where they lack: it sets them apart from those of other answers."""
        self._seed = seed
        self._ids: set[str] = set()
        self._callers: set[int] = set()
        """The choices that call."""

    def begun(self, delta: CallBegin) -> CallBegin:
        """Return the begin of a call with an id of its own."""
        self._callers.add(delta.choice)
        name = self._named(delta.id)
        return delta if name == delta.id else replace(delta, id=name)

    def finished(self, delta: Finish) -> Finish:
        """Return the end of a choice, which ends for its calls if it has any."""
        calls = delta.choice in self._callers
        return replace(delta, stop=Stop.TOOLS) if calls and delta.stop is Stop.END else delta

    def in_choice(self, choice: Choice) -> Choice:
        """Return a whole choice likewise."""
        parts = tuple([self._put_right(part) for part in choice.parts])
        calls = any(isinstance(part, ToolCall) for part in parts)
        stop = Stop.TOOLS if calls and choice.stop is Stop.END else choice.stop
        return replace(choice, parts=parts, stop=stop)

    def _put_right(self, part: Said) -> Said:
        return replace(part, id=self._named(part.id)) if isinstance(part, ToolCall) else part

    def _named(self, given: str) -> str:
        """Return an id that no call before it has: the one that was given, if it will do."""
        name = given or f"call_{self._seed}_{len(self._ids)}"
        while name in self._ids:
            name = f"{name}_{len(self._ids)}"
        self._ids.add(name)
        return name


def with_calls_put_right(answer: Answer, seed: str) -> Answer:
    """Return a whole answer whose calls have ids of their own, and that ends for them."""
    calls = Calls(seed)
    return replace(answer, choices=tuple([calls.in_choice(each) for each in answer.choices]))

"""Read the pieces that a stream of OpenAI's chat makes calls of.

Rules of this file:
- A new id at a known index begins another call, as Gemini's own chat has it.
- Without an index, calls are told apart by their place in the list, and by a name that comes when the
  call before is whole.
- A call begins when its name is known: what comes before is held.

Refuses to know what else a stream says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.protocols.conversation.answers import CallBegin, CallDelta
from spillover.protocols.conversation.fields import Fields, object_in

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Call:
    """One call so far."""

    __slots__ = ("arguments", "has_begun", "id", "number")

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.id = name
        self.has_begun = False
        self.arguments: list[str] = []

    def said(self) -> str:
        """Return its arguments so far."""
        return "".join(self.arguments)

    def is_whole(self) -> bool:
        """Whether nothing is to follow."""
        said = self.said()
        return said != "" and object_in(said) is not None


class CallReader:
    """Reads the pieces of one choice's calls in order."""

    __slots__ = ("_calls", "_choice", "_count", "_seed")

    def __init__(self, seed: str, choice: int) -> None:
        """Begin; ids that the upstream leaves out are made from `seed`."""
        self._seed = seed
        self._choice = choice
        self._count = 0
        self._calls: dict[int, _Call] = {}
        """The latest call of each index."""

    def feed(self, piece: Fields, place: int) -> Iterator[CallBegin | CallDelta]:
        """Yield what a piece brings, which stands in the `place`th place of its list."""
        function = piece.fields("function") or Fields({})
        name, arguments = function.text("name") or "", function.arguments("arguments")
        call = self._call(piece.count("index"), piece.text("id"), name, place)
        call.arguments.append(arguments)
        if call.has_begun:
            if arguments:
                yield CallDelta(choice=self._choice, call=call.number, arguments=arguments)
        elif name:
            yield from self._begin(call, name)

    def end(self) -> Iterator[CallBegin | CallDelta]:
        """Yield what is held of calls whose name never came."""
        for call in self._calls.values():
            if not call.has_begun:
                yield from self._begin(call, "")

    def _begin(self, call: _Call, name: str) -> Iterator[CallBegin | CallDelta]:
        call.has_begun = True
        yield CallBegin(choice=self._choice, call=call.number, id=call.id, name=name)
        if held := call.said():
            yield CallDelta(choice=self._choice, call=call.number, arguments=held)

    def _call(self, index: int | None, given: str | None, name: str, place: int) -> _Call:
        key = place if index is None else index
        known = self._calls.get(key)
        if known is not None:
            if given:
                another = given != known.id
            else:
                another = index is None and name != "" and known.is_whole()
            if not another:
                return known
        made = given or f"call_{self._seed}_{self._choice}_{self._count}"
        call = self._calls[key] = _Call(self._count, made)
        self._count += 1
        return call

"""Shorten a conversation that is too long: leave out its oldest middle turns, whole entries only.

Rules of this file:
- A *turn* begins with what the user says, or with the model's call of a tool and the thought before it,
  and holds what follows. A call and its results are never parted, whatever stands between them.
- System and developer messages stay, and so do the first turn (what it is all about), the one that
  the user asked last, and the last one.
- Turns go from the oldest on, and no more of them than must.

Refuses to know how many tokens are too many: whoever asks says when it fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.values import Operation, Value
from spillover.protocols.openai_chat import Asked, read_fields
from spillover.protocols.spoken import Spoken, dialect_of, read_anew
from spillover.protocols.steps import FIELDS, Side, Step, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Shortened(Value, frozen=True, kw_only=True):
    """A request with messages left out, and how many those are."""

    asked: Asked | Spoken
    removed: int


_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws: Final = msgspec.json.Decoder(list[msgspec.Raw])
_encode: Final = msgspec.json.Encoder().encode


def shorten(asked: Asked | Spoken, fits: Callable[[Asked | Spoken], bool]) -> Shortened | None:
    """Return `asked` without so many of its oldest middle turns that it `fits`.

    None: it is no conversation, or too long even without all of them. What stays keeps its bytes and
    its order, and is counted anew.
    """
    if asked.operation is not Operation.CHAT:
        return None
    whole = _Whole.of(asked)
    spare = [] if whole is None else _spare(_turns(whole.steps), whole.steps)
    fewest, most = 1, len(spare)
    if whole is None or not spare or not fits(whole.without(spare)):
        return None
    while fewest < most:  # who fits without some turns fits without more of them
        half = (fewest + most) // 2
        if fits(whole.without(spare[:half])):
            most = half
        else:
            fewest = half + 1
    chosen = spare[:most]
    return Shortened(asked=whole.without(chosen), removed=sum(len(places) for places in chosen))


class _Whole(Value, frozen=True, kw_only=True):
    """A request taken apart."""

    asked: Asked | Spoken
    fields: Mapping[str, msgspec.Raw]
    entries: list[msgspec.Raw]
    steps: list[Step]

    @classmethod
    def of(cls, asked: Asked | Spoken) -> _Whole | None:
        """Take a request apart; None: it is one text, or of a shape that only its provider knows."""
        fields = asked.fields if isinstance(asked, Asked) else _fields.decode(asked.body)
        dialect = dialect_of(asked)
        written = fields.get(FIELDS[dialect])
        steps = None if written is None else steps_of(written, dialect)
        if written is None or steps is None:
            return None
        return cls(asked=asked, fields=fields, entries=_raws.decode(written), steps=steps)

    def without(self, turns: list[list[int]]) -> Asked | Spoken:
        """Return the request without some turns, counted anew."""
        gone = {place for turn in turns for place in turn}
        stays = [raw for place, raw in enumerate(self.entries) if place not in gone]
        name, asked = FIELDS[dialect_of(self.asked)], self.asked
        fields = {**self.fields, name: msgspec.Raw(_encode(stays))}
        if isinstance(asked, Asked):
            return read_fields(fields, asked.operation)
        return read_anew(asked, _encode(fields))


def _turns(steps: list[Step]) -> list[list[int]]:
    """Return the places of each turn's entries, system and developer messages aside."""
    ends = _ends(steps)
    turns: list[list[int]] = []
    bound = -1
    for place, step in enumerate(steps):
        if step.side is Side.RULES:
            continue
        if not turns or (place > bound and _begins(steps, place)):
            turns.append([])
        turns[-1].append(place)
        bound = max(bound, ends[place])
    return turns


def _begins(steps: list[Step], place: int) -> bool:
    """Whether an entry begins a turn: a thought does where it leads to a call, which then does not."""
    if place and steps[place - 1].leads:
        return False
    behind = next((step for step in steps[place:] if not step.leads), steps[place])
    return steps[place].side is Side.USER or bool(behind.calls)


def _ends(steps: list[Step]) -> list[int]:
    """Return for each entry the place of the last result of its calls, or its own.

    Some clients name their calls alike in every turn: a result belongs to the latest call before it.
    """
    ends = list(range(len(steps)))
    results: dict[str, int] = {}
    for place in range(len(steps) - 1, -1, -1):
        for name in steps[place].results:
            results.setdefault(name, place)
        for name in steps[place].calls:
            ends[place] = max(ends[place], results.pop(name, place))
    return ends


def _spare(turns: list[list[int]], steps: list[Step]) -> list[list[int]]:
    """Return the turns that may be left out, the oldest first."""
    asked_last = max(
        (
            number
            for number, turn in enumerate(turns)
            if any(steps[place].side is Side.USER for place in turn)
        ),
        default=0,
    )
    kept = {0, asked_last, len(turns) - 1}
    return [turn for number, turn in enumerate(turns) if number not in kept]

"""Keep an open page true: render again what events or time have changed, and send what differs.

However many events there are, a page gets at most one message in `APART_S`, and figures alone move
at most every `FIGURES_S`. Refuses to know HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from spillover.dashboard import overview
from spillover.dashboard.pages import render
from spillover.dashboard.sentences import sentences
from spillover.events import ConfigRejected, Notice, RequestDone, RequestFallback, to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from spillover.dashboard.pages import Look
    from spillover.dashboard.sentences import Sentences
    from spillover.events import Event, Subscription

APART_S: Final = 0.05
"""Least time between two messages: what happens is seen well within 250 ms."""
FIGURES_S: Final = 0.5
"""Least time between two looks that nothing but served requests ask for."""
LOOK_S: Final = 1.0
"""Time between two looks when nothing happens: windows slide and cooldowns end by themselves."""
_TOLD: Final = 40
"""Requests of one message: more than a person reads."""
_SUBJECTS: Final = {
    "part_sums.html": "sums",
    "part_head.html": "chain",
    "part_card.html": "card",
}
"""What each part's template calls that which it shows."""


class Figures(NamedTuple):
    """What the overview is made from: documents as `/api` has them."""

    status: dict[str, Any]
    pace: Mapping[str, Any] = overview.NOTHING
    savings: Mapping[str, Any] = overview.NOTHING
    revisions: Mapping[str, str] = overview.NOTHING


class Message(msgspec.Struct, frozen=True):
    """One message to a page: its kind, and what it holds."""

    kind: str
    body: str


class Parts:
    """The parts of the overview as one page last got them."""

    def __init__(
        self, figures: Callable[[], Awaitable[Figures]], look: Look, *, seen: str | None = None
    ) -> None:
        """Render for a reader from what `figures` returns; `seen` is the `print_of` their page."""
        self._figures = figures
        self._look = look
        self._seen = seen
        self._shown: dict[str, dict[str, Any]] | None = None
        self._shape: list[Any] = []

    async def changed(self) -> Message | None:
        """Return the parts that differ from what was sent before; None: none does."""
        found = await self._figures()
        chains = found.status["chains"]
        shape = [(name, chain["profiles"]) for name, chain in chains.items()]
        parts = laid_out(found)
        shown = {name: part for name, (_, part) in parts.items()}
        before, self._shown = self._shown, shown
        same_shape, self._shape = shape == self._shape, shape
        if before is None:
            before = shown if self._seen == print_of(found) else {}
        elif not same_shape:
            self._shown = {}
            return Message("reload", "")  # other chains and places: the page is loaded anew
        fresh = [
            render(template, self._look, {_SUBJECTS[template]: part})
            for name, (template, part) in parts.items()
            if before.get(name) != part
        ]
        return Message("parts", "".join(fresh)) if fresh else None


def laid_out(figures: Figures) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the parts of the overview by their ids: each its template, and what it shows."""
    status = figures.status
    found = {"sums": ("part_sums.html", overview.sums(status, figures.savings))}
    for name in status["chains"]:
        ladder = overview.ladder(status, name, figures.pace, figures.revisions)
        cards = ladder.pop("cards")
        found[f"head-{name}"] = ("part_head.html", ladder)
        found |= {card["id"]: ("part_card.html", card) for card in cards}
    return found


def print_of(figures: Figures) -> str:
    """Return a short text that differs when anything of the overview does."""
    shown = msgspec.json.encode(laid_out(figures))
    return hashlib.sha256(shown).hexdigest()[:16]


async def follow(parts: Parts | None, events: Subscription, look: Look) -> AsyncIterator[Message]:
    """Yield what a reader's page is to show, until the subscription ends."""
    loop = asyncio.get_running_loop()
    looked = -LOOK_S
    while True:
        due = looked + LOOK_S
        heard = await _heard(events, until=due)
        if heard is None:
            return
        if _are_figures(heard):
            heard += await _gathered(events, until=looked + FIGURES_S)
        if heard:
            yield Message("happened", _happened(heard, sentences(look.language)))
        if parts is not None:
            fresh = await parts.changed()
            if fresh is not None:
                yield fresh
        looked = loop.time()
        await asyncio.sleep(APART_S)


async def _heard(events: Subscription, *, until: float) -> list[Event] | None:
    """Return the events that wait, waiting for one until an instant of the loop; None: the end."""
    try:
        async with asyncio.timeout_at(until):
            _, first = await anext(events)
    except TimeoutError:
        return []
    except StopAsyncIteration:
        return None
    return [first, *events.drained()]


async def _gathered(events: Subscription, *, until: float) -> list[Event]:
    """Return the events up to an instant of the loop, or to the first that is no served request.

    They are looked at now and then: to wake for each would cost more than all the rest.
    """
    loop = asyncio.get_running_loop()
    found: list[Event] = []
    while loop.time() < until:
        await asyncio.sleep(APART_S)
        fresh = events.drained()
        found += fresh
        if fresh and not _are_figures(fresh):
            break
    return found


def _are_figures(heard: list[Event]) -> bool:
    return bool(heard) and all(isinstance(event, RequestDone) for event in heard)


def _happened(heard: list[Event], retold: Sentences) -> str:
    """Return the events as a list of JSON, requests but the latest ones left out."""
    requests = [each for each in heard if isinstance(each, RequestDone | RequestFallback)]
    kept = {id(each) for each in requests[-_TOLD:]}
    told = [
        to_json(_told(each, retold)).decode()
        for each in heard
        if id(each) in kept or not isinstance(each, RequestDone | RequestFallback)
    ]
    return f"[{','.join(told)}]"


def _told(event: Event, retold: Sentences) -> Event:
    """An event with its sentences in the reader's language."""
    if isinstance(event, Notice):
        return replace(event, text=retold(event.text))
    if isinstance(event, ConfigRejected):
        return replace(event, problems=tuple(map(retold, event.problems)))
    return event

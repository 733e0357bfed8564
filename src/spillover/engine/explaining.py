"""Say what would serve a request now, and why each of the others would not.

The ladder and the ledger's own rule answer; nothing is reserved and nothing is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from spillover.core.health import standing
from spillover.core.ladder import Ask, embedding_space
from spillover.core.refusals import refusal
from spillover.core.remedies import plight
from spillover.core.tokens import estimate
from spillover.core.truncation import shortening
from spillover.core.values import NANOUSD_PER_USD, Operation
from spillover.core.waits import bounds_of, worth_waiting
from spillover.engine.line import NOBODY
from spillover.engine.prospects import prospect, skipped_document
from spillover.events.kinds import iso
from spillover.protocols.shortening import shorten

if TYPE_CHECKING:
    from spillover.core.actions import Shorten
    from spillover.core.chains import Chain
    from spillover.core.ladder import Ladder
    from spillover.core.limits import Candidate
    from spillover.core.values import Profile
    from spillover.engine.call import Call
    from spillover.engine.world import World
    from spillover.ledger.book import Book
    from spillover.protocols.openai_chat import Asked
    from spillover.protocols.shortening import Shortened
    from spillover.protocols.spoken import Spoken


def explain(world: World, call: Call, chain: Chain) -> dict[str, Any]:
    """Return the document of `/api/explain`."""
    now = world.clock.now()
    demand = call.demand()
    profiles, book = world.routing.profiles, world.ledger.book
    space = embedding_space(chain, profiles) if demand.operation is Operation.EMBEDDINGS else None
    ask = Ask(
        chain=chain,
        demand=demand,
        draw=world.draw(),
        turn=world.peek_turn(chain.name),
        affinity=None if call.session is None else world.sessions.get((chain.name, call.session)),
        awaited=world.line.before(None) if chain.wait_s else NOBODY,
        space=space,
    )
    ladder, ask = _able(world, call, ask, now)
    removed = 0
    if chain.truncate and not ladder.candidates:
        wanted = shortening(demand, ladder.skipped, profiles, book, refused=False)
        found = None if wanted is None else shortened(call.asked, wanted)
        if found is not None:
            removed = found.removed
            call = replace(call, asked=found.asked)
            ladder, ask = _able(world, call, replace(ask, demand=call.demand()), now)
    first = ladder.candidates[0] if ladder.candidates else None
    times = [s.available_at for s in ladder.skipped if s.available_at is not None]
    wait = worth_waiting(bounds_of(chain, now), ladder, now)
    return {
        "chain": chain.name,
        "estimate": _estimate(first),
        "candidates": [
            {
                "profile": c.profile.name,
                "model": c.profile.model,
                "estimate": _estimate(c),
                "probe": c.probe is not None,
            }
            for c in ladder.candidates
        ],
        "skipped": [
            skipped_document(each) | {"evidence": _evidence(profiles[each.profile], book, now)}
            for each in ladder.skipped
        ],
        "truncated": removed,
        "serves": None if first is None else first.profile.name,
        "available_at": iso(now) if first is not None else (iso(min(times)) if times else None),
        "waits_until": None if wait is None else iso(wait.until),
        "refusal": None
        if first is not None or wait is not None
        else _refusal(ask, ladder, world, now),
    }


def weigh(world: World, call: Call, chain: Chain) -> int:
    """Return a request's input tokens as they are reserved where it would go now, or could at all."""
    demand, book, profiles = call.demand(), world.ledger.book, world.routing.profiles
    ladder = prospect(Ask(chain=chain, demand=demand), profiles, book, world.clock.now())
    names = [c.profile.name for c in ladder.candidates] or [m.profile for m in chain.members]
    return estimate(demand, profiles[names[0]], book.calibration(names[0])).input_tokens


def _refusal(ask: Ask, ladder: Ladder, world: World, now: float) -> dict[str, Any]:
    """Return what such a request would be answered now."""
    book, profiles = world.ledger.book, world.routing.profiles
    found = refusal(plight(ask, ladder.skipped, profiles, book, now), now)
    return {
        "status": found.status,
        "code": found.code.value,
        "message": found.message,
        "remedies": list(found.remedies),
        "retry_after": found.retry_after_s(now),
    }


def _able(world: World, call: Call, ask: Ask, now: float) -> tuple[Ladder, Ask]:
    """Return the ladder of those whose protocol has words for all that is asked, and its question."""
    profiles, book = world.routing.profiles, world.ledger.book
    while True:
        ladder = prospect(ask, profiles, book, now)
        unable = {
            c.profile.name: ", ".join(lacks)
            for c in ladder.candidates
            if (lacks := world.setup.lacks(call, c.profile))
        }
        if not unable:
            return ladder, ask
        ask = replace(ask, unable={**ask.unable, **unable})


def shortened(asked: Asked | Spoken, wanted: Shorten) -> Shortened | None:
    """Return the request without the middle turns that make it too long; None: they are not it."""

    def fits(shorter: Asked | Spoken) -> bool:
        need = estimate(shorter.demand(), wanted.profile, wanted.calibration)
        return need.input_tokens <= wanted.most_tokens

    return shorten(asked, fits)


def _estimate(candidate: Candidate | None) -> dict[str, Any] | None:
    if candidate is None:
        return None
    need = candidate.need
    return {
        "input_tokens": need.input_tokens,
        "output_tokens": need.output_tokens,
        "tokens": need.input_tokens + need.output_tokens,
        "cost_usd": need.cost_nanousd / NANOUSD_PER_USD,
    }


def _evidence(profile: Profile, book: Book, now: float) -> dict[str, Any] | None:
    """Return what stands against a profile, whatever it was skipped for; None: nothing."""
    found = standing(profile, book.health, now).evidence
    if found is None:
        return None
    return {
        "reason": found.reason,
        "until": None if found.until is None else iso(found.until),
        "probe_at": None if found.probe_at is None else iso(found.probe_at),
        "source": found.source.value,
        "confidence": found.confidence.value,
    }

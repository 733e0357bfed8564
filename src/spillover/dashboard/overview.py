"""Turn the status document into what the overview shows: ladders of cards, and the day's sums.

Pure: plain data in, plain data out. Decides nothing that the engine did not say.
Refuses to know languages, markup and the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Status: TypeAlias = dict[str, Any]
"""The document of `/api/status`."""

NOTHING: Final[Mapping[str, Any]] = {}
_LEAST_POINTS: Final = 2
_FILLING: Final = 0.8
_RESTING: Final = frozenset({"cooldown", "exhausted", "failed"})


def ladder(
    status: Status,
    chain: str,
    pace: Mapping[str, Any] = NOTHING,
    revisions: Mapping[str, str] = NOTHING,
) -> dict[str, Any]:
    """Return what one chain shows: its heading, and its cards in order.

    `pace` holds the latest answers of each profile, as `/api/pace` does; `revisions` names what the
    file says of each chain.
    """
    document = status["chains"][chain]
    cards = [card(status, chain, place, pace) for place in range(len(document["profiles"]))]
    return {
        "name": chain,
        **document,
        "cards": cards,
        "revision": revisions.get(chain, ""),
        "ready": sum(each["status"] == "active" for each in cards),
        "back_at": _soonest(document["skipped"]) if document["serving"] is None else None,
    }


def card(status: Status, chain: str, place: int, pace: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a profile shows at one place of a chain."""
    document = status["chains"][chain]
    name = document["profiles"][place]
    profile = status["profiles"][name]
    skipped = next((each for each in document["skipped"] if each["profile"] == name), None)
    serving = document["serving"]
    return {
        "name": name,
        "id": f"card-{chain}-{name}",
        "chain": chain,
        "place": place,
        "last": place == len(document["profiles"]) - 1,
        "serves": name == serving,
        "passed": _is_passed(document["profiles"], place, serving),
        "pinned": name == document["pinned"],
        "skipped": skipped,
        "rests": profile["status"] in _RESTING,
        **profile,
        "bars": [bar(limit) for limit in profile["limits"]],
        "lines": lines(profile, pace.get(name)),
    }


def _is_passed(profiles: list[str], place: int, serving: str | None) -> bool:
    """Whether the next request runs by this place on its way down."""
    return serving is None or place < profiles.index(serving)


def bar(limit: dict[str, Any]) -> dict[str, Any]:
    """Return how a limit is drawn: shares in percent, and how tight it is."""
    used, reserved = limit["used"], limit["reserved"]
    capacity = max(limit["amount"], used + reserved)
    taken = (used + reserved) / capacity if capacity else 1.0
    theirs, ours = limit["provider_remaining"], limit["remaining"]
    return {
        **limit,
        "used_share": _percent(used, capacity),
        "reserved_share": _percent(reserved, capacity),
        "tone": "full" if taken >= 1 else "filling" if taken >= _FILLING else "calm",
        "drift": None if theirs is None or theirs == ours else theirs - ours,
    }


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2) if whole else 100.0


def lines(profile: dict[str, Any], pace: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return how fast a profile answered lately: the figure that counts, and a line of the latest."""
    latest = profile["pace"]
    return [
        {
            "label": label,
            "value": latest[field],
            "points": spark([] if pace is None else pace[field]),
        }
        for label, field in (("ttft", "ttft_ms"), ("rate", "tokens_per_s"))
    ]


def spark(values: Sequence[float | None]) -> str:
    """Return the points of a line in a box of 100 by 20, the latest at its right edge."""
    known = [value for value in values if value is not None]
    if len(known) < _LEAST_POINTS:
        return ""
    top = max(known) or 1.0
    step = 100 / (len(known) - 1)
    return " ".join(
        f"{place * step:.4g},{19 - 18 * value / top:.3g}" for place, value in enumerate(known)
    )


def sums(status: Status, savings: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """Return the day's sums over every profile; `savings` are those of `/api/history/savings`."""
    profiles = status["profiles"].values()
    today = [each["usage"]["day"] for each in profiles]
    return {
        "requests": sum(each["requests"] for each in today),
        "tokens": sum(each["tokens"] for each in today),
        "saved_usd": savings.get("saved_usd", 0.0),
        "spent_usd": savings.get("spent_usd", 0.0),
        "minute": sum(each["usage"]["minute"]["requests"] for each in profiles),
        "active": sum(each["status"] == "active" for each in profiles),
        "profiles": len(profiles),
        "degraded": status["ledger"]["degraded"],
    }


def moves(profile: dict[str, Any]) -> bool:
    """Whether what a profile shows changes by itself as time goes by."""
    return profile["status"] in _RESTING or any(
        each["requests"] or each["tokens"] for each in profile["usage"].values()
    )


def _soonest(skipped: list[dict[str, Any]]) -> str | None:
    times = [each["available_at"] for each in skipped if each["available_at"] and not each["never"]]
    return min(times, default=None)

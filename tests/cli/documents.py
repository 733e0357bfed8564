"""Status documents to draw, as the engine makes them."""

from __future__ import annotations

from typing import Any

from spillover.events.kinds import iso

NOW = 1_800_000_000.0
NOTHING = {"requests": 0, "tokens": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


def at(seconds: float) -> str:
    """Return the instant so many seconds from `NOW`."""
    return iso(NOW + seconds)


def limit(metric: str, per: str | None, *, used: float, of: float, **fields: Any) -> dict[str, Any]:
    """Return a limit's part of the document."""
    reserved = fields.get("reserved", 0)
    return {
        "metric": metric,
        "amount": of,
        "per": per,
        "window": None if per is None else "rolling",
        "scope": "profile",
        "used": used,
        "reserved": 0,
        "remaining": max(0, of - used - reserved),
        "resets_at": None,
        "provider_remaining": None,
        "provider_resets_at": None,
        "provider_limit": None,
        "source": "config",
        **fields,
    }


def profile(status: str = "active", **fields: Any) -> dict[str, Any]:
    """Return a profile's part of the document."""
    return {
        "provider": "groq",
        "tier": "free",
        "status": status,
        "reason": None,
        "until": None,
        "probe_at": None,
        "source": None,
        "confidence": None,
        "usage": {"minute": NOTHING, "hour": NOTHING, "day": NOTHING},
        "limits": [],
        "provider_limits": [],
        "health": {"condition": "healthy", "reliability": None, "outcomes": 0},
        "last_error": None,
        **fields,
    }


def chain(*profiles: str, serving: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a chain's part of the document."""
    return {
        "strategy": "priority",
        "routing_policy": "any",
        "serving": serving,
        "last_served": None,
        "pinned": None,
        "pinned_strictly": False,
        "profiles": list(profiles),
        **fields,
    }


def document(chains: dict[str, Any], profiles: dict[str, Any]) -> dict[str, Any]:
    """Return a status document; a chain leaves out by itself whoever is not active."""
    filled = {}
    for name, each in chains.items():
        members = {member: profiles[member] for member in each["profiles"]}
        skipped = [
            left_out(member, entry["status"], entry["reason"], entry["until"])
            for member, entry in members.items()
            if entry["status"] != "active"
        ]
        filled[name] = {"skipped": skipped, **each}
    return {"version": "0", "ledger": {"degraded": None}, "chains": filled, "profiles": profiles}


def left_out(
    name: str, reason: str, detail: str, available_at: str | None = None
) -> dict[str, Any]:
    """Return why a chain can't take a profile now."""
    return {
        "profile": name,
        "reason": reason,
        "detail": detail,
        "available_at": available_at,
        "never": False,
    }


GROQ = profile(
    usage={
        "minute": {**NOTHING, "requests": 3, "tokens": 812},
        "hour": {**NOTHING, "requests": 12, "tokens": 4_096},
        "day": {**NOTHING, "requests": 12, "tokens": 20_148},
    },
    limits=[
        limit("requests", "day", used=12, of=1_000, resets_at=at(3_600)),
        limit("tokens", "minute", used=4_800, of=8_000, reserved=1_200, resets_at=at(42)),
        limit("concurrency", None, used=0, of=4, reserved=1),
    ],
)
SPENT = profile(
    "exhausted",
    reason="limit",
    until=at(750),
    source="ledger",
    confidence="known",
    limits=[limit("tokens", "hour", used=5_000, of=5_000, resets_at=at(750))],
)
DOWN = profile(
    "cooldown",
    reason="overloaded",
    until=at(29.5),
    confidence="guessed",
    last_error={"class": "overloaded", "status": 503, "message": "we are\nbusy", "at": at(-1)},
)
LADDER = document(
    {"default": chain("chutes", "groq", "glm", "paid", serving="groq")},
    {"chutes": SPENT, "groq": GROQ, "glm": DOWN, "paid": profile(tier="paid")},
)

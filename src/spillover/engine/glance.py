"""Say in a few short fields who serves, how far its fullest limit is used, and who is next.

Pure: the status document in, text by name out; whoever shows it puts the fields into a line.
Refuses to know files and terminals.
"""

from __future__ import annotations

from typing import Any, Final

from spillover.events.kinds import instant

DEFAULT: Final = "default"

_INITIALS: Final = {
    "requests": "R",
    "tokens": "T",
    "input_tokens": "IT",
    "output_tokens": "OT",
    "neurons": "N",
}
_PER_INITIALS: Final = {"minute": "PM", "hour": "PH", "day": "PD", "week": "PW"}


def limit_name(limit: dict[str, Any]) -> str:
    """Return a limit of the status document as words: `tokens/hour`, `at once`."""
    if limit["per"] is None:
        return "at once"
    return f"{limit['metric'].replace('_', ' ')}/{limit['per']}"


def limit_initials(limit: dict[str, Any]) -> str:
    """Return a limit as its users abbreviate it: `RPM`, `TPD`, `ITPM`; else as words."""
    metric = _INITIALS.get(limit["metric"])
    per = _PER_INITIALS.get(limit["per"] or "")
    return metric + per if metric and per else limit_name(limit)


def glance(document: dict[str, Any]) -> dict[str, str]:
    """Return what there is to say of the chain `default`, else the first; empty without a chain.

    `chain`, `serving` (empty: nobody), `used`, `amount`, `limit`, `next`; `waited` with `back_at`
    (epoch seconds): the profile that is back first of those that the chain prefers.
    """
    chains, profiles = document["chains"], document["profiles"]
    if not chains:
        return {}
    name = DEFAULT if DEFAULT in chains else next(iter(chains))
    chain = chains[name]
    serving = chain["serving"]
    if serving is None:
        return {"chain": name, **_soonest(chain, chain["profiles"])}
    place = chain["profiles"].index(serving)
    ahead, behind = chain["profiles"][:place], chain["profiles"][place + 1 :]
    skipped = {each["profile"] for each in chain["skipped"]}
    following = next((each for each in behind if each not in skipped), None)
    found = {"chain": name, "serving": serving, **_fullest(profiles[serving])}
    if following is not None:
        found["next"] = following
    return found | _soonest(chain, ahead)


def _fullest(profile: dict[str, Any]) -> dict[str, str]:
    """Return the figures of the limit that is used most."""
    limits = [limit for limit in profile["limits"] if limit["per"] is not None and limit["amount"]]
    if not limits:
        return {}
    limit = max(limits, key=lambda each: (each["used"] + each["reserved"]) / each["amount"])
    taken = round(limit["used"] + limit["reserved"], 2)
    return {
        "used": f"{taken:g}",
        "amount": f"{limit['amount']:g}",
        "limit": limit_initials(limit),
    }


def _soonest(chain: dict[str, Any], names: list[str]) -> dict[str, str]:
    """Return which of the names is back in a chain first, and when."""
    waits = [
        (instant(each["available_at"]), each["profile"])
        for each in chain["skipped"]
        if each["available_at"] and each["profile"] in names
    ]
    if not waits:
        return {}
    at, name = min(waits)
    return {"waited": name, "back_at": repr(at)}

"""`spillover status --line`: who serves, how far its tightest limit is used, and who is next.

A shell asks for it at every prompt: it loads nothing that draws, says nothing when there is nothing
to say, and never fails aloud. Refuses to explain: `spillover status` does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

from spillover.cli import DEBUG_VARIABLE, DONE, NO, WRONG_USE
from spillover.cli.wording import back_in, limit_initials

DEFAULT: Final = "default"


def run_line(arguments: list[str]) -> int:
    """Print the line; return 0, 1 when the configuration can't be used, 2 for wrong use."""
    config, wrong = _config(arguments)
    if wrong:
        sys.stderr.write(f"spillover: status --line takes --config FILE, not {wrong}\n")
        return WRONG_USE
    try:
        line = asyncio.run(_line(config))
    except Exception:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return NO
    if line:
        sys.stdout.write(line + "\n")
    return DONE


def _config(arguments: list[str]) -> tuple[Path | None, str]:
    """Return the file that is named, and the argument that is not understood."""
    rest = [word for word in arguments if word != "--line"]
    config = None
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.partition("=")
        if name not in {"--config", "-c"} or not (has_value or rest):
            return None, word
        config = Path(value if has_value else rest.pop(0))
    return config, ""


async def _line(config: Path | None) -> str:
    from spillover.cli.opened import opened  # noqa: PLC0415 - wrong use needs none of it
    from spillover.library.finding import find_config  # noqa: PLC0415 - the same

    if config is None and await find_config(config, os.environ) is None:
        return ""
    async with opened(config) as engine:
        return line_of(engine.status(), engine.clock.now())


def line_of(document: dict[str, Any], now: float) -> str:
    """Return the line of a status document; "" where there is no chain."""
    chains, profiles = document["chains"], document["profiles"]
    if not chains:
        return ""
    chain = chains.get(DEFAULT) or next(iter(chains.values()))
    serving = chain["serving"]
    if serving is None:
        soonest = _soonest(chain, chain["profiles"], now)
        return f"nobody can serve ▸ {soonest}" if soonest else "nobody can serve"
    place = chain["profiles"].index(serving)
    ahead, behind = chain["profiles"][:place], chain["profiles"][place + 1 :]
    skipped = {each["profile"] for each in chain["skipped"]}
    following = next((name for name in behind if name not in skipped), None)
    parts = [serving, *_tightest(profiles[serving])]
    if following is not None:
        parts.append(f"▸ next {following}")
    elif (soonest := _soonest(chain, ahead, now)) is not None:
        parts.append(f"▸ {soonest}")
    return " ".join(parts)


def _tightest(profile: dict[str, Any]) -> list[str]:
    """Return the figures of the limit that is used most."""
    limits = [limit for limit in profile["limits"] if limit["per"] is not None and limit["amount"]]
    if not limits:
        return []
    limit = max(limits, key=lambda each: (each["used"] + each["reserved"]) / each["amount"])
    taken = limit["used"] + limit["reserved"]
    return [f"{round(taken, 2):g}/{limit['amount']:g}", limit_initials(limit)]


def _soonest(chain: dict[str, Any], names: list[str], now: float) -> str | None:
    """Return which of the names is back in a chain first, and when."""
    waits = [
        (each["available_at"], each["profile"])
        for each in chain["skipped"]
        if each["available_at"] and each["profile"] in names
    ]
    if not waits:
        return None
    until, name = min(waits)
    return f"{name} {back_in(until, now)}"

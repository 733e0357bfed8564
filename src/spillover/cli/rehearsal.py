"""`spillover doctor --offline`: the user's own chain through outages that are played to it.

Refuses to know the acts.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Final

from rich.text import Text

from spillover.cli import NO, screen
from spillover.config.assemble import assemble
from spillover.engine.engine import unknown
from spillover.library.finding import found_config
from spillover.library.rehearsal.acts import Kept
from spillover.library.rehearsal.acts import rehearse as acts

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S: Final = 55.0
_SIGNS: Final = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "cyan")}
_WORDS: Final = {True: "held", False: "broken", None: "no occasion"}


def rehearse(config: Path | None, chain: str | None, *, as_json: bool) -> int:
    """Play the acts to a chain, the default one if none is named; return the exit code."""
    began_s = time.monotonic()
    kept = asyncio.run(_played(config, chain, quiet=as_json))
    broken = sum(each.held is False for each in kept)
    if as_json:
        screen.show_json(
            [
                {
                    "act": each.act,
                    "promise": each.promise,
                    "outcome": _WORDS[each.held],
                    "figures": each.figures,
                }
                for each in kept
            ]
        )
        return NO if broken else 0
    held = sum(each.held is True for each in kept)
    end = Text(f"{held} promises held", "green")
    if broken:
        end = Text(f"{broken} of {held + broken} promises broken", "red")
    screen.show(["", end.append(f"  in {time.monotonic() - began_s:.1f} s", "dim")])
    return NO if broken else 0


async def _played(config: Path | None, chain: str | None, *, quiet: bool) -> list[Kept]:
    loaded = await found_config(config, os.environ)
    routing = assemble(loaded, loaded.catalogue)
    name = chain or routing.default
    if name not in routing.chains:
        raise unknown("chain", name, routing.chains)
    if not quiet:
        members = ", ".join(member.profile for member in routing.chains[name].members)
        screen.show(
            [
                Text(name, "bold").append(f"  {members}", "not bold"),
                Text("over simulated providers: nothing leaves this machine, time limits are short,"
                     " time is let pass", "dim"),
                "",
            ]
        )  # fmt: skip
    kept = []

    def take(each: Kept) -> None:
        kept.append(each)
        if not quiet:
            screen.show([_line(each)])

    try:
        async with asyncio.timeout(WITHIN_S):
            async for each in acts(loaded, routing, name):
                take(each)
    except TimeoutError:
        figures = f"not done in {WITHIN_S:g} s"
        take(Kept(act="all", promise="it ends within a minute", held=False, figures=figures))
    return kept


def _line(kept: Kept) -> Text:
    sign, colour = _SIGNS[kept.held]
    line = Text(f"{sign} ", colour).append(f"{kept.act:<12}", "dim").append(kept.promise)
    return line.append(f"\n              {kept.figures}", "dim")

"""`spillover use CHAIN PROFILE|auto`: put a profile first in a chain by hand, or let it choose again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from spillover.cli import screen
from spillover.cli.opened import changing
from spillover.cli.options import ConfigOption

app = typer.Typer()

AUTO = "auto"


@app.command()
def use(
    chain: Annotated[str, typer.Argument(metavar="CHAIN", show_default=False)],
    profile: Annotated[
        str, typer.Argument(metavar="PROFILE|auto", help="auto: the chain's own order again.")
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="That profile alone: no fallback to the others.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Put a profile first in a chain, until you say auto."""
    asyncio.run(_use(chain, profile, strict=strict, config=config))


async def _use(chain: str, profile: str, *, strict: bool, config: Path | None) -> None:
    async with changing(config) as engine:
        await engine.pin(chain, None if profile == AUTO else profile, strict=strict)
    if profile == AUTO:
        screen.show([f"{chain} follows its own order again"])
    else:
        rest = "alone" if strict else "first, the others behind it"
        screen.show([f"{chain} uses {profile} {rest}"])

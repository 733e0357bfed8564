"""`spillover enable` and `disable`: take a profile out of every ladder by hand, and put it back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from spillover.cli import screen
from spillover.cli.opened import changing
from spillover.cli.options import ConfigOption

app = typer.Typer()

ProfileArgument: TypeAlias = Annotated[str, typer.Argument(metavar="PROFILE", show_default=False)]


@app.command()
def enable(profile: ProfileArgument, config: ConfigOption = None) -> None:
    """Let a profile serve again, and forget why it did not."""
    asyncio.run(_switch(profile, config, disabled=False))


@app.command()
def disable(profile: ProfileArgument, config: ConfigOption = None) -> None:
    """Keep a profile from serving, until you enable it."""
    asyncio.run(_switch(profile, config, disabled=True))


async def _switch(profile: str, config: Path | None, *, disabled: bool) -> None:
    async with changing(config) as engine:
        await engine.set_disabled(profile, disabled=disabled)
    screen.show([f"{profile} is {'disabled' if disabled else 'enabled'}"])

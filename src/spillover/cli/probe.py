"""`spillover probe`: send a profile one real completion of one token, and say what came of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spillover.cli import screen
from spillover.cli.opened import DEMO
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.wording import words
from spillover.engine import open_engine
from spillover.library.finding import found_config

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer()


@app.command()
def probe(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", show_default=False)],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Ask a profile for one token, whatever is held against it.

    It counts like any request; an answer ends cooldown, spent quota and failure. Exits with 1 when
    the profile did not answer.
    """
    found = asyncio.run(_probed(profile, config))
    if json:
        screen.show_json(found)
    else:
        screen.show([line_of(found)])
    raise typer.Exit(0 if found["answered"] else 1)


async def _probed(profile: str, config: Path | None) -> dict[str, Any]:
    engine = await open_engine(await found_config(config, os.environ, also=DEMO))
    try:
        await engine.ledger.record()  # other processes' latest changes
        return await engine.probe(profile)
    finally:
        await engine.close(grace_s=0.0)


def line_of(found: Mapping[str, Any]) -> str:
    """Return what came of a probe in a line."""
    if found["answered"]:
        return f"{found['profile']} answered in {found['took_ms']:.0f} ms"
    did = "did not answer" if found["sent"] else "was not asked"
    words_of_it = f": {found['message']}" if found["message"] else ""
    return f"{found['profile']} {did}, {words(found['outcome'])}{words_of_it}"

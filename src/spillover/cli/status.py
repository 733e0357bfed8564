"""`spillover status`: every chain as a ladder, every profile with what its limits have left."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from spillover.cli import screen
from spillover.cli.ladders import ladders
from spillover.cli.line import run_line
from spillover.cli.opened import opened
from spillover.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from spillover.engine import Engine

app = typer.Typer()

REDRAWN_EVERY_S = 0.25


@app.command()
def status(
    json: JsonOption = False,
    line: Annotated[
        bool, typer.Option("--line", help="Print one line, for a shell's prompt or a status bar.")
    ] = False,
    template: Annotated[
        str | None, typer.Option("--template", "-t", metavar="TEXT", help="What the line holds.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and show changes live.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show each chain as a ladder: who is next, and what is left."""
    if line:
        given = [f"--config={config}"] if config else []
        raise typer.Exit(run_line([*given, *([f"--template={template}"] if template else [])]))
    if watch and not sys.stdout.isatty():
        raise typer.BadParameter(
            "--watch needs a terminal; without one, ask again when you need to"
        )
    with contextlib.suppress(KeyboardInterrupt) if watch else contextlib.nullcontext():
        asyncio.run(_status(config, as_json=json, watch=watch))


async def _status(config: Path | None, *, as_json: bool, watch: bool) -> None:
    async with opened(config) as engine:
        if as_json:
            screen.show_json(engine.status())
        elif watch:
            await _watch(engine)
        else:
            screen.show(_lines(engine.status(), engine.clock.now()))


def _lines(document: dict[str, Any], now: float) -> list[Text | str]:
    degraded = document["ledger"]["degraded"]
    warning = [Text(f"the ledger is kept in memory alone: {degraded}", "red"), Text()]
    return [*(warning if degraded else []), *ladders(document, now=now, width=screen.width())]


async def _watch(engine: Engine) -> None:
    """Draw the status anew until the person leaves."""

    def drawing() -> Group:
        lines = _lines(engine.status(), engine.clock.now())
        return Group(*(screen.drawn(line) for line in lines))

    with Live(
        drawing(),
        console=screen.console(),
        screen=True,
        auto_refresh=False,
        redirect_stdout=False,  # its stand-in hides what the terminal can show
        redirect_stderr=False,
    ) as live:
        while True:
            await asyncio.sleep(REDRAWN_EVERY_S)
            live.update(drawing(), refresh=True)

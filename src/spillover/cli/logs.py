"""`spillover logs`: what gateways logged, and what they log now."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from spillover.cli.options import JsonOption
from spillover.core.levels import LogLevel

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.cli.logged import Choice

app = typer.Typer()

POLL_S = 0.25
USUAL_LINES = 200


@app.command()
def logs(
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay, and show what is logged from now on.")
    ] = False,
    request: Annotated[
        str, typer.Option("--request", metavar="ID", help="Of one request; its id's start will do.")
    ] = "",
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="What one profile had to do with.")
    ] = "",
    level: Annotated[
        LogLevel, typer.Option("--level", help="What matters so much, and what matters more.")
    ] = LogLevel.DEBUG,
    since: Annotated[
        str, typer.Option("--since", metavar="SPAN", help="Not older than 30m, 1h, 2d …")
    ] = "",
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            min=0,
            help="The last so many of all lines are looked at; 0: all. "
            f"{USUAL_LINES} where nothing else is said of them.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what gateways logged, the oldest first, over all files that are kept.

    Secrets, prompts and answers are in no line.
    """
    from spillover.cli.logged import Choice  # noqa: PLC0415 - loaded when it is asked for
    from spillover.clock import SystemClock  # noqa: PLC0415 - the same
    from spillover.config.locate import log_folder  # noqa: PLC0415 - the same
    from spillover.config.units import seconds  # noqa: PLC0415 - the same

    try:
        after = SystemClock().now() - seconds(since) if since else 0.0
    except ValueError as error:
        raise typer.BadParameter(f"--since wants {error}, not {since!r}") from None
    choice = Choice(request=request, profile=profile, level=level, since=after)
    if lines is None:
        lines = USUAL_LINES if choice.is_all else 0
    _show(log_folder(os.environ), choice, lines, follow=follow, as_json=json)


def _show(folder: Path, choice: Choice, last: int, *, follow: bool, as_json: bool) -> None:
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for
    from spillover.cli.logged import drawn, read  # noqa: PLC0415 - the same
    from spillover.events.log import FILE_NAME  # noqa: PLC0415 - the same
    from spillover.events.logfile import LogFile, LogReader  # noqa: PLC0415 - the same

    file = LogFile(folder / FILE_NAME)
    if not follow and not file.path.exists():
        screen.complain(f"nothing was logged yet: there is no {file.path}")
        return
    reader = LogReader(file)
    if last:
        reader.begin_at_last(last)
    out = screen.console()
    fits = False
    while True:
        for line in reader.lines(choice.holding):
            fields = read(line)
            if fields is None or not choice.takes(fields):
                continue
            fits = True
            if as_json:
                sys.stdout.write(screen.escaped(line.decode("utf-8", "replace")) + "\n")
            else:
                out.print(screen.drawn(drawn(fields)), soft_wrap=True)
        if not follow and not fits:
            screen.complain(f"nothing that fits was logged in {file.path}")
        if not follow:
            return
        sys.stdout.flush()
        time.sleep(POLL_S)

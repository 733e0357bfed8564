"""`spillover backup` and `restore`: the set-up in one file, without its secrets, and back."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spillover.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.recovery.backup import BackedUp
    from spillover.recovery.consent import Demands
    from spillover.recovery.restore import Restored

app = typer.Typer()


@app.command()
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Else a new one in the state folder."),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put configuration and record of usage into one file.

    Secrets are left out: keys in the configuration become ${VARIABLES}, of the .env the names alone
    are kept. A gateway that runs goes on.
    """
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for
    from spillover.clock import SystemClock  # noqa: PLC0415 - the same
    from spillover.config.locate import config_path  # noqa: PLC0415 - the same
    from spillover.recovery.backup import back_up, usual_file  # noqa: PLC0415 - the same

    now = SystemClock().now()
    target = file or usual_file(os.environ, now)
    done = back_up(config_path(config, os.environ), target, environ=os.environ, now=now)
    if json:
        manifest = done.manifest
        screen.show_json(
            {
                "file": str(done.path),
                "entries": list(done.entries),
                "env": list(manifest.env),
                "withheld": [{"name": each.name, "key": each.key} for each in manifest.withheld],
                "notes": list(manifest.notes),
            }
        )
    else:
        screen.show(backed_up(done))


def backed_up(done: BackedUp) -> Iterator[str]:
    """Yield what there is to say of a backup."""
    yield f"wrote {done.path}: {', '.join(done.entries) or 'nothing'}"
    for each in done.manifest.withheld:
        yield f"left out {each.key}: it reads ${{{each.name}}} there"
    if done.manifest.env:
        yield f"left out the values of {', '.join(done.manifest.env)} in the .env"
    yield from done.manifest.notes


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Let it run new programs and send keys to new addresses."),
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup in the place of what is there.

    All of it is checked first, and what is there is kept beside it. Programs that it would run and
    the configuration there does not, and keys that it would send elsewhere, are shown and asked for.
    A gateway that runs takes it over.
    """
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for
    from spillover.clock import SystemClock  # noqa: PLC0415 - the same
    from spillover.config.locate import config_path  # noqa: PLC0415 - the same
    from spillover.recovery.backup import stamp_of  # noqa: PLC0415 - the same
    from spillover.recovery.restore import restore as put_back  # noqa: PLC0415 - the same

    path = config_path(config, os.environ)
    done = put_back(
        file,
        path,
        environ=os.environ,
        stamp=stamp_of(SystemClock().now()),
        agrees=lambda asked: yes or _agrees(asked),
    )
    if json:
        screen.show_json(
            {
                "made_at": done.manifest.made_at,
                "written": [str(each) for each in done.written],
                "kept": [str(each) for each in done.kept],
                "unset": list(done.unset),
                "commands": [list(each) for each in done.commands],
            }
        )
    else:
        screen.show(_restored(done))


def _agrees(asked: Demands) -> bool:
    """Ask whoever sits at the terminal; where nobody does, the answer is no."""
    from spillover.cli import screen  # noqa: PLC0415 - loaded when it is asked for

    for command in asked.commands:
        screen.complain(f"a gateway would run: {command}")
    for key in asked.keys:
        screen.complain(f"a key would be sent: {key}")
    if not sys.stdin.isatty():
        screen.complain("say --yes to that")
        return False
    return typer.confirm("Is that what you want?", err=True)


def _restored(done: Restored) -> Iterator[str]:
    made = f"by Spillover {done.manifest.version} at {done.manifest.made_at}"
    yield f"restored what was backed up {made}"
    for each in done.written:
        yield f"wrote {each}"
    for each in done.kept:
        yield f"kept what was there: {each}"
    for command in done.commands:
        yield f"a gateway runs: {' '.join(command)}"
    if done.unset:
        yield f"set {', '.join(done.unset)}: secrets are in no backup"
    yield "next: spillover check"

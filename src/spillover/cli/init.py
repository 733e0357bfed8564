"""`spillover init`: write a commented configuration over the keys and servers that are there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from spillover.cli import screen
from spillover.cli.catalogue import in_force
from spillover.cli.options import ConfigOption
from spillover.config.discovery import discovered, local_servers
from spillover.config.files import write_whole
from spillover.config.locate import config_path, env_path, read_env
from spillover.config.starter import minimal, starter, write_schema

app = typer.Typer()


@app.command()
def init(
    config: ConfigOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is there; it is kept as .bak.")
    ] = False,
    least: Annotated[
        bool,
        typer.Option(
            "--minimal",
            help="Begin anew with the least that serves, after a backup of what is there.",
        ),
    ] = False,
) -> None:
    """Write a commented configuration to start from.

    Every provider's key in the environment and every local server that answers becomes a profile.
    With --minimal the best of them alone does, and a file that is there is backed up and replaced.
    """
    path = config_path(config, os.environ)
    if least and path.exists():
        _back_up(path)
    elif path.exists() and not force:
        screen.complain(f"{path} is there already: edit it, or replace it with --force")
        raise typer.Exit(1)
    document = asyncio.run(_found(path))
    if path.exists():
        path.replace(path.with_name(f"{path.name}.bak"))
    write_schema(path)
    write_whole(path, (minimal if least else starter)(document).encode())
    screen.show(_told(path, document, least=least))


def _back_up(path: Path) -> None:
    from spillover.cli.backup import backed_up  # noqa: PLC0415 - loaded when it is asked for
    from spillover.clock import SystemClock  # noqa: PLC0415 - the same
    from spillover.recovery.backup import back_up, usual_file  # noqa: PLC0415 - the same

    now = SystemClock().now()
    done = back_up(path, usual_file(os.environ, now), environ=os.environ, now=now)
    screen.show([*backed_up(done), f"kept {path}.bak, with its secrets"])


async def _found(path: Path) -> dict[str, Any] | None:
    environ = {**read_env(env_path(path)), **os.environ}
    known = in_force(path)
    return discovered(environ, await local_servers(known, environ), known)


def _told(path: Path, document: dict[str, Any] | None, *, least: bool) -> list[str]:
    if document is None:
        return [
            f"wrote {path}",
            "No key and no local server was found: put your own in, then see spillover check.",
        ]
    names = document["chains"]["default"]["profiles"][: 1 if least else None]
    return [f"wrote {path}", f"found {', '.join(names)}", "next: spillover serve"]

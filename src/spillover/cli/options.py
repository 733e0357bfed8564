"""Name the options that several commands share, each once.

Refuses to know what commands do with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; without it $SPILLOVER_CONFIG, else the file in your config folder.",
    ),
]
HostOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--host", help="Address to listen on; others than this machine's own need client_keys."
    ),
]
PortOption: TypeAlias = Annotated[
    int | None, typer.Option("--port", "-p", min=0, max=65_535, help="0 takes any free one.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]

"""`spillover check`: everything that is wrong with a configuration, at once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from spillover.cli import screen
from spillover.cli.catalogue import this_day
from spillover.cli.options import ConfigOption, JsonOption
from spillover.config.checks import retiring, stale
from spillover.config.routing import DEFAULT
from spillover.config.schema import json_schema
from spillover.errors import ConfigError, Problem
from spillover.library.finding import found_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spillover.config.loader import LoadedConfig

app = typer.Typer()


@app.command()
def check(
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the file's JSON Schema, for editors.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say everything that is wrong with the configuration.

    A missing key is wrong too, though the other profiles would serve. Exits with 1 if anything is.
    Models that are retired, and free figures in use whose evidence is older than 90 days, are a warning.
    """
    if schema:
        screen.show_json(json_schema())
        return
    loaded, problems = _checked(config)
    missing = loaded.missing_keys if loaded is not None else ()
    warnings = (*loaded.warnings, *_of_today(loaded)) if loaded is not None else ()
    if json:
        screen.show_json(
            {
                "file": loaded.file if loaded is not None else None,
                "problems": [problem.fields() for problem in (*problems, *missing)],
                "warnings": [warning.fields() for warning in warnings],
            }
        )
    else:
        screen.show(_lines((*problems, *missing), "red"))
        screen.show(_lines(warnings, "yellow", "warning: "))
        if loaded is not None and not missing:
            screen.show([summary(loaded)])
    raise typer.Exit(1 if problems or missing else 0)


def _checked(config: Path | None) -> tuple[LoadedConfig | None, tuple[Problem, ...]]:
    try:
        return asyncio.run(found_config(config, os.environ)), ()
    except ConfigError as error:
        return None, error.problems


def _of_today(loaded: LoadedConfig) -> Iterator[Problem]:
    """Yield what the calendar has against it."""
    for looked_at in (retiring, stale):
        found = looked_at(loaded.config, loaded.catalogue, this_day())
        yield from loaded.places.from_findings(found)


def _lines(problems: Iterable[Problem], style: str, mark: str = "") -> list[Text]:
    lines = []
    for problem in problems:
        place, _, rest = str(problem).partition(": found ")
        lines.append(Text(mark, style).append(place, "bold").append(f": found {rest}"))
    return lines


def summary(loaded: LoadedConfig) -> str:
    """Return what a configuration holds, in a sentence."""
    profiles, chains = len(loaded.config.profiles), len(loaded.config.chains)
    held = (
        f"{chains} chain{'s' * (chains != 1)}"
        if chains
        else f"the chain {DEFAULT!r} of all of them"
    )
    return f"{loaded.file}: nothing wrong; {profiles} profile{'s' * (profiles != 1)} in {held}"

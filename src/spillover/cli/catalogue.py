"""`spillover catalogue`: the providers that are known, and what each gives away."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from spillover import catalogue as packaged
from spillover.catalogue import TierKind
from spillover.catalogue.ageing import STALE_AFTER_DAYS, is_stale, oldest
from spillover.catalogue.documents import document, whole
from spillover.cli import screen
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.portrait import GIVES, portrait
from spillover.cli.tables import table
from spillover.clock import SystemClock
from spillover.config.locate import config_path
from spillover.config.overrides import over
from spillover.errors import ConfigError, RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.catalogue import Catalogue, Provider

app = typer.Typer()

_SHADES: Final = {TierKind.RECURRING: "green", TierKind.LOCAL: "green", TierKind.RETIRED: "dim"}


@app.command()
def catalogue(
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="One of them, in full.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the providers that are known, and what each gives away.

    Your own catalogue.yaml or catalogue.json beside the configuration is laid over what is packaged.
    """
    known, today = in_force(config), this_day()
    if provider is None:
        entries = list(known.providers.values())
        if json:
            screen.show_json(whole(known, today))
        else:
            screen.show(
                [*overview(entries, today, width=screen.width()), "", _closing(known, today)]
            )
        return
    entry = known.provider(provider)
    if entry is None:
        near = known.nearest(provider)
        hint = f"; did you mean {near[0]!r}?" if near else " (spillover catalogue lists them)"
        raise RequestError(f"no provider is called {provider!r}{hint}")
    if json:
        screen.show_json(document(entry, known, today))
    else:
        facts = known.facts_of(entry.id)
        screen.show(portrait(entry, facts, today, by=known.own.get(entry.id)))


def in_force(config: Path | None) -> Catalogue:
    """Return the catalogue of a configuration; raises ConfigError for a user's part that is wrong."""
    own = over(packaged.load(), config_path(config, os.environ).parent)
    if own.problems:
        raise ConfigError(own.problems)
    return own.catalogue


def this_day() -> date:
    """Return the day that evidence is as old as."""
    return datetime.fromtimestamp(SystemClock().now(), UTC).date()


def overview(entries: list[Provider], today: date, *, width: int | None) -> list[Text]:
    """Return a table of providers."""
    rows: list[list[Text | str]] = [
        [
            Text(entry.id, "bold"),
            Text(GIVES[entry.tier_kind], _SHADES.get(entry.tier_kind, "")),
            entry.key_env[0] if entry.key_env else "-",
            _evidence(entry, today),
            entry.default_model.id or "none",
        ]
        for entry in entries
    ]
    heads = ("PROVIDER", "GIVES", "KEY", "AS OF", "DEFAULT MODEL")
    return table(heads, rows, align="<<<<<", width=width)


def _evidence(entry: Provider, today: date) -> Text:
    as_of = oldest(entry)
    return Text(f"{as_of} old", "yellow") if is_stale(as_of, today) else Text(as_of)


def _closing(known: Catalogue, today: date) -> str:
    old = sum(is_stale(oldest(each), today) for each in known.providers.values())
    return (
        f"collected {known.collected}; {old} of {len(known.providers)} rest on evidence "
        f"of more than {STALE_AFTER_DAYS} days (old): see the figures' own dates"
    )

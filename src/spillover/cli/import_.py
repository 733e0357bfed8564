"""`spillover import`: bring a set-up over from another tool, all of it that has a place here."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from spillover.cli import NO, screen
from spillover.cli.catalogue import in_force
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.tables import GAP, table
from spillover.clock import SystemClock
from spillover.config.importers import Tool, plan_of
from spillover.config.importers.reading import LARGEST_BYTES
from spillover.config.locate import config_path
from spillover.config.settling import Settled, Terms, settle
from spillover.errors import RequestError, SpilloverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spillover.config.importers import Plan

app = typer.Typer()

_MOST_SHOWN: Final = 12
"""Profiles of a chain."""
_NARROWEST: Final = 24
"""Columns for what is said, however narrow the terminal."""


@app.command("import")
def import_(
    tool: Annotated[Tool, typer.Argument(help="Whose file it is.")],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="What it exported; - is standard input.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace what has the same name, in place of another name."),
    ] = False,
    env: Annotated[
        bool,
        typer.Option("--env", help="Keep keys in the .env even where there is a key ring."),
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Bring a set-up over from another tool into the configuration.

    Says what was taken over, what was not and why. Keys go to the key ring or the .env beside the
    configuration, never into it. All of it is written, or nothing.
    """
    path = config_path(config, os.environ)
    try:
        plan = plan_of(tool, _source(file), in_force(path))
    except RequestError as error:
        called = "standard input" if file == "-" else file
        raise RequestError(f"{called}: {error}") from None
    terms = Terms(
        tool=tool.value,
        environ=os.environ,
        now=SystemClock().now,
        dry_run=dry_run,
        replace=replace,
        ring=not env,
    )
    settled = _settled(plan, path, terms) if plan.profiles else None
    told = document(plan, settled, path)
    if json:
        screen.show_json(told)
    else:
        screen.show(drawn(told, dry_run=dry_run, width=screen.width()))
    if settled is None:
        raise typer.Exit(NO)


def _source(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(LARGEST_BYTES + 1)
    with Path(file).expanduser().open("rb") as opened:
        return opened.read(LARGEST_BYTES + 1)


def _settled(plan: Plan, path: Path, terms: Terms) -> Settled:
    """Have a plan written; what refuses it repeats no secret."""
    try:
        return settle(plan, path, terms)
    except SpilloverError as error:
        raise RequestError(plan.conceal(f"nothing was imported: {error}")) from None


def document(plan: Plan, settled: Settled | None, path: Path) -> dict[str, Any]:
    """Return what became of a plan as plain values; no credential is in them."""
    names = settled.adopted.names if settled is not None else {}
    present = settled.adopted.present if settled is not None else frozenset()
    adopted = settled.adopted if settled is not None else None
    return {
        "config": str(path),
        "written": settled is not None and settled.written,
        "created": settled is not None and settled.created,
        "profiles": settled.profiles if settled is not None else {},
        "chains": adopted.chains if adopted is not None else {},
        "aliases": adopted.aliases if adopted is not None else {},
        "mapped": [
            {
                "kind": each.kind,
                "source": each.source,
                "name": names.get(each.name, each.name),
                "present": each.kind != "alias" and names.get(each.name) in present,
                "leads_to": [names.get(to, to) for to in each.leads_to],
                "told": each.told,
            }
            for each in plan.mapped
        ],
        "unmapped": [{"source": each.source, "why": each.why} for each in plan.unmapped],
        "notes": [*plan.notes, *(adopted.notes if adopted is not None else ())],
        "keys": list(settled.references) if settled is not None else [],
        "missing": list(settled.missing) if settled is not None else [],
    }


def drawn(told: dict[str, Any], *, dry_run: bool, width: int | None) -> list[Text]:
    """Return what became of a plan, for people."""
    lines: list[Text] = []
    if told["mapped"]:
        rows = [
            [
                each["kind"],
                Text(each["name"], "bold"),
                each["source"],
                "; ".join(filter(None, _words(each))),
            ]
            for each in told["mapped"]
        ]
        lines += _folded(("TAKEN OVER", "AS", "FROM", "WHICH IS"), rows, width)
    if told["unmapped"]:
        rows = [[Text(each["source"], "yellow"), each["why"]] for each in told["unmapped"]]
        lines += [Text(), *_folded(("NOT MAPPED", "BECAUSE"), rows, width)]
    notes = [*(f"note: {each}" for each in told["notes"])]
    notes += [f"missing: {each}" for each in told["missing"]]
    lines += [Text(), *map(Text, notes)] if notes else []
    return [*lines, Text(), *map(Text, _end(told, dry_run=dry_run))]


def _folded(
    heads: Sequence[str], rows: Sequence[Sequence[Text | str]], width: int | None
) -> list[Text]:
    """Return a table whose last column goes on below itself: nothing that is said here is cut."""
    if width is not None:
        before = sum(max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads) - 1))
        room = max(_NARROWEST, width - before - len(GAP) * (len(heads) - 1))
        rows = [
            [*(row[:-1] if not number else [""] * (len(heads) - 1)), part]
            for row in rows
            for number, part in enumerate(textwrap.wrap(str(row[-1]), room, break_on_hyphens=False))
        ]
    return table(heads, rows, align="<" * len(heads))


def _words(each: dict[str, Any]) -> list[str]:
    """What is said of one thing that was taken over."""
    to = each["leads_to"]
    more = [f"… {len(to):,} in all"] if len(to) > _MOST_SHOWN else []
    order = " → ".join([*to[:_MOST_SHOWN], *more])
    if each["kind"] == "alias":
        order = f"→ {order}"
    return ["there already" if each["present"] else "", order, each["told"]]


def _end(told: dict[str, Any], *, dry_run: bool) -> list[str]:
    """What was written where, and what comes next."""
    path = told["config"]
    if not told["profiles"] and not told["chains"] and not told["aliases"]:
        return [
            f"nothing to write: {path} has it already" if told["mapped"] else "nothing to take over"
        ]
    if dry_run:
        return [f"nothing is written: a dry run (else into {path})"]
    kept = len(told["keys"])
    rings = sum(each.startswith("keyring:") for each in told["keys"])
    lines = [f"wrote {path}"]
    if kept - rings:
        lines.append(f"kept {kept - rings} key{'s' * (kept - rings != 1)} in the .env beside it")
    if rings:
        lines.append(f"kept {rings} key{'s' * (rings != 1)} in the key ring")
    return [*lines, "next: spillover check, then spillover serve"]

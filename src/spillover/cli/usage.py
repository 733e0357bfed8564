"""`spillover usage`: what each profile used in the last minute, hour and day; and clear it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from spillover.cli import screen
from spillover.cli.opened import changing, opened
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.tables import table
from spillover.cli.wording import amount

GROUP = "usage"
app = typer.Typer(invoke_without_command=True)

WINDOWS: Final = ("minute", "hour", "day")
HEADS: Final = (
    "PROFILE",
    *(f"{what}/{window.upper()}" for window in WINDOWS for what in ("REQ", "TOK")),
    "COST/DAY",
)
SHORT_HEADS: Final = ("PROFILE", "R/MIN", "T/MIN", "R/H", "T/H", "R/DAY", "T/DAY", "COST/D")


@app.callback()
def usage(context: typer.Context, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show what each profile used in the last minute, hour, day."""
    context.obj = config
    if context.invoked_subcommand is None:
        asyncio.run(_usage(config, as_json=json))


@app.command()
def clear(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Argument(metavar="PROFILE", help="Whose; without it everyone's.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Zero usage, and end the cooldowns and spent quotas that came of it.

    Failed and disabled profiles stay so, and calls in flight still count.
    """
    asyncio.run(_clear(config or context.obj, profile))


async def _usage(config: Path | None, *, as_json: bool) -> None:
    async with opened(config) as engine:
        profiles = engine.status()["profiles"]
    if as_json:
        used = {name: profile["usage"] for name, profile in profiles.items()}
        screen.show_json({"profiles": used})
    else:
        screen.show(lines_of(profiles, width=screen.width()))


async def _clear(config: Path | None, profile: str | None) -> None:
    async with changing(config) as engine:
        await engine.clear_usage(profile)
    screen.show([f"cleared the usage of {profile or 'every profile'}"])


def lines_of(profiles: dict[str, dict[str, Any]], *, width: int | None) -> list[Text]:
    """Return the table of a status document's profiles, with the sum of several at its end.

    Where it is wider than `width`, its heads are shortened; where that is not enough, each profile
    has a paragraph of its own.
    """
    used = {name: _charged(profile) for name, profile in profiles.items()}
    costs = any(usage["day"]["cost_usd"] for usage in used.values())
    told = [(Text(name), usage) for name, usage in used.items()]
    if len(used) > 1:
        total = {
            window: {
                key: sum(usage[window][key] for usage in used.values())
                for key in ("requests", "tokens", "cost_usd")
            }
            for window in WINDOWS
        }
        told.append((Text("all", "bold"), total))
    rows = [_row(name, usage, costs=costs) for name, usage in told]
    for heads in (HEADS, SHORT_HEADS):
        shown = heads if costs else heads[:-1]
        lines = table(shown, rows, align="<" + ">" * (len(shown) - 1))
        if width is None or lines[0].cell_len <= width:
            return lines
    return [line for name, usage in told for line in _paragraph(name, usage, width)]


def _charged(profile: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a profile's usage; what a free one would have cost at list prices is no cost."""
    usage: dict[str, dict[str, Any]] = profile["usage"]
    if profile["tier"] == "paid":
        return usage
    return {window: {**used, "cost_usd": 0.0} for window, used in usage.items()}


def _row(name: Text, usage: dict[str, Any], *, costs: bool) -> list[Text]:
    cells = [name]
    for window in WINDOWS:
        for key in ("requests", "tokens"):
            value = usage[window][key]
            cells.append(Text(amount(value), "" if value else "dim"))
    if costs:
        cells.append(Text(amount(usage["day"]["cost_usd"], "cost")))
    return cells


def _paragraph(name: Text, usage: dict[str, Any], width: int | None) -> list[Text]:
    """Return a profile's usage in lines of their own, on a terminal too narrow for the table."""
    head = name.copy()
    if width is not None:
        head.truncate(width, overflow="ellipsis")
    lines = [head]
    for window in WINDOWS:
        used = usage[window]
        text = f"  {window:<6}  {amount(used['requests'])} req  {amount(used['tokens'])} tok"
        cost = amount(used["cost_usd"], "cost") if used["cost_usd"] else ""
        lines.append(Text(text, "" if used["requests"] else "dim").append(cost and f"  {cost}"))
    return lines

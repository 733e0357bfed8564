"""`spillover catalogue`: the providers that are known, and what each gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from rich.text import Text

from spillover import catalogue as known
from spillover.catalogue import TierKind
from spillover.cli import screen
from spillover.cli.options import JsonOption
from spillover.cli.tables import table
from spillover.cli.wording import amount, words
from spillover.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.catalogue import FreeRow, Provider

app = typer.Typer()


_GIVES: Final = {
    TierKind.RECURRING: "free tier",
    TierKind.CREDITS: "credits",
    TierKind.ONE_TIME: "trial",
    TierKind.PAID: "paid",
    TierKind.LOCAL: "local",
    TierKind.RETIRED: "retired",
}
_SHADES: Final = {TierKind.RECURRING: "green", TierKind.LOCAL: "green", TierKind.RETIRED: "dim"}


@app.command()
def catalogue(
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="One of them, in full.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show the providers that are known, and what each gives away."""
    providers = known.load()
    if provider is None:
        entries = list(providers.providers.values())
        if json:
            screen.show_json({"collected": providers.collected, "providers": _plain(entries)})
        else:
            screen.show(
                [*overview(entries, width=screen.width()), "", f"as of {providers.collected}"]
            )
        return
    entry = providers.provider(provider)
    if entry is None:
        near = providers.nearest(provider)
        hint = f"; did you mean {near[0]!r}?" if near else " (spillover catalogue lists them)"
        raise RequestError(f"no provider is called {provider!r}{hint}")
    if json:
        screen.show_json(_plain(entry))
    else:
        screen.show(portrait(entry))


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def overview(entries: list[Provider], *, width: int | None) -> list[Text]:
    """Return a table of providers."""
    rows: list[list[Text | str]] = [
        [
            Text(entry.id, "bold"),
            Text(_GIVES[entry.tier_kind], _SHADES.get(entry.tier_kind, "")),
            entry.key_env[0] if entry.key_env else "-",
            entry.default_model.id or "asks the server",
        ]
        for entry in entries
    ]
    return table(("PROVIDER", "GIVES", "KEY", "DEFAULT MODEL"), rows, align="<<<<", width=width)


def portrait(entry: Provider) -> Iterator[Text]:
    """Yield the lines that tell of one provider."""
    yield Text(entry.name, "bold").append(f"  {entry.id}", "dim")
    facts = {
        "kind": f"{entry.kind.value}, {_GIVES[entry.tier_kind]}",
        "address": entry.base_url,
        "key": ", ".join(entry.key_env) or "none",
        "also called": ", ".join(entry.aliases),
        "default model": entry.default_model.id or "asks the server",
        "limits counted by": entry.pool.value,
        "note": entry.note or "",
        "docs": entry.doc or "",
        "as of": entry.as_of,
    }
    for name, value in facts.items():
        if value:
            yield Text(f"  {name:<18}", "dim").append(value)
    if entry.free:
        yield Text()
        yield Text("Free tier", "bold")
        for row in entry.free:
            yield from _free(row)


def _free(row: FreeRow) -> Iterator[Text]:
    yield Text(f"  {', '.join(row.models)}")
    figures = ", ".join(
        f"{amount(figure.amount, figure.metric.value)} {words(figure.metric.value)}"
        + (f" per {figure.per}" if figure.per else " at once")
        for figure in row.figures
    )
    yield Text(f"    {figures or 'free, no figures published'}", "green")
    if row.condition:
        yield Text(f"    only {row.condition}", "yellow")
    yield Text(f"    as of {row.as_of}, {row.confidence.value} confidence: {row.source}", "dim")

"""Make `docs/providers.md` out of the catalogue: who is known, and what each gives away.

`python -m spillover.catalogue.providers_page docs/providers.md` writes it; a test fails when it is stale.
Refuses to say anything that the catalogue doesn't, but for the introduction.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.catalogue.entries import Kind, ResetKind, TierKind
from spillover.catalogue.lookup import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.catalogue.entries import Figure, FreeRow, Provider

_INTRODUCTION: Final = """\
# Providers

<!-- Made from the catalogue by `make docs`: change src/spillover/catalogue/providers.json instead. -->

The {count} providers that `provider:` of a [profile](configuration.md#profiles) may name, with what each gives away, as
[the catalogue](catalogue.md) has it, collected {collected}. `spillover catalogue groq` shows everything of one: headers, prices,
quirks, and what its figures were before. Free tiers change often: each figure has its day, and yours beat all of them.

| column | says |
| --- | --- |
| key | the variable that is read where the profile names no key |
| model | the one that is taken where the profile names none |
| counts for | whom a limit counts together: each `model` of a key, the whole `account`, a `project` or one `ip`, whatever the key |
"""
_GIVES: Final = {
    TierKind.RECURRING: ("Free, again and again", "An amount that comes back."),
    TierKind.CREDITS: ("Credits that come back", "Money for list prices, again and again."),
    TierKind.ONE_TIME: ("A credit for newcomers", "Given once, and gone when it is spent."),
    TierKind.LOCAL: ("Your own machine", "Servers on localhost; what they serve costs nothing."),
    TierKind.PAID: ("Paid", "Nothing is given away."),
    TierKind.RETIRED: ("Gone", "Answers no more; kept for those who still have its key."),
}
"""What each kind of tier is called, in the order of the page."""


def page() -> str:
    """Return the text of the page."""
    known = load()
    parts = [_INTRODUCTION.format(count=len(known.providers), collected=known.collected)]
    for kind, (title, meaning) in _GIVES.items():
        entries = [each for each in known.providers.values() if each.tier_kind is kind]
        if entries:
            parts += [f"## {title}\n", f"{meaning}\n", *_table(entries), ""]
            parts += [line for entry in entries for line in _free(entry)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _table(entries: list[Provider]) -> Iterator[str]:
    yield "| provider | is | key | model | counts for |"
    yield "| --- | --- | --- | --- | --- |"
    for each in entries:
        name = each.name if each.doc is None else f"[{each.name}]({each.doc})"
        key = f"`{each.key_env[0]}`" if each.key_env else "none"
        kind = "a server of your own" if each.kind is Kind.LOCAL else each.kind.value
        model = each.default_model.id
        shown = "whichever you name" if model is None else f"`{model}`"
        yield _row(f"`{each.id}` {name}", kind, key, shown, each.pool.value)


def _free(entry: Provider) -> Iterator[str]:
    rows = [row for row in entry.free if row.figures or row.one_time_usd or row.one_time_tokens]
    if not rows:
        return
    yield f"### {entry.name}\n"
    if entry.terms is not None:
        yield f"{_sentence(entry.terms)}\n"
    yield "| models | free | when | as of | confidence |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        models = ", ".join(f"`{model}`" for model in row.models)
        as_of = f"{row.as_of} (undated)" if row.undated else row.as_of
        yield _row(models, _gift(row), row.condition or "always", as_of, row.confidence.value)
    yield ""
    turns = [
        f"the {name} {_turn(window.kind, window.zone)}"
        for name, window in entry.windows.items()
        if window.kind is not ResetKind.UNKNOWN
    ]
    if turns:
        yield f"{_sentence('; '.join(turns))}\n"


def _gift(row: FreeRow) -> str:
    parts = [_figure(each) for each in row.figures]
    if row.one_time_usd:
        parts.append(f"${row.one_time_usd:g} once")
    if row.one_time_tokens:
        parts.append(f"{row.one_time_tokens:,} tokens once")
    return ", ".join(parts)


def _figure(figure: Figure) -> str:
    metric, amount = figure.metric.value.replace("_", " "), figure.amount
    number = f"{amount:,.0f}" if amount.is_integer() else f"{amount:g}"
    if figure.per is None:
        return f"{number} calls at once"
    counted = metric.removesuffix("s") if amount == 1 else metric
    return (
        f"${amount:g} per {figure.per}"
        if metric == "cost"
        else f"{number} {counted} per {figure.per}"
    )


def _turn(kind: ResetKind, zone: str | None) -> str:
    at = f" of {zone}" if zone else ""
    return {"calendar": f"turns by the calendar{at}", "rolling": "rolls", "refill": "refills"}[kind]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), "utf-8")

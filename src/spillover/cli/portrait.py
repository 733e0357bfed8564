"""Tell everything that is known of one provider in lines that a person reads.

Refuses to know where the entry comes from and today's date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from spillover.catalogue import ResetKind, TierKind
from spillover.catalogue.ageing import age_days, is_stale
from spillover.cli.spans import span
from spillover.cli.tables import table
from spillover.cli.wording import amount, words
from spillover.config.dialects import spoken_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from spillover.catalogue import Figure, FreeRow, GuessedWait, ModelFacts, Provider, ResetWindow

GIVES: Final = {
    TierKind.RECURRING: "free tier",
    TierKind.CREDITS: "credits",
    TierKind.ONE_TIME: "trial",
    TierKind.PAID: "paid",
    TierKind.LOCAL: "local",
    TierKind.RETIRED: "retired",
}
_NAME_WIDTH: Final = 20


def portrait(
    entry: Provider, models: Mapping[str, ModelFacts], today: date, *, by: str | None = None
) -> Iterator[Text]:
    """Yield the lines that tell of one provider; `by` is the user's file that changed it."""
    yield Text(entry.name, "bold").append(f"  {entry.id}", "dim")
    facts = {**_reached(entry), **_counted(entry), **_said(entry), "changed by": by or ""}
    for name, value in facts.items():
        if value:
            yield Text(f"  {name:<{_NAME_WIDTH}}", "dim").append(value)
    yield Text(f"  {'as of':<{_NAME_WIDTH}}", "dim").append_text(dated(entry.as_of, today))
    for rank in entry.ranks:
        place = f"  {rank.place:>2}  {', '.join(rank.models)}"
        yield from _headed("Rank", rank is entry.ranks[0])
        yield Text(place).append(f"  {rank.reason}, {rank.as_of}", "dim")
    for row in entry.free:
        yield from _headed("Free tier", row is entry.free[0])
        yield from _free(row, today)
    if entry.guessed_waits:
        yield from _headed("Waits where it states none", True)
        yield from _waits(entry.guessed_waits)
    for gone in entry.retired:
        yield from _headed("Retired", gone is entry.retired[0])
        heir = f", then {gone.successor}" if gone.successor else ""
        line = Text(f"  {', '.join(gone.models)}").append(f"  {gone.on}{heir}")
        yield line.append(f"  {gone.source}", "dim")
    if models:
        yield from _headed("Models", True)
        yield from _models(models)


def dated(as_of: str, today: date) -> Text:
    """Return a date, and how old it is where that is too old to rely on."""
    if not is_stale(as_of, today):
        return Text(as_of)
    return Text(f"{as_of}, {age_days(as_of, today)} days old", "yellow")


def _headed(title: str, first: bool) -> Iterator[Text]:
    if first:
        yield Text()
        yield Text(title, "bold")


def _spoken(entry: Provider) -> str:
    """In which dialects a provider is spoken to, the usual one first, and what it calls its own."""
    usual, *others = spoken_by(entry)
    own = f"; its own: {entry.native_protocol}" if entry.native_protocol else ""
    return ", or ".join([usual.value, *(f"protocol: {other.value}" for other in others)]) + own


def _reached(entry: Provider) -> dict[str, str]:
    """How a provider is reached."""
    scheme = f"{entry.auth.scheme} " if entry.auth.scheme else ""
    optional = ", or none" if entry.auth.optional else ""
    proof = "the list of models refuses a wrong one"
    if not entry.models_prove_key:
        other = f", {entry.key_check} refuses a wrong one" if entry.key_check else ""
        proof = f"the list of models proves none{other} ({entry.key_check_source})"
    return {
        "kind": f"{entry.kind.value}, {GIVES[entry.tier_kind]}",
        "speaks": _spoken(entry),
        "address": entry.base_url,
        "address from": ", ".join((*entry.places, *entry.address_env)),
        "key": (", ".join(entry.key_env) or "none") + optional,
        "key sent as": f"{entry.auth.header}: {scheme}…",
        "key shown right by": proof,
        "also called": ", ".join(entry.aliases),
        "default model": entry.default_model.id or f"none: {entry.default_model.source}",
        "first token": _noted(
            f"{entry.first_token_s:g} s" if entry.first_token_s else "", entry.first_token_note
        ),
        "usage of streams": _noted(entry.stream_usage.value, entry.stream_usage_note),
    }


def _counted(entry: Provider) -> dict[str, str]:
    """How a provider counts."""
    windows = (f"{name} {_window(window)}" for name, window in entry.windows.items())
    return {
        "limits counted by": _noted(entry.pool.value, entry.pool_note),
        "windows": ", ".join(windows),
        "max_tokens": "counted whole before the answer" if entry.reserves_max_tokens else "",
        "cached input": _noted(
            "" if entry.counts_cached_input else "not counted", entry.cached_note
        ),
        "a neuron costs": f"${entry.neuron_usd:f}" if entry.neuron_usd else "",
    }


def _said(entry: Provider) -> dict[str, str]:
    """What a provider says, and what is said of it."""
    return {
        "headers": ", ".join(header.name for header in entry.headers),
        "waits": entry.wait_hints or "",
        "quota asked at": entry.quota_endpoint.path if entry.quota_endpoint else "",
        "terms": entry.terms or "",
        "free tier": entry.free_note or "",
        "note": entry.note or "",
        "docs": entry.doc or "",
    }


def _noted(value: str, note: str | None) -> str:
    return f"{value} ({note})" if value and note else value


def _window(window: ResetWindow) -> str:
    if window.kind is ResetKind.CALENDAR:
        return f"calendar, {window.zone or 'UTC taken'}"
    return window.kind.value


def _free(row: FreeRow, today: date) -> Iterator[Text]:
    yield Text(f"  {', '.join(row.models) or 'some models'}")
    once = {
        "once": f"${row.one_time_usd:g}" if row.one_time_usd else "",
        "once, tokens": amount(row.one_time_tokens) if row.one_time_tokens else "",
        "context": f"{row.context_tokens:,} tokens" if row.context_tokens else "",
        "output": f"{row.max_output_tokens:,} tokens" if row.max_output_tokens else "",
    }
    given = [_figures(row.figures), *(f"{name}: {value}" for name, value in once.items() if value)]
    said = ", ".join(part for part in given if part)
    yield Text(f"    {said or 'free, no figures published'}", "green")
    if row.condition:
        yield Text(f"    only {row.condition}", "yellow")
    if row.note and row.note != row.condition:
        yield Text(f"    {row.note}", "dim")
    evidence = Text("    as of ", "dim").append_text(dated(row.as_of, today))
    undated = " (its day of collection)" if row.undated else ""
    yield evidence.append(f"{undated}, {row.confidence.value} confidence: {row.source}", "dim")
    for was in row.was:
        context = f", context: {was.context_tokens:,} tokens" if was.context_tokens else ""
        yield Text(f"    was {_figures(was.figures)}{context} on {was.as_of}: {was.source}", "dim")


def _figures(figures: tuple[Figure, ...]) -> str:
    return ", ".join(
        f"{amount(figure.amount, figure.metric.value)} {words(figure.metric.value)}"
        + (f" per {figure.per}" if figure.per else " at once")
        for figure in figures
    )


def _waits(rows: tuple[GuessedWait, ...]) -> Iterator[Text]:
    cells: list[list[Text | str]] = [
        [
            f"  {', '.join(row.models)}",
            f"{words(row.metric.value)} per {row.per}",
            span(row.wait_s) if row.wait_s is not None else f"to the {row.per}'s end (UTC)",
            row.instead or "-",
        ]
        for row in rows
    ]
    yield from table(("  MODEL", "SPENT", "WAIT", "INSTEAD"), cells, align="<<<<")
    for as_of, source in sorted({(row.as_of, row.source) for row in rows}):
        yield Text(f"  as of {as_of}: {source}", "dim")


def _models(models: Mapping[str, ModelFacts]) -> Iterator[Text]:
    rows: list[list[Text | str]] = [
        [
            f"  {name}",
            _tokens(facts.context_tokens),
            _tokens(facts.max_output_tokens),
            *(f"{usd:g}" for usd in facts.price_usd or ()),
            *([] if facts.price_usd else ["?", "?"]),
            ", ".join(sorted(facts.lacks)) + (" (retired)" if facts.deprecated else ""),
        ]
        for name, facts in models.items()
    ]
    heads = ("  MODEL", "CONTEXT", "OUTPUT", "$/M IN", "$/M OUT", "LACKS")
    yield from table(heads, rows, align="<>>>><")
    evidence = sorted({(facts.as_of, facts.source) for facts in models.values()})
    for as_of, source in evidence:
        yield Text(f"  as of {as_of}: {source}", "dim")


def _tokens(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"

"""Draw the error guide, one of its entries, and the verdict on an error that was pasted.

Refuses to know where they come from, and how wide and coloured the terminal is but for its columns.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from rich.text import Text

from spillover.catalogue.conduct import told
from spillover.catalogue.guide import does
from spillover.catalogue.guide_page import wait_of
from spillover.cli.spans import span
from spillover.cli.tables import table
from spillover.cli.wording import words
from spillover.core.values import FailureClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spillover.catalogue import GuessedWait
    from spillover.catalogue.conduct import Conduct
    from spillover.catalogue.guide import Guide, GuideEntry
    from spillover.core.values import Failure

_LABEL_WIDTH: Final = 12
_LEAST_WIDTH: Final = 20
_UNBOUNDED: Final = 10_000
_ROOMY: Final = 72
"""Columns from which on the list says what helps too."""
_WIDE: Final = 120
"""Columns that a table of waits needs."""

SHADES: Final = {
    FailureClass.RATE_LIMITED: "yellow",
    FailureClass.QUOTA_EXHAUSTED: "yellow",
    FailureClass.OVERLOADED: "yellow",
    FailureClass.BAD_REQUEST: "cyan",
    FailureClass.CONTENT_FILTER: "cyan",
    FailureClass.CONTEXT_LENGTH: "cyan",
}
"""Colours of classes: what passes, what the request is to blame for; all else is red."""


def overview(guide: Guide, *, width: int | None) -> Iterator[Text]:
    """Yield the whole guide, a line for each entry below its group."""
    columns = 2 if width is not None and width < _ROOMY else 3
    widths = [max(len(row[i]) for row in map(_cells, guide.entries)) for i in range(2)]
    for group in guide.groups:
        yield Text(group.title, "bold")
        rows: list[list[Text | str]] = []
        for entry in guide.of_group(group.id):
            code, title, helps = _cells(entry)
            cells: list[Text | str] = [
                f"{code:<{widths[0]}}",
                f"{title:<{widths[1]}}",
                Text(helps, "dim"),
            ]
            rows.append(cells[:columns])
        heads = ("  CODE", "IS", "WHAT HELPS")[:columns]
        yield from table(heads, rows, align="<" * columns, width=width)
        yield Text()
    closing = f"as of {guide.as_of}; spillover errors CODE shows one, spillover errors - reads one"
    yield from map(Text, wrap(closing, width or _UNBOUNDED))


def _cells(entry: GuideEntry) -> tuple[str, str, str]:
    return f"  {entry.code}", entry.title, entry.resolution


def portrait(
    guide: Guide, entry: GuideEntry, waits: Iterable[GuessedWait], *, width: int | None
) -> Iterator[Text]:
    """Yield all that is known of one entry."""
    source = next(group.source for group in guide.groups if group.id == entry.group)
    yield Text(entry.title, "bold").append(f"  {entry.code}", "dim")
    facts = {
        "cause": entry.cause,
        "what helps": entry.resolution,
        "meanwhile": entry.fallback,
        "Spillover": " ".join(does(entry)),
        "also called": ", ".join(entry.also),
        "alike": ", ".join(guide.alike(entry)),
        "as of": f"{guide.as_of}, {source}",
    }
    yield from _facts(facts, width)
    yield from _waits(tuple(waits), width)


def _waits(rows: tuple[GuessedWait, ...], width: int | None) -> Iterator[Text]:
    """Yield the waits that are known for refusals which state none; as sentences where it is narrow."""
    if not rows:
        return
    yield Text()
    yield Text("Waits where the answer states none", "bold")
    if width is not None and width < _WIDE:
        for row in rows:
            model, spent, _, wait, instead = _wait(row)
            yield from _wrapped(f"  {model}: {spent} {wait}, else {instead}", width)
        return
    heads = ("  MODEL", "SPENT", "BEGINS WITH", "WAIT", "INSTEAD")
    cells = [[f"  {model}", *others] for model, *others in map(_wait, rows)]
    yield from table(heads, cells, align="<<<<<", width=width)


def _wrapped(line: str, width: int) -> Iterator[Text]:
    for part in wrap(line.strip(), width, initial_indent="  ", subsequent_indent="    "):
        yield Text(part)


def _wait(row: GuessedWait) -> tuple[str, str, str, str, str]:
    return (
        ", ".join(row.models),
        f"{words(row.metric.value)} per {row.per}",
        row.says or "-",
        wait_of(row),
        row.instead or "-",
    )


def verdict(
    failure: Failure,
    what: Conduct,
    entry: GuideEntry | None,
    *,
    provider: str,
    width: int | None,
) -> Iterator[Text]:
    """Yield what a pasted error is, what it means, what helps, and what Spillover does with it."""
    name = failure.failure.value
    heading = Text(name, f"bold {SHADES.get(failure.failure, 'red')}")
    yield heading.append(f"  {_where(failure, provider)}", "dim")
    facts = {
        "says": failure.message,
        "means": entry.cause if entry is not None else "",
        "what helps": entry.resolution if entry is not None else "",
        "Spillover": " ".join(told(what)),
        "wait": _waiting(failure, what),
        "elsewhere": "another provider may accept the same request"
        if failure.retry_elsewhere
        else "every provider would say the same",
        "window": words(failure.quota_window.value) if failure.quota_window is not None else "",
        "guide": f"spillover errors {entry.code}" if entry is not None else "",
    }
    yield from _facts(facts, width)


def _where(failure: Failure, provider: str) -> str:
    told_by = [
        *([f"status {failure.status}"] if failure.status is not None else []),
        *([failure.code] if failure.code else []),
        *([provider] if provider else []),
        f"{failure.scope.value}'s fault",
        *(["permanent"] if failure.permanent else []),
    ]
    return ", ".join(told_by)


_SOURCES: Final[Mapping[str, str]] = {
    "header": "its headers say so",
    "body": "its body says so",
    "catalogue": "the catalogue knows the provider's windows and waits",
    "default": "it states none, so Spillover's own table counts",
}


def _waiting(failure: Failure, what: Conduct) -> str:
    """Return how long Spillover waits, and why."""
    stated = failure.stated_wait_s
    if what.bench is None:
        return "none: the fault is not the profile's"
    if what.bench.wait_s is None:
        return "until it is mended: waiting alone does not help"
    why = _SOURCES[what.bench.source.value]
    own = (
        ""
        if stated is None or what.bench.source in {"header", "body"}
        else (f"; the {span(stated)} that it states are not the whole of it")
    )
    return f"{span(what.bench.wait_s)}: {why} ({what.bench.confidence.value}){own}"


def _facts(facts: Mapping[str, str], width: int | None) -> Iterator[Text]:
    """Yield labelled sentences, wrapped to the width with the labels kept apart."""
    room = _UNBOUNDED if width is None else max(_LEAST_WIDTH, width - _LABEL_WIDTH - 4)
    for label, value in facts.items():
        for number, line in enumerate(wrap(value, room)):
            shown = label if number == 0 else ""
            yield Text(f"  {shown:<{_LABEL_WIDTH}}  ", "dim").append(Text(line))

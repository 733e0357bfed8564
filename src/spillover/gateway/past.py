"""Answer what was: sums for a plot, fallbacks, savings, the latest requests and their pace.

Refuses to know how any of it is counted and kept.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from spillover.core.history import METRICS, SPANS, By, series, shown
from spillover.core.refusals import EndKind
from spillover.engine.engine import unknown
from spillover.engine.retelling import Wanted, document, rows
from spillover.engine.savings import midnight
from spillover.engine.savings import savings as savings_document
from spillover.engine.traces import KEPT
from spillover.errors import RequestError
from spillover.events.kinds import iso
from spillover.gateway.queries import Query
from spillover.ledger.history import FALLBACKS_MOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spillover.core.history import Counts
    from spillover.gateway.routes import Inquiry
    from spillover.gateway.visit import Visit
    from spillover.ledger.history import Numbered

_FORMATS: Final = ("json", "csv")
_USUAL: Final = 100
_PAGE: Final = 1_000
_COLUMNS: Final = {
    "chain": "chain",
    "from": "source",
    "to": "target",
    "cause": "cause",
    "request_id": "request_id",
}
"""What fallbacks are asked for by, and the column that holds it."""
_FALLBACK: Final = (
    "id",
    "at",
    "chain",
    "from",
    "to",
    "cause",
    "waited_ms",
    "until",
    "request_id",
)


async def history(inquiry: Inquiry) -> None:
    """Answer arrays for a plot, or rows."""
    query = Query(inquiry.visit, ("span", "by", "profile", "chain", "format"))
    name, by = query.choice("span", SPANS, "day"), By(query.choice("by", By, By.PROFILE))
    as_csv = query.choice("format", _FORMATS, "json") == "csv"
    span, now = SPANS[name], inquiry.engine.clock.now()
    axis = span.axis(now)
    sums = await inquiry.engine.history.sums(
        span.grain,
        axis.start,
        step_s=span.step_s,
        chain=query.text("chain"),
        profile=query.text("profile"),
    )
    found = series(axis, sums, by)
    if as_csv:
        lines = [
            (iso(at), each, *(shown(metric, array[place]) for metric, array in enumerate(arrays)))
            for place, at in enumerate(axis)
            for each, arrays in found.items()
            if any(array[place] for array in arrays)
        ]
        await _csv(inquiry.visit, f"history-{name}", ("at", by.value, *METRICS), lines)
        return
    await inquiry.visit.answer_json(
        200,
        {
            "span": name,
            "by": by.value,
            "step_s": span.step_s,
            "from": iso(axis.start),
            "to": iso(now),
            "at": list(axis),
            "metrics": METRICS,
            "series": [
                {"name": each or None, **_arrays(arrays), "totals": _totals([arrays])}
                for each, arrays in found.items()
            ],
            "totals": _totals(found.values()),
        },
    )


def _arrays(arrays: Sequence[Counts]) -> dict[str, list[float]]:
    return {
        name: [shown(metric, count) for count in arrays[metric]]
        for metric, name in enumerate(METRICS)
    }


def _totals(found: Iterable[Sequence[Counts]]) -> dict[str, float]:
    every = list(found)
    return {
        name: shown(metric, sum(sum(arrays[metric]) for arrays in every))
        for metric, name in enumerate(METRICS)
    }


async def fallbacks(inquiry: Inquiry) -> None:
    """Answer the latest fallbacks, newest first."""
    query = Query(inquiry.visit, (*_COLUMNS, "span", "limit", "before", "format"))
    as_csv = query.choice("format", _FORMATS, "json") == "csv"
    span = query.choice("span", ("", *SPANS), "")
    usual, most = (FALLBACKS_MOST, FALLBACKS_MOST) if as_csv else (_USUAL, _PAGE)
    limit = query.number("limit", usual, most)
    # One more than is shown tells whether a page follows.
    found = await inquiry.engine.history.fallbacks(
        since=SPANS[span].axis(inquiry.engine.clock.now()).start if span else 0.0,
        before=query.number("before", 0, 1 << 53) or None,
        limit=limit + 1,
        wanted={column: query.text(name) for name, column in _COLUMNS.items()},
    )
    lines = [_fallback(each) for each in found[:limit]]
    if as_csv:
        await _csv(inquiry.visit, "fallbacks", _FALLBACK, [line.values() for line in lines])
        return
    following = found[limit - 1].id if len(found) > limit else None
    await inquiry.visit.answer_json(200, {"fallbacks": lines, "next": following})


def _fallback(numbered: Numbered) -> dict[str, Any]:
    each = numbered.fallback
    until = None if each.until is None else iso(each.until)
    values = (
        numbered.id,
        iso(each.at),
        each.chain,
        each.source,
        each.target,
        each.cause,
        round(each.waited_ms, 1),
        until,
        each.request_id,
    )
    return dict(zip(_FALLBACK, values, strict=True))


async def savings(inquiry: Inquiry) -> None:
    """Answer what free and local profiles saved today."""
    Query(inquiry.visit, ())
    engine = inquiry.engine
    since = midnight(engine.clock.now())
    found = await savings_document(engine.history, engine.routing, since)
    await inquiry.visit.answer_json(200, found)


async def _csv(
    visit: Visit, name: str, head: Sequence[str], lines: Iterable[Iterable[object]]
) -> None:
    """Answer a table as a file to be saved."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(lines)
    headers = {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="spillover-{name}.csv"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    await visit.answer(200, headers, text.getvalue().encode())


async def requests(inquiry: Inquiry) -> None:
    """Answer the latest requests in short, newest first."""
    query = Query(inquiry.visit, ("limit", "profile", "chain", "outcome", "before"))
    outcome = query.choice("outcome", ("", *EndKind), "")
    wanted = Wanted(
        profile=query.text("profile"),
        chain=query.text("chain"),
        outcome=outcome or None,
        before=query.text("before"),
    )
    traces = inquiry.engine.traces
    found = rows(traces.latest(), wanted, limit=query.number("limit", _USUAL, KEPT))
    await inquiry.visit.answer_json(200, {"requests": found, "kept": len(traces)})


async def request(inquiry: Inquiry) -> None:
    """Answer all that is known of one of them."""
    name = inquiry.names["id"]
    trace = inquiry.engine.traces.get(name)
    if trace is None:
        message = f"no request {name[:80]!r} is among the latest {KEPT} of this gateway"
        raise RequestError(message, code="not_found", status=404)
    await inquiry.visit.answer_json(200, document(trace))


async def paces(inquiry: Inquiry) -> None:
    """Answer how fast each profile's latest answers were."""
    engine = inquiry.engine
    found = {name: engine.traces.pace(name) for name in engine.routing.profiles}
    await inquiry.visit.answer_json(200, {"profiles": found})


async def pace(inquiry: Inquiry) -> None:
    """Answer how fast one profile's latest answers were."""
    engine, name = inquiry.engine, inquiry.names["profile"]
    if name not in engine.routing.profiles:
        raise unknown("profile", name, engine.routing.profiles)
    await inquiry.visit.answer_json(200, {"name": name, **engine.traces.pace(name)})

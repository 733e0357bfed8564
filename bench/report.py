"""Write what a run found, for a person: tables with ratios, and what is reached.

Refuses to know how anything was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.contestants import BARE, DIRECT, NGINX, SPILLOVER
from bench.results import CONNECTIONS, STREAMS, goals
from bench.traffic import PACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.hotspots import Hotspots
    from bench.load import Unstreamed
    from bench.results import Goal, Results, Rounds
    from bench.streams import Streamed

DASH: Final = "–"
BIGGEST: Final = 3
TELLING_DIGITS: Final = 3
_SAMPLED: Final = """\
{samples:,} samples by py-spy of the process at c = 16. A sample belongs to the innermost function of
Spillover or of a package; what the standard library, the kernel and C code do for it is its own.
The three biggest parts:"""


def report(results: Results, about: str) -> str:
    """Return the whole report in Markdown."""
    parts = [
        "# Bench",
        about,
        "## Figures to reach",
        _goals(goals(results)),
        "## Whole answers",
        _whole(results.whole),
        f"## Streams of {PACE} events a second each",
        "Delay: from the upstream's send of an event to the client's receipt of it.",
        _streams(results.streams),
        "## The parts by themselves",
        _parts(results),
        "## Where the time goes",
        _hotspots(results.hotspots),
    ]
    return "\n\n".join(parts) + "\n"


def figure(number: float | None, unit: str = "") -> str:
    """Return a number with the digits that tell, a dash for None."""
    if number is None:
        return DASH
    whole = f"{number:,.0f}"
    digits = sum(sign.isdigit() for sign in whole)
    if float(number).is_integer() or digits >= TELLING_DIGITS:
        written = whole
    else:
        written = f"{number:.{TELLING_DIGITS}g}"
    return f"{written} {unit}".rstrip()


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table whose first column is text and whose others are figures."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _goals(found: list[Goal]) -> str:
    marks = {True: "✓", False: "✗", None: DASH}
    return table(
        ["what", "found", "reach", ""],
        (
            [
                goal.what,
                figure(goal.found, goal.unit),
                f"{'≥' if goal.at_least else '≤'} {figure(goal.bound, goal.unit)}",
                marks[goal.is_reached],
            ]
            for goal in found
        ),
    )


def _whole(rounds: Rounds[Unstreamed]) -> str:
    rows = []
    for at_once in CONNECTIONS:
        for name in rounds.names():
            runs = rounds.of(name, at_once)
            rates = [run.rate for run in runs]
            cpu_us = rounds.median(name, at_once, lambda run: run.cpu_us)
            rows.append(
                [
                    name,
                    str(at_once),
                    figure(rounds.median(name, at_once, lambda run: run.rate)),
                    f"{figure(min(rates))} – {figure(max(rates))}",
                    figure(rounds.ratio(name, NGINX, at_once, lambda run: run.rate)),
                    figure(rounds.ratio(SPILLOVER, name, at_once, lambda run: run.rate), "×"),
                    figure(rounds.median(name, at_once, lambda run: run.p50_us)),
                    figure(rounds.median(name, at_once, lambda run: run.p99_us)),
                    DASH if name == DIRECT else figure(cpu_us),
                    figure(sum(run.errors for run in runs)),
                ]
            )
    head = "|c|requests/s|lowest – highest|of nginx|Spillover is|p50 µs|p99 µs|CPU µs each|errors"
    return table(head.split("|"), rows)


def _streams(rounds: Rounds[Streamed]) -> str:
    rows = []
    for at_once in STREAMS:
        for name in rounds.names():
            runs = rounds.of(name, at_once)
            if not runs:
                continue
            readings: list[Callable[[Streamed], float]] = [
                lambda run: run.p50_ms,
                lambda run: run.p99_ms,
                lambda run: run.cpu_us,
            ]
            medians = [rounds.median(name, at_once, read) for read in readings]
            ratios = [rounds.ratio(name, BARE, at_once, read) for read in readings]
            if name == DIRECT:
                medians[-1] = ratios[-1] = None
            rows.append(
                [
                    name,
                    str(at_once),
                    *map(figure, medians),
                    *(figure(ratio, "×") for ratio in ratios),
                    figure(max(run.longest_ms for run in runs)),
                    figure(sum(run.bad for run in runs)),
                ]
            )
    head = (
        "|streams|delay p50 ms|p99 ms|CPU µs an event|p50 of bare|p99 of bare|CPU of bare"
        "|longest ms|stalls, errors"
    )
    return table(head.split("|"), rows)


def _parts(results: Results) -> str:
    timings, memory = results.timings, results.memory
    rows = [
        [
            "a request without HTTP server and client, CPU at 16 at once",
            figure(timings["own_us"], "µs"),
        ],
        ["reserve + settle, median alone", figure(timings["alone_us"], "µs")],
        ["reserve + settle, 99 of 100 alone", figure(timings["alone_p99_us"], "µs")],
        ["reserve + settle, amortised at 16 at once", figure(timings["together_us"], "µs")],
        ["ladder + reserve, 49 of 50 profiles spent", figure(timings["ladder_ms"], "ms")],
        *([what, figure(us, "µs")] for what, us in timings["parsing"].items()),
        ["`import spillover`", figure(results.import_ms, "ms")],
        *(
            [f"start Python and {what}, of a bare start", figure(times, "×")]
            for what, times in results.loading.items()
        ),
        ["`serve`: start to first answer", figure(results.start_s, "s")],
        ["memory after the first answer", figure(memory.idle, "MB")],
        [f"memory after {memory.warm_requests:,} requests", figure(memory.warm, "MB")],
        [f"memory after {memory.requests:,} requests", figure(memory.loaded, "MB")],
    ]
    return table(["what", ""], rows)


def _hotspots(found: Hotspots | None) -> str:
    if found is None:
        return "Not looked into: run with `--profile`."
    biggest = "\n".join(
        f"{place}. {name}: {share:.0%}"
        for place, (name, share) in enumerate(found.parts[:BIGGEST], 1)
    )
    return "\n\n".join(
        [
            _SAMPLED.format(samples=found.samples),
            biggest,
            _shares("part", found.parts),
            _shares("function, by itself", found.functions),
            _shares("Spillover's function, with all below it", found.below),
        ]
    )


def _shares(what: str, shares: list[tuple[str, float]]) -> str:
    return table([what, "share"], ([name, f"{share:.1%}"] for name, share in shares))

"""Tell a person of an event in one line.

Refuses to know who publishes events and where the lines go.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, assert_never

from rich.text import Text

from spillover.cli.ladders import COLOURS, SERVING
from spillover.cli.spans import span
from spillover.cli.wording import amount, words
from spillover.events import (
    BudgetReached,
    ConfigRejected,
    ConfigReloaded,
    LedgerDrift,
    LedgerTrouble,
    LimitReached,
    Notice,
    ProfileStatus,
    RequestDone,
    RequestFallback,
    UpstreamStatus,
)

if TYPE_CHECKING:
    from spillover.events import Event


SPENT: Final = 100
"""Per cent of a budget."""


def sentence(event: Event, *, requests: bool) -> Text | None:
    """Return the line that tells of an event, in local time.

    Single requests are told of with `requests` only; None: nothing to tell.
    """
    text = told(event) if requests else _of_state(event)
    if text is None:
        return None
    time = datetime.fromtimestamp(event.at).astimezone().strftime("%H:%M:%S")
    return Text(f"{time}  ", "dim").append_text(text)


def told(event: Event) -> Text | None:
    """Return what there is to say of an event; None: nothing."""
    return _of_request(event) or _of_state(event)


def _of_request(event: Event) -> Text | None:
    match event:
        case RequestFallback():
            to = event.to or "nobody"
            text = Text(f"{event.source} {SERVING} {to}", "yellow").append(
                f"  {words(event.cause)}"
            )
            return text.append(_back(event.until, event.at))
        case RequestDone():
            tokens = event.input_tokens + event.output_tokens
            who = event.profile or words(event.code) or words(event.outcome)
            text = Text(f"{who}", "green" if event.outcome == "served" else "red")
            return text.append(
                f"  {words(event.outcome)}, {tokens} tokens, {event.took_ms:.0f} ms", "dim"
            )
        case _:
            return None


def _of_state(event: Event) -> Text | None:
    match event:
        case ProfileStatus():
            text = Text(f"{event.profile} is {event.to}", COLOURS.get(event.to, ""))
            text.append(f"  {words(event.reason)}" if event.reason else "")
            return text.append(_back(event.until, event.at))
        case UpstreamStatus():
            text = Text(f"upstream {event.upstream} is {event.state}")
            return text.append(f"  {event.reason}" if event.reason else "")
        case ConfigReloaded():
            return Text(f"{event.path} was taken over", "cyan")
        case ConfigRejected():
            problems = "\n          ".join(event.problems)
            return Text(
                f"{event.path} can't be used; the one before stays in force\n", "red"
            ).append(f"          {problems}")
        case LedgerTrouble():
            return Text(event.message, "red" if event.failing else "cyan")
        case LedgerDrift():
            metric = "cost" if event.limit.startswith(("cost", "balance")) else "requests"
            stated, counted = (amount(each, metric) for each in (event.stated, event.counted))
            return Text(
                f"{event.profile} says that {stated} of {words(event.limit)} are left,"
                f" we counted {counted}",
                "yellow",
            )
        case BudgetReached():
            metric = event.limit.partition("_per_")[0]
            used, whole = amount(event.used, metric), amount(event.amount, metric)
            whose = (
                event.profile if event.scope == "profile" else f"{event.scope} of {event.profile}"
            )
            colour = "red" if event.percent == SPENT else "yellow"
            text = Text(f"{whose} has used {event.percent} % of {words(event.limit)}", colour)
            return text.append(f"  {used} of {whole}").append(_back(event.until, event.at))
        case LimitReached() | RequestFallback() | RequestDone() | Notice():
            return None
        case _:
            assert_never(event)


def _back(until: float | None, now: float) -> str:
    return "" if until is None else f", back in {span(until - now)}"

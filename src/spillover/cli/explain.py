"""`spillover explain`: who would serve a request now, and why each of the others would not."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from spillover.cli import screen
from spillover.cli.opened import opened
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.tables import table
from spillover.cli.wording import amount, back_in, trust, words
from spillover.core.values import Operation
from spillover.engine import Call
from spillover.protocols.openai_chat import read_request

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer()

SIMPLE = b'{"messages": [{"role": "user", "content": "hi"}]}'
"""What is explained when no request is given."""


@app.command()
def explain(
    request: Annotated[
        Path | None,
        typer.Argument(
            metavar="REQUEST.json",
            help="A chat request; - reads it from standard input, without it a short one is taken.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A chain, profile or alias.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say who would serve a request, and why the others would not.

    Nothing is sent. Exits with 1 when nobody would serve it.
    """
    document, now = asyncio.run(_explained(_body(request), model, config))
    if json:
        screen.show_json(document)
    else:
        screen.show(lines_of(document, now=now, width=screen.width()))
    raise typer.Exit(0 if document["serves"] else 1)


def _body(request: Path | None) -> bytes:
    if request is None:
        return SIMPLE
    if str(request) == "-":
        return sys.stdin.buffer.read()
    try:
        return request.read_bytes()
    except OSError as error:
        hint = "a file that holds a chat request is wanted, or - for standard input"
        raise typer.BadParameter(f"{request}: {error.strerror}; {hint}") from error


async def _explained(
    body: bytes, model: str | None, config: Path | None
) -> tuple[dict[str, Any], float]:
    asked = read_request(body, Operation.CHAT)
    async with opened(config) as engine:
        call = Call(asked=asked, request_id="explain", model=model)
        return engine.explain(call), engine.clock.now()


def lines_of(document: dict[str, Any], *, now: float, width: int | None) -> list[Text]:
    """Return the ladder of an explanation at `now`."""
    rows = [*_candidates(document), *_skipped(document, now)]
    remedies = document["refusal"]["remedies"] if document["refusal"] else ()
    return [
        _head(document, now),
        Text(),
        *table(("", "PROFILE", "VERDICT", "WHY"), rows, align=">" + "<" * 3, width=width),
        *([Text()] if remedies else []),
        *(Text(f"- {remedy}") for remedy in remedies),
    ]


def _head(document: dict[str, Any], now: float) -> Text:
    line = Text(document["chain"], "bold")
    waits = document["waits_until"]
    if document["serves"]:
        line.append("  would be served by ").append(document["serves"], "green")
        return line.append(f", or by one who is {back_in(waits, now)}" if waits else "")
    line.append("  nobody would serve it now", "red")
    if waits:
        return line.append(f", it would wait for one who is {back_in(waits, now)}", "red")
    soonest = back_in(document["available_at"], now)
    return line.append(f", soonest {soonest}" if soonest else "", "red")


def _candidates(document: dict[str, Any]) -> Iterator[list[Text]]:
    for rank, candidate in enumerate(document["candidates"], 1):
        estimate = candidate["estimate"]
        why = f"about {amount(estimate['tokens'])} tokens"
        if estimate["cost_usd"]:
            why += f", {amount(estimate['cost_usd'], 'cost')}"
        if candidate["probe"]:
            why += ", as the one request that tests it"
        serves = candidate["profile"] == document["serves"]
        verdict = Text("serves", "green") if serves else Text("stands by", "cyan")
        yield [Text(str(rank), "dim"), Text(candidate["profile"]), verdict, Text(why)]


def _skipped(document: dict[str, Any], now: float) -> Iterator[list[Text]]:
    for skipped in document["skipped"]:
        why = [words(skipped["detail"])] if skipped["detail"] != skipped["reason"] else []
        if skipped["never"]:
            why.append("waiting won't help")
        elif skipped["available_at"]:
            why.append(back_in(skipped["available_at"], now))
            if skipped["reason"] in {"cooldown", "exhausted"} and skipped["evidence"]:
                why += trust(skipped["evidence"], now)
        verdict = Text(words(skipped["reason"]), "yellow")
        yield [Text(), Text(skipped["profile"]), verdict, Text(", ".join(filter(None, why)))]

"""`spillover ask "prompt"`: an answer from the first profile with room, without a gateway."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from spillover.cli import screen
from spillover.cli.options import ConfigOption, JsonOption
from spillover.cli.wording import amount
from spillover.errors import RequestError
from spillover.library import ChatAnswer, ChatStream, Spillover

if TYPE_CHECKING:
    from spillover.core.values import Usage

app = typer.Typer()


@app.command()
def ask(
    prompt: Annotated[
        str, typer.Argument(metavar="PROMPT", help="What to ask; - reads it from standard input.")
    ],
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A chain, profile or alias.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", "-s", help="Print words as they come.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Ask a question, counted on the same limits as all else."""
    text = sys.stdin.read() if prompt == "-" else prompt
    if not text.strip():
        raise RequestError("the prompt is empty: write it behind ask, or pipe it in with -")
    if stream and not json:
        asyncio.run(_stream(text, model, config))
    else:
        asyncio.run(_ask(text, model, config, as_json=json))


async def _ask(text: str, model: str | None, config: Path | None, *, as_json: bool) -> None:
    async with Spillover.open(config) as llm:
        answer = await llm.chat(text, model=model)
    if as_json:
        screen.show_json(_document(answer))
        return
    _write(answer.text.rstrip("\n") + "\n")
    _sign(answer.profile, answer.usage)


async def _stream(text: str, model: str | None, config: Path | None) -> None:
    async with Spillover.open(config) as llm:
        answer: ChatStream[object] = llm.stream(text, model=model)
        async for chunk in answer:
            _write(chunk.text)
            sys.stdout.flush()
    sys.stdout.write("\n")
    _sign(answer.profile, answer.usage)


def _write(text: str) -> None:
    """Write what a model said: as it is for a pipe, without commands for a terminal."""
    sys.stdout.write(screen.harmless(text) if sys.stdout.isatty() else text)


def _document(answer: ChatAnswer[object]) -> dict[str, object]:
    used = answer.usage
    return {
        "text": answer.text,
        "profile": answer.profile,
        "trail": [{"profile": sent.profile, "outcome": sent.outcome} for sent in answer.trail],
        "usage": {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
        if used is not None
        else None,
        "request_id": answer.request_id,
    }


def _sign(profile: str | None, usage: Usage | None) -> None:
    """Say on a terminal's standard error who answered, so that a pipe gets the answer alone."""
    if not sys.stderr.isatty():
        return
    tokens = (
        "" if usage is None else f" · {amount(usage.input_tokens + usage.output_tokens)} tokens"
    )
    screen.console(sys.stderr).print(Text(f"{profile}{tokens}", "dim"))

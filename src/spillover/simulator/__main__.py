"""Serve one simulated provider as a process: `python -m spillover.simulator --flavour groq`.

Prints one line of JSON with its addresses when it listens, and serves until it is told to stop.
Refuses to know anything but its options.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from spillover.simulator.flavours import FLAVOURS
from spillover.simulator.hosting import SimulatedProvider, simulate
from spillover.simulator.spec import Model, ProviderSpec, limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

try:
    import uvloop
except ImportError:  # Windows has none
    _new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    _new_loop = uvloop.new_event_loop


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the arguments say; return 0 when told to stop, 1 when the port can't be had."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        spec = _spec(options)
    except ValueError as error:
        parser.error(str(error))
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_serve(spec, options.host, options.port))
    except OSError as error:
        sys.stderr.write(f"can't listen on {options.host}:{options.port}: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m spillover.simulator",
        description="Serve a simulated LLM provider with its own quotas and quirks.",
    )
    parser.add_argument("--flavour", choices=list(FLAVOURS), default="generic")
    parser.add_argument("--name", default="", help="what it calls itself in its answers")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="METRIC=AMOUNT/WINDOW",
        help="such as requests=5/minute or tokens=6K/minute@refill; may be repeated",
    )
    parser.add_argument("--key", action="append", default=[], help="an accepted API key")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME[,context=N][,output=N][,dimensions=N]",
        help="a model it has; without any it has every model",
    )
    parser.add_argument("--answer", help="the text of every answer")
    parser.add_argument("--events", type=int, help="content events of a stream")
    parser.add_argument("--pace", type=float, help="content events per second")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument(
        "--first-token", type=float, default=0.0, help="seconds from a stream's head to its content"
    )
    parser.add_argument("--keep-records", type=int, default=1_000, help="requests remembered")
    return parser


def _spec(options: argparse.Namespace) -> ProviderSpec:
    return ProviderSpec(
        flavour=options.flavour,
        name=options.name,
        models=dict(_model(written) for written in options.model),
        keys=frozenset(options.key),
        limits=limits(*options.limit),
        answer=options.answer,
        events=options.events,
        events_per_s=options.pace,
        delay_s=options.delay,
        first_token_s=options.first_token,
        keep_records=options.keep_records,
    )


def _model(written: str) -> tuple[str, Model]:
    """Read `name,context=8192,dimensions=8`; a name may have any sign but a comma."""
    name, *facts = written.split(",")
    fields = {"context": "context_tokens", "output": "max_output_tokens"}
    found: dict[str, int] = {}
    for fact in facts:
        key, _, amount = fact.partition("=")
        if key not in {*fields, "dimensions"} or not amount.isdigit():
            raise ValueError(f"no model: {written!r} (write NAME,context=N,output=N,dimensions=N)")
        found[fields.get(key, key)] = int(amount)
    return name, Model(**found)


async def _serve(spec: ProviderSpec, host: str, port: int) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; there Ctrl-C ends the process without them.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, told.set)
    async with simulate(spec, host=host, port=port) as provider:
        _announce(provider)
        await told.wait()


def _announce(provider: SimulatedProvider) -> None:
    line = {
        "flavour": provider.spec.flavour,
        "base_url": provider.base_url,
        "control_url": provider.control_url,
        "pid": os.getpid(),
    }
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())

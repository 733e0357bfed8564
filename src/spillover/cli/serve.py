"""`spillover serve`: the gateway, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import typer

from spillover.cli import screen
from spillover.cli.banner import banner
from spillover.cli.demo import NOTHING_FOUND, run_demo
from spillover.cli.options import ConfigOption, HostOption, PortOption
from spillover.cli.telling import sentence
from spillover.config.locate import log_folder
from spillover.core.levels import LogLevel
from spillover.engine.opening import ledger_path
from spillover.events import RequestDone
from spillover.events.log import FILE_NAME, is_wanted, level_of, set_level
from spillover.gateway.serve import ServeOptions, run
from spillover.library.finding import find_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.config.loader import LoadedConfig
    from spillover.engine import Engine
    from spillover.events import Event

app = typer.Typer()


@app.command()
def serve(host: HostOption = None, port: PortOption = None, config: ConfigOption = None) -> None:
    """Answer on one endpoint, from the first profile with room.

    Without a configuration every key in the environment and every local server is used.

    Where there is none either, simulated providers show how it works.
    """
    loaded = asyncio.run(find_config(config, os.environ))
    if loaded is None:
        run_demo(host=host, port=port, traffic=False, opening=NOTHING_FOUND)
        return
    log_to_stderr(loaded.redactor.redact)

    def ready(engine: Engine, address: str) -> None:
        screen.show(
            banner(
                engine.routing,
                address=address,
                facts=_facts(loaded),
                wrong=loaded.missing_keys,
                keyed=bool(loaded.config.server.client_keys),
            )
        )
        for _, event in engine.events.recent():  # a ledger moved aside, or none that can be used
            tell(event)
        engine.events.listen(tell)

    set_level(loaded.config.server.log_level)
    run(loaded, ServeOptions(host=host, port=port, on_ready=ready))


def _facts(loaded: LoadedConfig) -> dict[str, str]:
    source = (
        f"{loaded.path}, changes are taken over live"
        if loaded.path
        else "none: what was found on this machine"
    )
    return {
        "config": source,
        "ledger": str(ledger_path(loaded) or "in memory"),
        "log": str(log_folder(os.environ) / FILE_NAME),
    }


def tell(event: Event) -> None:
    """Print the line of an event that a person should see to standard error, as its level asks for.

    Single requests are told of at the level `debug` alone: there are many.
    """
    requests = is_wanted(LogLevel.DEBUG)
    if isinstance(event, RequestDone) and not requests:
        return
    if is_wanted(level_of(event)):
        line = sentence(event, requests=requests)
        if line is not None:
            screen.note(line)


def log_to_stderr(redact: Callable[[str], str]) -> None:
    """Log warnings and errors to standard error, without secrets."""

    class Redacted(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact(super().format(record))

    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)  # of the rest there are events
    handler.setFormatter(Redacted("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])

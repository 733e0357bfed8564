"""Open the shared record for a command: the same configuration and ledger that a gateway uses.

Refuses to ask a gateway: commands work whether one runs or not.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from spillover.cli import screen
from spillover.engine import Engine, EngineOptions, open_engine
from spillover.errors import LedgerError
from spillover.events import LedgerTrouble
from spillover.library.finding import found_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DEMO: Final = (
    "; a running demo keeps its record in its own memory: see its page (http://127.0.0.1:4400/, "
    "or the address it printed) or GET /api/status there"
)
"""What is said where a command finds no record to work with."""

LOOKING: Final = EngineOptions(serves=False)
"""This shell may lack keys that a running gateway has: its word counts while it runs."""


@asynccontextmanager
async def opened(config: Path | None) -> AsyncIterator[Engine]:
    """Open the engine of a configuration, up to date with what other processes recorded.

    What is odd about the ledger is said on standard error. Raises ConfigError, LedgerError.
    """
    engine = await open_engine(await found_config(config, os.environ, also=DEMO), LOOKING)
    try:
        await engine.ledger.record()
        for message in _troubles(engine):
            screen.complain(message)
        yield engine
    finally:
        await engine.close(grace_s=0.0)


@asynccontextmanager
async def changing(config: Path | None) -> AsyncIterator[Engine]:
    """Open the engine for a change that must outlive this command.

    Raises LedgerError, before or after the change, when nothing keeps it.
    """
    loaded = await found_config(config, os.environ, also=DEMO)
    if loaded.config.storage == "memory":
        raise LedgerError(
            "storage: memory is each process's own, so there is nothing to change from here",
            remedy="use storage: sqlite, or the running gateway's page",
        )
    engine = await open_engine(loaded, LOOKING)
    try:
        await engine.ledger.record()
        _must_keep(engine)
        yield engine
        _must_keep(engine)
    finally:
        await engine.close(grace_s=0.0)


def _must_keep(engine: Engine) -> None:
    troubles = _troubles(engine, failing=True)
    if troubles:
        raise LedgerError(
            f"nothing was changed: {troubles[0]}", remedy="mend that and say it again"
        )


def _troubles(engine: Engine, *, failing: bool = False) -> list[str]:
    """Return what the ledger had to say; only that it is not kept, if `failing`."""
    told = [event for _, event in engine.events.recent() if isinstance(event, LedgerTrouble)]
    return [event.message for event in told if event.failing or not failing]

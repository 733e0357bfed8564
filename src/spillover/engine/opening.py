"""Open an engine from a loaded configuration: the ledger's file, the way out, the routing.

Refuses to know where configurations come from and who serves what the engine answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spillover import __version__
from spillover.clock import SystemClock
from spillover.config.locate import state_folder
from spillover.engine.attempt import Means
from spillover.engine.engine import Engine
from spillover.engine.rounds import Rounds
from spillover.engine.world import World
from spillover.errors import LedgerError
from spillover.events import Bus, LedgerTrouble
from spillover.ledger.history import HistoryStore
from spillover.ledger.journal import StorageError
from spillover.ledger.ledger import Ledger, Trouble
from spillover.ledger.opening import FILE_NAME, Opened, open_journal, postponed_journal
from spillover.upstream import HttpUpstream

if TYPE_CHECKING:
    from spillover.clock import Clock
    from spillover.config.loader import LoadedConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What a caller may want other than the configuration says."""

    ledger_path: Path | None = None
    """The ledger's file; None: as the configuration's `storage` says."""
    in_memory: bool = False
    """Keep the ledger in memory alone, as the demo does."""
    clock: Clock | None = None
    serves: bool = True
    """False: it only looks and changes things by hand; whether a profile has its key, and on which
    account it is, is then the word of those who serve from the same ledger, while there are any."""


async def open_engine(loaded: LoadedConfig, options: EngineOptions | None = None) -> Engine:
    """Open what `loaded` asks for and begin to keep the ledger up.

    Raises `LedgerError` when the ledger's place can't be used and the configuration says to fail
    closed; otherwise the record is kept in memory until it can, and an event says so.
    """
    options = options or EngineOptions()
    clock = options.clock or SystemClock()
    events = Bus()
    opened = _journal(loaded, options, clock)

    def tell(trouble: Trouble) -> None:
        events.publish(
            LedgerTrouble(at=clock.now(), failing=trouble.failing, message=trouble.message)
        )

    if opened.notice is not None:
        tell(Trouble(failing=not opened.durable, message=opened.notice))
    fail_closed = loaded.config.on_ledger_error == "fail_closed"
    degraded = None if opened.durable else opened.notice
    ledger = Ledger(opened.journal, clock, fail_closed=fail_closed, degraded=degraded, tell=tell)
    upstream = HttpUpstream()
    await ledger.start()
    world = World(
        ledger=ledger,
        means=Means(upstream=upstream, clock=clock, rounds=Rounds()),
        events=events,
        history=HistoryStore(_path(loaded, options)),
    )

    async def let_go() -> None:
        await upstream.close()
        await ledger.close()

    engine = Engine(world, version=__version__, closing=let_go, serves=options.serves)
    await engine.reload(loaded)
    world.watch.start()
    if options.serves:
        world.inquiries.start()
        world.history.start()
    return engine


def _journal(loaded: LoadedConfig, options: EngineOptions, clock: Clock) -> Opened:
    path = _path(loaded, options)
    stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
    if path is None:
        return open_journal(None, stamp=stamp)
    try:
        return open_journal(path, stamp=stamp)
    except StorageError as error:
        if loaded.config.on_ledger_error == "fail_closed":
            message = f"the ledger can't be opened: {error}"
            raise LedgerError(message) from error
        return postponed_journal(path, problem=str(error))


def _path(loaded: LoadedConfig, options: EngineOptions) -> Path | None:
    return None if options.in_memory else options.ledger_path or ledger_path(loaded)


def ledger_path(loaded: LoadedConfig) -> Path | None:
    """Return the file that `storage` names; None for memory alone.

    A relative one is meant from the configuration's folder: whoever works with it, from wherever,
    shares one record.
    """
    storage = loaded.config.storage
    if storage == "memory":
        return None
    if storage == "sqlite":
        return state_folder(loaded.environ) / FILE_NAME
    return loaded.folder / Path(storage.removeprefix("sqlite:///")).expanduser()

"""A process of its own that shares a ledger's file: `worker.py MODE PATH`, told of on standard output.

`ask` reserves fifty times once its standard input says so, and tells how many were granted.
`load` reserves and settles without end, and tells of each settlement once it is recorded.
`full` and `read-only` count calls while the file can't grow, or its folder can't be written.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path

from spillover.clock import SystemClock
from spillover.core.limits import Granted
from spillover.ledger.journal import StorageError
from spillover.ledger.ledger import Ledger
from spillover.ledger.opening import open_journal, postponed_journal
from tests.core.making import limit
from tests.ledger.keeping import candidate, limited, settled
from tests.waiting import eventually

FIFTY = limited("a", limit(50, per="minute"))
MANY = limited("a", limit(1_000_000))
NOBODY = 65_534
MOST = resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def say(what: object) -> None:
    print(what, flush=True)


def let_files_grow(size: int) -> None:
    """Set how large this process's files may become."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, MOST))


async def ask(ledger: Ledger) -> None:
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    granted = 0
    for _ in range(50):
        granted += isinstance(await ledger.reserve([candidate(FIFTY)]), Granted)
        await asyncio.sleep(0.001)  # so that the others have their turn too
    say(granted)
    await asyncio.to_thread(sys.stdin.readline)


async def load(ledger: Ledger) -> None:
    async def calls() -> None:
        clock = SystemClock()
        while True:
            found = await ledger.reserve([candidate(MANY)])
            assert isinstance(found, Granted)
            await asyncio.sleep(0.001)
            await ledger.record(settled(found.reservation, MANY, at=clock.now()))
            say(found.reservation)

    await ledger.reserve([candidate(MANY)])  # a call that does not end
    await asyncio.gather(*[calls() for _ in range(8)])


async def count(ledger: Ledger) -> None:
    """Count calls while storage fails, and tell when it works again."""
    for place in range(20):
        found = await ledger.reserve([candidate(MANY)])
        assert isinstance(found, Granted)
        await ledger.record(settled(found.reservation, MANY, at=SystemClock().now()))
        if place == 0:
            say(ledger.degraded or "durable")
    say(ledger.degraded or "durable")
    await asyncio.to_thread(sys.stdin.readline)
    let_files_grow(MOST)
    await eventually(lambda: ledger.degraded is None)
    say("durable")


async def main(mode: str, path: Path) -> None:
    if mode == "full":
        let_files_grow(36 << 10)  # room for the shared memory of SQLite and a few steps
    if mode == "read-only" and os.getuid() == 0:
        await asyncio.to_thread(lambda: None)  # what is imported late may be root's alone
        os.setuid(NOBODY)
    try:
        journal = open_journal(path, stamp="now").journal
    except StorageError as error:
        journal = postponed_journal(path, problem=str(error)).journal
    ledger = Ledger(journal, SystemClock())
    await ledger.start()
    await {"ask": ask, "load": load}.get(mode, count)(ledger)
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))

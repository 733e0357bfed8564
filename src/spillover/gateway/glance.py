"""Keep the file that `spillover status --line` reads, as long as the gateway runs.

Refuses to know what is in it, and to fail: a state folder that can't be written has no line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Final

from spillover.engine.glance import glance
from spillover.ledger.linefile import FILE_NAME, RENEWED_S, write

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.engine import Engine

EVERY_S: Final = 1.0
"""How late the file may be."""


async def keep(engine: Engine, config: Path | None, folder: Path) -> None:
    """Write what there is to say into the state folder when it changes, until cancelled."""
    loop = asyncio.get_running_loop()
    path = "" if config is None else os.path.abspath(config)  # noqa: PTH100, ASYNC240 - as its reader does
    before: dict[str, str] = {}
    written_at = 0.0
    try:
        while True:
            fields = {"config": path, **glance(engine.status())}
            if fields != before or loop.time() - written_at > RENEWED_S - EVERY_S:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(write, folder, fields)
                before, written_at = fields, loop.time()
            await asyncio.sleep(EVERY_S)
    finally:
        with contextlib.suppress(OSError):
            (folder / FILE_NAME).unlink()

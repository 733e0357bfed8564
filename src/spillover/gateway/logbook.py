"""Keep the log of a gateway as long as it runs.

Refuses to know how lines are made and written.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from spillover.events.log import FILE_NAME, Log, set_level
from spillover.events.logfile import LogFile

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.gateway.app import Gateway


async def keep(gateway: Gateway, folder: Path) -> None:
    """Log what the gateway tells, from what it told before on, until cancelled."""
    set_level(gateway.settings.log_level)
    log = Log(LogFile(folder / FILE_NAME), gateway.redact)
    events = gateway.engine.events
    for _, event in events.recent():
        log.put(event)
    events.listen(log.put)
    root = logging.getLogger()
    root.addHandler(log.handler)
    try:
        await asyncio.Event().wait()
    finally:
        root.removeHandler(log.handler)
        await asyncio.to_thread(log.close)

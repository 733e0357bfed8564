"""`spillover status --line`: who serves, how far its fullest limit is used, and who is next.

This is the whole way, gone where no gateway keeps the line up to date (`cli/glance`): it never fails
aloud, for a shell's prompt is no place for errors. Refuses to explain: `spillover status` does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spillover.cli import DEBUG_VARIABLE, DONE, NO, WRONG_USE
from spillover.cli.glance import Asked, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_line(arguments: Sequence[str]) -> int:
    """Print the line; return 0, 1 when the configuration can't be used, 2 for wrong use."""
    asked = Asked(arguments)
    if asked.wrong:
        takes = "--config FILE and --template TEXT"
        sys.stderr.write(f"spillover: status --line takes {takes}, not {asked.wrong}\n")
        return WRONG_USE
    try:
        line = asyncio.run(_line(asked))
    except Exception:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return NO
    sys.stdout.write(line)
    return DONE


async def _line(asked: Asked) -> str:
    from spillover.cli.opened import opened  # noqa: PLC0415 - wrong use needs none of it
    from spillover.engine.glance import glance  # noqa: PLC0415 - the same
    from spillover.library.finding import find_config  # noqa: PLC0415 - the same

    config = None if asked.config is None else Path(asked.config)
    if config is None and await find_config(config, os.environ) is None:
        return ""
    async with opened(config) as engine:
        return shown(glance(engine.status()), asked.template, engine.clock.now())

"""The command line: one file a command.

Every verb works on the same record as a running gateway does, whether one runs or not.
"""

from __future__ import annotations

import sys
from typing import Final

DONE: Final = 0
NO: Final = 1
"""The answer is no, or it could not be done."""
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

DEBUG_VARIABLE: Final = "SPILLOVER_DEBUG"
"""Shows where in the code something went wrong."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 the answer is no, 2 wrong use."""
    from spillover.cli.entry import run  # noqa: PLC0415 - importing this package costs nothing

    sys.exit(run(sys.argv[1:]))

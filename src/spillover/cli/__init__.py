"""The command line: one file a command.

Every verb works on the same record as a running gateway does, whether one runs or not.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as in the package above
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

DONE: Final = 0
NO: Final = 1
"""The answer is no, or it could not be done."""
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

DEBUG_VARIABLE: Final = "SPILLOVER_DEBUG"
"""Shows where in the code something went wrong."""


def is_line(arguments: Sequence[str]) -> bool:
    """Return whether a command line is `status --line`."""
    return arguments[:1] == ["status"] and "--line" in arguments


def main() -> None:
    """Run the command line and exit: 0 done, 1 the answer is no, 2 wrong use."""
    arguments = sys.argv[1:]
    if is_line(arguments):
        from spillover.cli.glance import glanced  # noqa: PLC0415 - importing this package costs nothing

        line = glanced(arguments[1:])
        if line is not None:
            sys.stdout.buffer.write(line.encode())
            sys.exit(DONE)
    from spillover.cli.entry import run  # noqa: PLC0415 - the same

    sys.exit(run(arguments))

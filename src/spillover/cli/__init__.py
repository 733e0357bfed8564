"""The command line: one file a command.

Every verb works on the same record as a running gateway does, whether one runs or not.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit: 0 done, 1 the answer is no, 2 wrong use."""
    from spillover.cli.entry import run  # noqa: PLC0415 - importing this package costs nothing

    sys.exit(run(sys.argv[1:]))

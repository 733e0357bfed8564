"""Run the command line as `python -m spillover`."""

from __future__ import annotations

from spillover.cli import main

if __name__ == "__main__":
    main()

"""Runs a Python example, which may `await` at its top level as in a notebook."""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from pathlib import Path


def main() -> None:
    """Run the file that the first argument names."""
    source = Path(sys.argv[1]).read_text("utf-8")
    code = compile(source, sys.argv[1], "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    pending = eval(code, {"__name__": "__main__"})  # noqa: S307 # our own docs
    if inspect.iscoroutine(pending):
        asyncio.run(pending)


if __name__ == "__main__":
    main()

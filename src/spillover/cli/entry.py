"""Run one command, and turn whatever goes wrong into a sentence and an exit code.

0: done. 1: the answer is no, or it could not be done. 2: wrong use. 130: interrupted.
Refuses to know the commands: it loads the one that is asked for, so that none waits for the others.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from spillover.cli import DEBUG_VARIABLE, DONE, INTERRUPTED, NO, is_line

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "serve": "serve",
    "init": "init",
    "check": "check",
    "add": "add",
    "demo": "demo",
    "status": "status",
    "usage": "usage",
    "use": "use",
    "enable": "switch",
    "disable": "switch",
    "probe": "probe",
    "explain": "explain",
    "ask": "ask",
    "errors": "errors",
    "catalogue": "catalogue",
    "connect": "connect",
    "doctor": "doctor",
    "verify": "doctor",
    "monitor": "doctor",
    "import": "import_",
    "logs": "logs",
    "reset": "reset",
    "backup": "backup",
    "restore": "backup",
    "service": "service",
}
"""Every command in the order of the help, and the module that holds it."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit code."""
    try:
        code = _line(arguments) if is_line(arguments) else _command(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return NO
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, never a stack trace
        return _explained(error)
    return code


def _line(arguments: Sequence[str]) -> int:
    """Run `status --line`, which shells ask for at every prompt: nothing else is loaded."""
    from spillover.cli.line import run_line  # noqa: PLC0415 - loaded when it is asked for

    return run_line(list(arguments[1:]))


def _command(arguments: Sequence[str]) -> int:
    from spillover.cli.app import build  # noqa: PLC0415 - loaded when it is asked for

    named = next((word for word in arguments if not word.startswith("-")), "")
    if named in COMMANDS:
        modules = [COMMANDS[named]]
    else:
        modules = [] if "--version" in arguments else list(dict.fromkeys(COMMANDS.values()))
    app = build([import_module(f"spillover.cli.{module}") for module in modules])
    try:
        app(args=list(arguments), prog_name="spillover")
    except SystemExit as end:  # how typer ends every command
        return end.code if isinstance(end.code, int) else NO
    return DONE


def _drop_output() -> None:
    """Send what is still buffered for a reader that left to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> int:
    """Say what went wrong in one sentence, or in one a problem; details come on demand."""
    from spillover.cli.screen import complain  # noqa: PLC0415 - loaded when it is needed
    from spillover.errors import ConfigError, SpilloverError  # noqa: PLC0415 - the same

    if os.environ.get(DEBUG_VARIABLE):
        import traceback  # noqa: PLC0415 - the same

        traceback.print_exception(error)
    match error:
        case ConfigError():
            for problem in error.problems:
                complain(str(problem))
        case SpilloverError():
            complain(str(error))
        case OSError() if error.filename is not None:
            complain(f"{error.filename}: {error.strerror or error}")
        case _:
            complain(
                f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
                f" (set {DEBUG_VARIABLE}=1 to see where)"
            )
    return NO

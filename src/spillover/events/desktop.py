"""Show a notice on this machine's desktop, by the command that the platform has for it.

The text goes as an argument or a variable, never through a shell. Blocks: it is called on a thread.
Refuses to know notices.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHIN_S: Final = 10.0

_APPLE: Final = (
    "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
)
_WINDOWS: Final = (
    "Add-Type -AssemblyName System.Windows.Forms;"
    "$n = New-Object System.Windows.Forms.NotifyIcon;"
    "$n.Icon = [System.Drawing.SystemIcons]::Information; $n.Visible = $true;"
    "$n.ShowBalloonTip(8000, $env:SPILLOVER_TITLE, $env:SPILLOVER_TEXT, 'Info');"
    "Start-Sleep -Seconds 5; $n.Dispose()"
)


class NoDesktop(Exception):
    """There is no desktop, or nothing that shows notices on it."""


def command(platform: str, title: str, text: str) -> list[str]:
    """Return the command that shows a notice on a platform, as `sys.platform` names it."""
    match platform:
        case "darwin":
            return ["osascript", "-e", _APPLE, title, text]
        case "win32":
            # The text is read from the environment: as an argument it would be read as a program.
            return ["powershell", "-NoProfile", "-NonInteractive", "-Command", _WINDOWS]
        case _:
            return ["notify-send", "--app-name=Spillover", "--", title, text]


def show(title: str, text: str, environ: Mapping[str, str] | None = None) -> None:
    """Show a notice; raises `NoDesktop` with what is missing."""
    own = dict(os.environ if environ is None else environ)
    words = command(sys.platform, title, text)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            words,
            env={**own, "SPILLOVER_TITLE": title, "SPILLOVER_TEXT": text},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    except FileNotFoundError:
        message = f"{words[0]} is not installed"
        raise NoDesktop(message) from None
    except OSError as error:
        message = f"{words[0]} can't be run ({error.strerror or error})"
        raise NoDesktop(message) from None
    except subprocess.TimeoutExpired:
        message = f"{words[0]} took longer than {WITHIN_S:g} s"
        raise NoDesktop(message) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        message = f"{words[0]}: {said[-1] if said else f'exit code {done.returncode}'}"
        raise NoDesktop(message)

"""Answer `spillover status --line` from the small file that a running gateway keeps.

A shell asks for it at every prompt, so this is done before the command line's library, asyncio and
the configuration are loaded, in about the time that Python takes to start.
Refuses to work anything out: where the file can't be trusted, the whole way is gone.
"""

from __future__ import annotations

import os
import sys
import time

from spillover.cli.spans import back_at
from spillover.ledger.linefile import read

TYPE_CHECKING = False  # `typing` is not loaded for it
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIELDS = ("chain", "serving", "used", "amount", "limit", "next", "back", "line")
"""What a template may hold."""


class Asked:
    """What a command line asks of the status line."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Read what follows `status`."""
        self.config: str | None = None
        self.template = "{line}"
        self.wrong = ""
        """The first argument that is not understood."""
        rest = [word for word in arguments if word != "--line"]
        while rest:
            word = rest.pop(0)
            name, has_value, value = word.partition("=")
            if name not in {"--config", "-c", "--template", "-t"} or not (has_value or rest):
                self.wrong = word
                return
            given = value if has_value else rest.pop(0)
            if name in {"--config", "-c"}:
                self.config = given
            else:
                self.template = given


def glanced(arguments: Sequence[str]) -> str | None:
    """Return what to print, from the gateway's file; None where it has to be worked out."""
    asked = Asked(arguments)
    named = asked.config or os.environ.get("SPILLOVER_CONFIG")
    found = None if asked.wrong else read(state_folder(os.environ))
    path = os.path.abspath(os.path.expanduser(named)) if named else None
    if found is None or (path is not None and path != found.get("config")):
        return None
    return shown(found, asked.template, time.time())


def shown(found: Mapping[str, str], template: str, now: float) -> str:
    """Return a template with its `{fields}` filled in at `now`; "" when there is nothing to say."""
    if "chain" not in found:
        return ""
    fields = {name: found.get(name, "") for name in FIELDS}
    if "waited" in found:
        fields["back"] = f"{found['waited']} {back_at(float(found['back_at']), now)}"
    parts = [fields["serving"] or "nobody can serve"]
    if fields["limit"]:
        parts.append(f"{fields['used']}/{fields['amount']} {fields['limit']}")
    if fields["next"]:
        parts.append(f"▸ next {fields['next']}")
    elif fields["back"]:
        parts.append(f"▸ {fields['back']}")
    fields["line"] = " ".join(parts)
    for name, value in fields.items():
        template = template.replace(f"{{{name}}}", value)
    return template + "\n"


def state_folder(environ: Mapping[str, str]) -> str:
    """Return the folder that `config.locate.state_folder` finds, without loading what it needs."""
    named = environ.get("SPILLOVER_STATE_DIR")
    if named:
        return os.path.expanduser(named)
    if sys.platform == "win32":
        return os.path.join(environ.get("LOCALAPPDATA", ""), "spillover")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/spillover")
    base = environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")
    return os.path.join(base, "spillover")

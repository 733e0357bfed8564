"""Keep the credentials that come with an import where they belong, all of them or none.

In the machine's key ring, or where there is none in the `.env` beside the configuration, which its
owner alone can read. A variable that holds the same already is used as it is.
Refuses to know what they open, and to show them.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from spillover.config.files import PRIVATE_FILE, content_of, write_whole
from spillover.config.keeping import forget, keep_in_ring
from spillover.config.locate import LARGEST_ENV, env_path, read_env
from spillover.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spillover.config.secrets import Secret

_ILLEGAL: Final = re.compile(r"[^A-Z0-9]+")
_OTHERS: Final = 0o077


class Stowage:
    """The credentials of one import, and how the configuration refers to each."""

    def __init__(self, path: Path, environ: Mapping[str, str], *, ring: bool) -> None:
        """Keep them for the configuration at `path`; `ring`: in the key ring where there is one."""
        self._folder = path.parent
        self._env = env_path(path)
        self._environ = dict(environ)
        self._kept = read_env(self._env)
        self._ring = ring
        self._references: dict[str, str] = {}
        self._fresh: dict[str, str] = {}
        self._in_ring: list[str] = []
        self._numbers: dict[str, int] = {}
        """By variable wanted: how many there are of it, as far as is known."""
        self._before: bytes | None = None
        self._wrote = False

    @property
    def variables(self) -> dict[str, str]:
        """The variables that are to be written into the `.env`."""
        return dict(self._fresh)

    @property
    def told(self) -> tuple[str, ...]:
        """The references to what is kept anew."""
        return (*(f"${{{name}}}" for name in self._fresh), *self._in_ring)

    def refer(self, secret: Secret, wanted: str, usual: Iterable[str] = ()) -> str:
        """Return how the configuration is to refer to a credential of a profile or header.

        `usual` are its provider's variables; one that holds it is used. Raises OSError.
        """
        value = secret.reveal()
        if value not in self._references:
            self._references[value] = self._reference(value, wanted, tuple(usual))
        return self._references[value]

    def write(self) -> None:
        """Write the `.env`; raises OSError and RequestError."""
        if not self._fresh:
            return
        before = content_of(self._env)
        kept = read_env(self._env)
        if any(kept.get(name, value) != value for name, value in self._fresh.items()):
            raise RequestError(f"{self._env} changed meanwhile: import once more")
        text = b"" if before is None else before
        if text and not text.endswith(b"\n"):
            text += b"\n"
        text += "".join(
            f"{name}={_quoted(value)}\n" for name, value in self._fresh.items()
        ).encode()
        if len(text) > LARGEST_ENV:
            raise RequestError(f"{self._env} would be larger than {LARGEST_ENV >> 10} KiB")
        if before is not None and self._env.stat().st_mode & _OTHERS:
            self._env.chmod(PRIVATE_FILE)
        write_whole(self._env, text, mode=PRIVATE_FILE)
        self._before, self._wrote = before, True

    def undo(self) -> None:
        """Take everything away again that was kept."""
        for reference in self._in_ring:
            forget(reference, folder=self._folder)
        if self._wrote and self._before is None:
            self._env.unlink(missing_ok=True)
        elif self._wrote and self._before is not None:
            write_whole(self._env, self._before)

    def _reference(self, value: str, wanted: str, usual: tuple[str, ...]) -> str:
        held = {**self._kept, **self._environ}
        for name in usual:
            if held.get(name) == value:
                return f"${{{name}}}"
        if self._ring:
            kept = keep_in_ring(f"{wanted}-{secrets.token_hex(4)}", value)
            if kept is not None:
                self._in_ring.append(kept)
                return kept
            self._ring = False  # it won't answer the next time either
        name = self._free(usual[0] if usual else _variable(wanted), value)
        self._fresh |= {} if held.get(name) == value else {name: value}
        return f"${{{name}}}"

    def _free(self, wanted: str, value: str) -> str:
        """A variable that nothing else is in; one of the environment would win over the `.env`."""
        number = self._numbers.get(wanted, 1)
        name = wanted if number == 1 else f"{wanted}_{number}"
        while self._is_other(name, value):
            number += 1
            name = f"{wanted}_{number}"
        self._numbers[wanted] = number
        return name

    def _is_other(self, name: str, value: str) -> bool:
        if name in self._environ:
            return self._environ[name] != value
        return (self._fresh.get(name) or self._kept.get(name) or value) != value


def _variable(wanted: str) -> str:
    name = _ILLEGAL.sub("_", wanted.upper()).strip("_")
    return f"K_{name}" if name[:1].isdigit() else name


def _quoted(value: str) -> str:
    """A value as `read_env` reads it back, whatever signs it holds."""
    if "'" not in value:
        return f"'{value}'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

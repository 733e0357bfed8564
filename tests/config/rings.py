"""A key ring in memory, in the place of the machine's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import keyring
import keyring.backend

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ring(keyring.backend.KeyringBackend):
    """Keeps what it is given; refuses everything while it is locked."""

    priority = 1
    viable = False  # chosen by the tests alone, never by keyring itself

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        if self.held.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")

    def _check(self) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")


@contextmanager
def ring_in_use() -> Iterator[Ring]:
    """Use a key ring in memory while the context lasts."""
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    try:
        yield ring
    finally:
        keyring.set_keyring(before)

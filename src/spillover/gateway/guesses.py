"""Slow down who guesses at the admin key, and hold nobody else up for long.

An address may show a few different wrong keys a minute; what it shows beyond them is not looked at.
A wrong key that comes again tells a guesser nothing, so a program that was given a wrong one uses
nothing up. Kept in memory, and bounded. Refuses to know how keys are shown, and the time.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from math import ceil
from typing import TYPE_CHECKING, Final

from spillover.config.addresses import address_of

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 10
"""Different wrong keys of one address within that time; then each waits for the oldest's end."""
WITHIN_S: Final = 60.0
MOST_KNOWN: Final = 1_024
"""Addresses that are remembered; the one that was quiet for longest makes room."""
_OWN_BITS: Final = 64
"""Bits of an IPv6 address that its owner can change at will."""


class Guesses:
    """Wrong keys of late, by where they came from."""

    def __init__(self) -> None:
        self._wrong: dict[str, dict[bytes, float]] = {}
        """Prints of keys, and when each was first shown, in epoch seconds."""

    def wait_s(self, address: str, prints: Sequence[bytes], at: float) -> int:
        """Return in how many seconds keys of these prints may be looked at; 0: now."""
        wrong = self._of_late(_owner(address), at)
        if len(wrong) < MOST or all(each in wrong for each in prints):
            return 0
        return max(1, ceil(min(wrong.values()) + WITHIN_S - at))

    def note(self, address: str, prints: Sequence[bytes], at: float) -> None:
        """Remember keys that were wrong."""
        owner = _owner(address)
        wrong = dict.fromkeys(prints, at) | self._of_late(owner, at)
        self._wrong.pop(owner, None)
        if wrong:
            self._wrong[owner] = wrong
        if len(self._wrong) > MOST_KNOWN:
            del self._wrong[next(iter(self._wrong))]

    def _of_late(self, owner: str, at: float) -> dict[bytes, float]:
        wrong = self._wrong.get(owner, {})
        # A clock that was put back makes no one wait longer.
        return {each: when for each, when in wrong.items() if 0 <= at - when < WITHIN_S}


def _owner(address: str) -> str:
    """Return what all addresses of one sender have in common."""
    found = address_of(address)
    if not isinstance(found, IPv6Address):
        return address
    return str(int(found) >> _OWN_BITS)

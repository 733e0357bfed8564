"""Let a browser in that has shown the admin key: by a cookie that proves it for some days.

The cookie holds an end, a number of its own and their signature under the key, so that it outlives
a restart, and ends with the key. Those that were logged out are kept until their end, in memory,
and bounded. Refuses to know routes and headers.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

COOKIE: Final = "spillover_session"
LASTS_S: Final = 7 * 86_400
MOST_ENDED: Final = 1_024
"""Sessions logged out that are remembered; with more, those that end first are all ended at once."""
_PURPOSE: Final = "spillover dashboard session "
_NUMBER_BYTES: Final = 8
"""Of the number that tells two sessions of one second apart."""


class Sessions:
    """The cookies that were issued, as far as anything must be known of them."""

    def __init__(self) -> None:
        self._ended: dict[bytes, int] = {}
        """Prints of cookies that were logged out, and until when they would hold."""
        self._none_until = 0
        """No session that ends by then is let in any more: which of them were logged out is forgotten."""

    def issue(self, key_digest: bytes, now: float) -> str:
        """Return a cookie's value for whoever has shown the key of that digest."""
        begin = f"{int(now) + LASTS_S}.{secrets.token_hex(_NUMBER_BYTES)}"
        return f"{begin}.{_sign(key_digest, begin)}"

    def is_valid(self, cookie: str, key_digest: bytes, now: float) -> bool:
        """Whether a cookie was issued under the key, and has neither ended nor been ended."""
        begin, _, signature = cookie.rpartition(".")
        signed = hmac.compare_digest(signature.encode(), _sign(key_digest, begin).encode())
        if not signed:
            return False
        until = _until(cookie)
        return until > now and until > self._none_until and _print_of(cookie) not in self._ended

    def end(self, cookie: str, key_digest: bytes, now: float) -> None:
        """Let nobody in by a cookie any more; one that lets nobody in is not remembered."""
        if not self.is_valid(cookie, key_digest, now):
            return
        self._ended = {each: until for each, until in self._ended.items() if until > now}
        self._ended[_print_of(cookie)] = _until(cookie)
        if len(self._ended) > MOST_ENDED:
            self._none_until = min(self._ended.values())
            self._ended = {
                each: until for each, until in self._ended.items() if until > self._none_until
            }


def _until(cookie: str) -> int:
    """Return the end of a cookie that was issued here."""
    return int(cookie.partition(".")[0])


def _print_of(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def _sign(key_digest: bytes, begin: str) -> str:
    return hmac.new(key_digest, (_PURPOSE + begin).encode("utf-8", "replace"), "sha256").hexdigest()

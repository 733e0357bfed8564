"""Let a browser in that has shown the admin key: by a cookie that proves it for some days.

The cookie holds an end and its signature under the key, so nothing is kept here: it outlives a
restart, and ends with the key. Refuses to know routes and headers.
"""

from __future__ import annotations

import hmac
from typing import Final

COOKIE: Final = "spillover_session"
LASTS_S: Final = 7 * 86_400
_PURPOSE: Final = b"spillover dashboard session until "


def issue(key_digest: bytes, now: float) -> str:
    """Return a cookie's value for whoever has shown the key of that digest."""
    until = int(now) + LASTS_S
    return f"{until}.{_sign(key_digest, until)}"


def is_valid(cookie: str, key_digest: bytes, now: float) -> bool:
    """Whether a cookie was issued under the key, and has not ended."""
    written, _, signature = cookie.partition(".")
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(LASTS_S)) + 8):
        return False
    until = int(written)
    signed = hmac.compare_digest(signature.encode(), _sign(key_digest, until).encode())
    return signed and until > now


def _sign(key_digest: bytes, until: int) -> str:
    return hmac.new(key_digest, _PURPOSE + b"%d" % until, "sha256").hexdigest()

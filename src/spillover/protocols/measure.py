"""Count the characters of text, those that weigh about a token apart.

Refuses to know where text comes from and what a token is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import msgspec

_WIDE_LEADS: Final = bytes((*range(0xE3, 0xEE), 0xF0))
"""First UTF-8 bytes of U+3000..U+DFFF (CJK, kana, hangul) and of U+10000..U+3FFFF."""


def measure(text: str) -> tuple[int, int]:
    """Return (ordinary, wide) characters of `text`."""
    if text.isascii():
        return len(text), 0
    raw = text.encode("utf-8", "surrogatepass")
    wide = len(raw) - len(raw.translate(None, _WIDE_LEADS))
    return len(text) - wide, wide


def measure_raw(raw: msgspec.Raw) -> tuple[int, int]:
    """Return (ordinary, wide) characters of JSON as it is written, quotes and escapes included."""
    return measure(str(raw, "utf-8", "replace"))

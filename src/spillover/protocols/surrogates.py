r"""Mend JSON that holds halves of characters: `\ud83d` without what makes it an emoji.

Programs that count in UTF-16 cut texts there, and their own JSON writes and reads such halves;
msgspec, Rust and many servers read none. Refuses to know what the text is for.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)
"""A whole pair, a half, or any other escape: one after the other, so that none is read from its middle."""
_REPLACEMENT: Final = rb"\ufffd"
"""What Unicode has for a character that is not whole."""


def whole_characters(body: bytes) -> bytes | None:
    """Return JSON with every half of a character replaced; None: it holds none."""
    mended = _ESCAPE.sub(lambda found: _REPLACEMENT if found[1] else found[0], body)
    return None if mended == body else mended

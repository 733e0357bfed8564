"""Give each file of the page an address that names its content, so that browsers may keep it.

Refuses to know pages. The files are few and small: all are read when the first is asked for.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).with_name("static")
PREFIX: Final = "/static/"
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_DIGITS: Final = 12
"""Of the content's hash: enough that no two versions meet."""


class Asset(NamedTuple):
    """A file as it is sent."""

    kind: str
    body: bytes


class Assets(NamedTuple):
    """All files."""

    addresses: dict[str, str]
    """From a file's name to the path that it is served under."""
    files: dict[str, Asset]
    """By the part of that path after `PREFIX`."""


@cache
def assets() -> Assets:
    """Return the files of the dashboard."""
    found = Assets({}, {})
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix not in _TYPES:
            continue
        body = path.read_bytes()
        digest = hashlib.sha256(body).hexdigest()[:_DIGITS]
        served = f"{path.stem}.{digest}{path.suffix}"
        found.addresses[path.name] = PREFIX + served
        found.files[served] = Asset(_TYPES[path.suffix], body)
    return found

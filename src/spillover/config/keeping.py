"""Keep a key that was pasted where keys belong, and say how the configuration refers to it.

In the machine's key ring, or where there is none in a file that its owner alone can read.
Refuses to know what the key opens, and to show it.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from spillover.config.files import PRIVATE_FILE, PRIVATE_FOLDER
from spillover.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.config.secrets import Secret

SERVICE: Final = "spillover"
FOLDER: Final = "keys"
_LONGEST: Final = 8_192


def keep(key: Secret, profile: str, *, folder: Path) -> str:
    """Keep a key for a profile; return the reference to it, for a file in `folder`.

    No other entry is ever overwritten. Raises RequestError for what can be no key, and OSError.
    """
    text = key.reveal().strip()
    if not text or len(text) > _LONGEST or not all("!" <= letter <= "~" for letter in text):
        raise RequestError("the key is empty, or holds spaces or signs that no key has")
    name = f"{profile}-{secrets.token_hex(4)}"
    return keep_in_ring(name, text) or _in_file(name, text, folder)


def keep_in_ring(name: str, text: str) -> str | None:
    """Put a secret into the machine's key ring; return the reference to it, None where there is none."""
    return f"keyring:{name}" if _in_ring(name, text) else None


def forget(reference: str, *, folder: Path) -> None:
    """Take a kept key away again, as far as that can be done."""
    kind, _, name = reference.partition(":")
    if kind == "file":
        (folder / name).unlink(missing_ok=True)
        return
    import keyring  # noqa: PLC0415 (an extra; a key was put into it)
    from keyring.errors import KeyringError  # noqa: PLC0415 (the same)

    try:
        keyring.delete_password(SERVICE, name)
    except KeyringError:
        return


def _in_ring(name: str, text: str) -> bool:
    """Put a key into the machine's key ring; return whether it is there now."""
    try:
        import keyring  # noqa: PLC0415 (an extra, loaded when there is a key to keep)
        from keyring.errors import KeyringError  # noqa: PLC0415 (the same)
    except ImportError:
        return False
    try:
        keyring.set_password(SERVICE, name, text)
        return bool(keyring.get_password(SERVICE, name) == text)
    except (KeyringError, RuntimeError, OSError):
        return False


def _in_file(name: str, text: str, folder: Path) -> str:
    place = folder / FOLDER / name
    place.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
    return f"file:{FOLDER}/{name}"

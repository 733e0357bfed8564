"""Write files whole or not at all, and keep processes from writing at the same time.

Refuses to know what is written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spillover.config.swapping import swap

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
LARGEST: Final = 64 << 20
"""Bytes of the largest file that is read whole: a device in its place would never end."""
_WRITABLE: Final = 0o222


class Changed(Exception):
    """A file is not what it was when it was read."""


def read_whole(path: Path) -> bytes:
    """Return a file's content; raises OSError, for a huge one too."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def content_of(path: Path) -> bytes | None:
    """Return a file's content, None where there is no file; raises OSError."""
    try:
        return read_whole(path)
    except FileNotFoundError:
        return None


def write_whole(
    path: Path, content: bytes, *, expected: bytes | None = None, mode: int | None = None
) -> None:
    """Write a file so that nobody ever reads half of it, and nothing is lost when power fails.

    A symbolic link is followed; who may read the file stays as it is (`mode`: of a new one, else
    its owner alone). Raises Changed if it does not hold what is `expected`, and OSError.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _take_after(Path(name), target, mode)
        _put(Path(name), target, content, expected)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _keep_name(target.parent)


def _put(new: Path, target: Path, content: bytes, expected: bytes | None) -> None:
    """Put a file in another's place; raises Changed if that is not what is `expected`.

    An editor may save at any moment, so what was there is looked at once it is out of the way.
    """
    if expected is not None and content_of(target) != expected:
        raise Changed
    if expected is None or not swap(new, target):
        new.replace(target)
        return
    if content_of(new) != expected:
        swap(new, target)
        if content_of(new) != content:  # saved once more meanwhile: the latest stays
            swap(new, target)
        raise Changed
    new.unlink()


def _take_after(new: Path, old: Path, mode: int | None) -> None:
    """Give a file the mode and the owner of the one in whose place it comes."""
    try:
        known = old.stat()
    except FileNotFoundError:
        new.chmod(PRIVATE_FILE if mode is None else mode)
        return
    if not known.st_mode & _WRITABLE:
        raise PermissionError(1, "it is read-only", str(old))
    if sys.platform != "win32":
        with contextlib.suppress(PermissionError):
            os.chown(new, known.st_uid, known.st_gid)
    new.chmod(known.st_mode & 0o7777)


def _keep_name(folder: Path) -> None:
    """Have the folder's entry survive a power failure, where the system can say so."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process is within this context for the same path; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

"""Pack a set-up into one file, and unpack one that may come from anywhere.

A zip file with a manifest that names every other entry, its size and its fingerprint. Entries have
the names known here and no others, so none can leave the folder; none may be larger than its kind
can be, whatever it claims. Refuses to know what the entries say.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Final

import msgspec

from spillover.config.document import LARGEST_BYTES
from spillover.config.locate import FILE_NAME as CONFIG
from spillover.config.overrides import FILE_NAMES as CATALOGUES
from spillover.errors import BackupError
from spillover.ledger.opening import FILE_NAME as LEDGER
from spillover.recovery.withholding import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
LARGEST: Final = {
    MANIFEST: 1 << 20,
    CONFIG: LARGEST_BYTES,
    **dict.fromkeys(CATALOGUES, LARGEST_BYTES),
    LEDGER: 256 << 20,
}
"""Every entry there may be, and its bytes."""
_PART: Final = 1 << 16
_SPOILT: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # another compression
    RuntimeError,  # encrypted
    ValueError,
    OSError,  # EINVAL: places before the file's beginning
)
"""What `zipfile` raises for what is no whole archive."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds, and what it leaves out."""

    format: int = FORMAT
    version: str
    """Of the Spillover that made it."""
    made_at: str
    prints: dict[str, str]
    """By entry: the SHA-256 of its content."""
    env: tuple[str, ...] = ()
    """Names in the `.env`; their values are left out."""
    withheld: tuple[Variable, ...] = ()
    """Secrets that stood in the configuration itself."""
    readable: bool = True
    """False: the configuration was no YAML, and is there to be looked at alone."""
    notes: tuple[str, ...] = ()
    """What else is not in it, and why."""


def pack(target: Path, manifest: Manifest, entries: Mapping[str, Path]) -> None:
    """Write an archive that its owner alone can read; raises BackupError where a file is there."""
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BackupError(f"{target} is there already: name another file") from None
    try:
        with (
            os.fdopen(handle, "wb") as opened,
            zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            for name, path in entries.items():
                archive.write(path, name)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def print_of(path: Path) -> str:
    """Return the fingerprint of a file's content."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def unpack(source: Path, folder: Path) -> tuple[Manifest, dict[str, Path]]:
    """Unpack an archive into an empty folder; return its manifest and the files by entry.

    Raises BackupError for what is no whole archive of ours, and OSError.
    """
    known = source.stat()
    if stat.S_ISDIR(known.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(source))
    if not stat.S_ISREG(known.st_mode) or known.st_size > sum(LARGEST.values()):
        raise BackupError(f"{source} is no whole backup: it has no end, or is larger than any")
    try:
        with source.open("rb") as opened, zipfile.ZipFile(opened) as archive:
            entries = _entries(archive)
            for name, entry in entries.items():
                with archive.open(entry) as packed:
                    _write(folder / name, packed, LARGEST[name], name)
    except _SPOILT as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise BackupError(f"{source} is no whole backup: {error}") from None
    manifest = _manifest(source, folder / MANIFEST)
    files = {name: folder / name for name in entries if name != MANIFEST}
    found = {name: print_of(path) for name, path in files.items()}
    if found != manifest.prints:
        raise BackupError(f"{source} is no whole backup: its entries are not those it names")
    return manifest, files


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        if entry.filename not in LARGEST or entry.filename in entries:
            raise BackupError(
                f"the archive has an entry {entry.filename[:80]!r} that is none of ours"
            )
        entries[entry.filename] = entry
    if MANIFEST not in entries:
        raise BackupError(f"the archive has no {MANIFEST}: spillover backup made none of it")
    return entries


def _write(target: Path, packed: IO[bytes], most: int, name: str) -> None:
    """Unpack an entry, no further than it may be long."""
    written = 0
    with target.open("xb") as opened:
        while part := packed.read(_PART):
            written += len(part)
            if written > most:
                raise BackupError(f"{name} in the archive is larger than {most:,} bytes")
            opened.write(part)


def _manifest(source: Path, path: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackupError(f"{source} is no whole backup: {error}") from None
    if manifest.format != FORMAT:
        raise BackupError(
            f"{source} was made by Spillover {manifest.version[:40]} in a form this version can't read"
        )
    return manifest

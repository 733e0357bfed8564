"""Look for what processes left that were killed: by names that only Spillover gives, where it writes.

A key that any text of the configuration names, an earlier one too, is no leftover. Refuses to judge.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import TYPE_CHECKING, Final

from spillover.clock import SystemClock
from spillover.config.files import read_whole
from spillover.config.keeping import FOLDER as KEYS
from spillover.config.locate import FILE_NAME as CONFIG
from spillover.config.locate import state_folder
from spillover.config.overrides import FILE_NAMES as CATALOGUES
from spillover.config.versions import place_of, read_history
from spillover.doctor.judge.leftovers import Leftover
from spillover.ledger.opening import FILE_NAME as LEDGER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.doctor.probe.subject import Subject

_RANDOM: Final = r"[a-z0-9_]{8}"
"""What Python's `tempfile` puts behind a prefix."""
_KEY: Final = re.compile(r".+-[0-9a-f]{8}")
_SCRATCH: Final = re.compile(rf"\.(restore|backup)-{_RANDOM}")
_NEW_LEDGER: Final = re.compile(rf"{re.escape(LEDGER)}\.new-\d{{8}}T\d{{6}}Z")
_VERSION: Final = re.compile(rf"\.[0-9a-f]{{16}}\.json\.{_RANDOM}")
_IN_SCRATCH: Final = {"manifest.json", CONFIG, LEDGER, *CATALOGUES}
_OTHERS: Final = 0o077


def leftovers(subject: Subject) -> tuple[Leftover, ...]:
    """Return what nobody needs any more, as far as that is certain; it may be in use yet."""
    environ = subject.environ if subject.loaded is None else subject.loaded.environ
    state = state_folder(environ)
    now = SystemClock().now()
    found = [*_unfinished(subject, state), *_keys(subject, state)]
    return tuple(
        Leftover(path=path, what=what, age_s=now - path.lstat().st_mtime)
        for path, what in dict(found).items()
        if path.exists()
    )


def _unfinished(subject: Subject, state: Path) -> Iterator[tuple[Path, str]]:
    """Yield files that were to take another's place, and folders of a backup's parts."""
    for target in (subject.path.resolve(), subject.env_path.resolve()):
        for name in {target.name, *CATALOGUES}:
            half = re.compile(rf"\.{re.escape(name)}\.{_RANDOM}")
            yield from ((each, f"an unfinished {name}") for each in _files(target.parent, half))
    for each in _files(state, _NEW_LEDGER):
        yield each, "an unfinished record"
    for each in _files(state / "versions", _VERSION):
        yield each, "an unfinished list of versions"
    for folder in (subject.path.parent, state / "backups"):
        for each in _entries(folder):
            if _SCRATCH.fullmatch(each.name) and _is_scratch(each):
                yield each, "an unpacked backup"


def _keys(subject: Subject, state: Path) -> Iterator[tuple[Path, str]]:
    """Yield kept keys that no configuration names, as it is or was."""
    kept = [*_files(subject.path.parent / KEYS, _KEY)]
    if not kept:
        return
    try:
        texts = [read_whole(each) for each in _entries(subject.path.parent) if each.is_file()]
        history = read_history(place_of(subject.path, state))
    except OSError:
        return  # what can't be read may name any of them
    texts += [each.source for each in history.versions]
    for each in kept:
        private = sys.platform == "win32" or not each.stat().st_mode & _OTHERS
        if private and not any(each.name.encode() in text for text in texts):
            yield each, "a key that no configuration names"


def _is_scratch(folder: Path) -> bool:
    """Whether a folder holds nothing but what a backup is made of."""
    known = folder.lstat()
    return (
        stat.S_ISDIR(known.st_mode)
        and _is_mine(known)
        and {each.name for each in _entries(folder)} <= _IN_SCRATCH
    )


def _files(folder: Path, named: re.Pattern[str]) -> Iterator[Path]:
    """Yield this user's own files of such names."""
    for each in _entries(folder):
        if named.fullmatch(each.name):
            known = each.lstat()
            if stat.S_ISREG(known.st_mode) and _is_mine(known):
                yield each


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_mine(known: os.stat_result) -> bool:
    return sys.platform == "win32" or known.st_uid == os.getuid()

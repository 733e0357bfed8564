"""Follow a configuration file: each change comes as a loaded configuration, or as what is wrong.

Sees edits, editors that replace the file, symbolic links that are switched, the `.env` and the
files of secrets. Never ends by itself and never raises: what runs goes on running meanwhile.
Refuses to decide what becomes of a change.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from spillover.config.loader import LoadedConfig, digest, load
from spillover.config.locate import env_path
from spillover.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

_DEBOUNCE_MS: Final = 100
"""An editor's several writes make one change."""
_STEP_MS: Final = 25
_LOOK_AGAIN_MS: Final = 2_000
"""Compared at least this often: some file systems tell nothing, and a change may come unwatched."""
_SETTLE_S: Final = 0.2
_RETRY_S: Final = 1.0
"""Pause before a folder that can't be watched (it was removed) is tried again."""


async def changes(
    loaded: LoadedConfig, *, environ: Mapping[str, str], stop: asyncio.Event | None = None
) -> AsyncIterator[LoadedConfig | ConfigError]:
    """Yield each change of a configuration's file until `stop` is set.

    `environ` is the environment without the `.env`, as it was given to `load`. What was yielded
    last is the state compared with: an edit that is taken back is a change too, an equal one isn't.
    Raises ValueError for a configuration that stands in no file.
    """
    path = loaded.path
    if path is None:
        raise ValueError("a configuration that stands in no file can't be followed")
    ending = stop or asyncio.Event()
    files, seen = loaded.files, loaded.digest
    while not ending.is_set():
        # Compared before watching too: a change may have come while the last one was in hand.
        now = digest(path, files=files)
        if now == seen:
            await _until_touched(path, files, ending, seen=seen)
            continue
        if not path.exists():
            # An editor may be between removing the old file and naming the new one.
            await asyncio.sleep(_SETTLE_S)
            now = digest(path, files=files)
        change = _loaded(path, environ)
        if isinstance(change, LoadedConfig):
            files, seen = change.files, change.digest
        else:
            seen = now
        yield change


def _loaded(path: Path, environ: Mapping[str, str]) -> LoadedConfig | ConfigError:
    try:
        return load(path, environ=environ)
    except ConfigError as error:
        return error
    except Exception as error:  # noqa: BLE001 (a broken edit must not end what watches it)
        found = f"{type(error).__name__}: {error}"
        return ConfigError(
            (Problem(file=str(path), key="", found=found, expected="a usable file"),)
        )


def _nearest_folder(path: Path) -> Path:
    """The folder in which a removed one may come back."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


async def _until_touched(
    path: Path, files: tuple[Path, ...], ending: asyncio.Event, *, seen: object
) -> None:
    """Return when something happened to one of the files, they differ from `seen`, or at the end."""
    from watchfiles import awatch  # noqa: PLC0415 (compiled code, loaded when first needed)

    watched = {path, env_path(path), *files}
    # Folders are watched, not files: an editor may replace a file by a new one of its name.
    folders = {folder for file in watched for folder in (file.parent, file.resolve().parent)}
    names = {name for file in watched for name in (file.name, file.resolve().name)}

    def concerns(_change: object, touched: str) -> bool:
        name = touched.replace("\\", "/").rpartition("/")[2]
        return name in names or name.startswith("..")

    existing = [folder for folder in folders if folder.is_dir()]
    try:
        async for touched in awatch(
            *existing or [_nearest_folder(path)],
            watch_filter=concerns,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=ending,
            recursive=False,
            rust_timeout=_LOOK_AGAIN_MS,
            yield_on_timeout=True,
        ):
            if touched or digest(path, files=files) != seen:
                return
    except (OSError, RuntimeError):
        await asyncio.sleep(_RETRY_S)

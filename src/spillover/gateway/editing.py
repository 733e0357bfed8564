"""Edit the configuration's file from the running gateway, and answer once the edit is in force.

Refuses to know routes and bodies.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.files import content_of
from spillover.config.loader import digest, load_source
from spillover.config.locate import config_path, state_folder
from spillover.config.starter import blank, starter
from spillover.config.summary import summary
from spillover.config.versions import History, Version, revision_of
from spillover.config.writer import Edit, Writer, Written, unusable
from spillover.errors import ConfigError, EditRefused, Problem
from spillover.events.kinds import iso
from spillover.gateway.reload import adopt
from spillover.gateway.settings import Settings
from spillover.gateway.sketch import Sketch, unfiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from spillover.config.loader import LoadedConfig
    from spillover.gateway.app import Gateway


MEMORY_ALONE: Final = (
    "this gateway began as the demo: it counts in memory alone until it is started again"
)


class Editing:
    """The file behind a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._sketch: Sketch | None = None

    def close(self) -> None:
        """Let go of what was tried out in the demo."""
        if self._sketch is not None:
            self._sketch.close()
            self._sketch = None

    @property
    def loaded(self) -> LoadedConfig:
        """The configuration in force."""
        loaded = self._gateway.engine.loaded
        if loaded is None:
            raise EditRefused("config_read_only", "this gateway serves no configuration")
        return loaded

    @property
    def source(self) -> str:
        """Where the configuration in force comes from: `file`, `found` or `demo`."""
        if self.loaded.path is not None:
            return "file"
        return "demo" if self._gateway.simulated else "found"

    @property
    def path(self) -> Path:
        """The file, or where there would be one."""
        return self.loaded.path or config_path(None, self._environ)

    @property
    def is_blank(self) -> bool:
        """Whether the first profile of one's own begins with an empty file: simulated ones are not kept."""
        return self.source == "demo"

    @property
    def _environ(self) -> Mapping[str, str]:
        return self._gateway.environ

    def writer(self, *, begins: bool = False) -> Writer:
        """Return what writes the file: the demo's own until an edit `begins` the user's."""
        loaded, now = self.loaded, self._gateway.engine.clock.now
        if self.is_blank and not begins:
            self._sketch = self._sketch or Sketch(loaded.document)
            return self._sketch.writer(self._environ, now)
        seed = None
        if loaded.path is None:
            seed = blank() if self.is_blank else starter(loaded.document)
        state = state_folder(loaded.environ)
        return Writer(self.path, environ=self._environ, state=state, now=now, seed=seed)

    def history(self) -> History:
        """Return the versions that are kept; raises OSError."""
        untried = self.is_blank and self._sketch is None
        return History() if untried else self.writer().history()

    async def edit(self, edit: Edit, *, begins: bool = False) -> Written:
        """Make an edit and put it in force; raises EditRefused.

        In the demo it is tried out alone, unless it `begins` the user's own file.
        """

        def check(loaded: LoadedConfig) -> None:
            edit.check(loaded)
            self._check(loaded)

        checked = msgspec.structs.replace(edit, check=check)
        return await self._do(lambda: self.writer(begins=begins).edit(checked), begins=begins)

    async def undo(self, to: int | None, revision: str | None) -> Written:
        """Take edits back and put what was before in force; raises EditRefused."""
        return await self._do(lambda: self.writer().undo(to, revision=revision, check=self._check))

    async def _do(self, work: Callable[[], Written], *, begins: bool = False) -> Written:
        # A client that leaves does not stop half-way what it asked for.
        return await asyncio.shield(asyncio.create_task(self._done(work, begins=begins)))

    async def _done(self, work: Callable[[], Written], *, begins: bool) -> Written:
        async with self._gateway.turn:
            tried_out = self.is_blank and not begins
            written = await asyncio.to_thread(work)
            if tried_out:
                written = unfiled(written)
            is_new = self.loaded.path is None and not tried_out
            if is_new or written.loaded.digest != self.loaded.digest:
                await adopt(self._gateway, written.loaded)
            if is_new:
                self._gateway.has_file.set()
            return written

    def _check(self, loaded: LoadedConfig) -> None:
        """Refuse what could be read but not be put in force here; raises EditRefused."""
        settings = self._gateway.settings
        written = Settings.of(loaded.config.server)
        try:
            replace(written, host=settings.host, port=settings.port).check()
        except ConfigError as error:
            raise unusable(error) from None

    def change(self, written: Written) -> dict[str, Any] | None:
        """Return the `change` of an answer; None where nothing changed."""
        if written.version is None:
            return None
        return {**version_fields(written.version), "notes": self.notes(written.loaded)}

    def notes(self, loaded: LoadedConfig) -> list[str]:
        """Return what is odd about a configuration, and about running it here, in sentences."""
        odd = [str(each) for each in (*loaded.warnings, *loaded.missing_keys)]
        return [*odd, MEMORY_ALONE] if self._gateway.simulated and loaded.path else odd

    async def document(self) -> dict[str, Any]:
        """Return what the file says, for forms."""
        loaded = self.loaded
        source, problems = await asyncio.to_thread(self._standing)
        history = await asyncio.to_thread(self.history)
        undo = None
        if history.now is not None and source is not None:
            undo = history.now.parent if history.holds(source) else history.now.id
        return {
            "path": str(self.path),
            "source": self.source,
            "revision": None if source is None else revision_of(source),
            "problems": [each.fields() for each in problems],
            "undo": undo,
            **summary(loaded),
        }

    def _standing(self) -> tuple[bytes | None, tuple[Problem, ...]]:
        """The file's text as it is now, and what is wrong with it."""
        loaded = self.loaded
        if loaded.path is None:
            return None if self._sketch is None else content_of(self._sketch.path), ()
        source = content_of(loaded.path)
        if source is None:
            return None, ()
        if digest(loaded.path, files=loaded.files, source=source) == loaded.digest:
            return source, ()
        try:
            load_source(source, loaded.path, environ=self._environ)
        except ConfigError as error:
            return source, error.problems
        return source, ()


def version_fields(version: Version) -> dict[str, Any]:
    """Return a version as it is told, without its text."""
    return {
        "id": version.id,
        "parent": version.parent,
        "at": iso(version.at),
        "what": version.what,
        "by": version.by,
        "revision": version.revision,
    }

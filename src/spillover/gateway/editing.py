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
from spillover.config.versions import Version, revision_of
from spillover.config.writer import Edit, Writer, Written, unusable
from spillover.errors import ConfigError, EditRefused, Problem
from spillover.events.kinds import iso
from spillover.gateway.reload import adopt
from spillover.gateway.settings import Settings

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
        """Whether the first edit begins with an empty file: simulated profiles are not kept."""
        return self.source == "demo"

    @property
    def _environ(self) -> Mapping[str, str]:
        return self._gateway.environ

    def writer(self) -> Writer:
        """Return what writes the file."""
        loaded = self.loaded
        seed = None
        if loaded.path is None:
            seed = blank() if self.is_blank else starter(loaded.document)
        return Writer(
            self.path,
            environ=self._environ,
            state=state_folder(loaded.environ),
            now=self._gateway.engine.clock.now,
            seed=seed,
        )

    async def edit(self, edit: Edit) -> Written:
        """Make an edit and put it in force; raises EditRefused."""

        def check(loaded: LoadedConfig) -> None:
            edit.check(loaded)
            self._check(loaded)

        checked = msgspec.structs.replace(edit, check=check)
        return await self._do(lambda: self.writer().edit(checked))

    async def undo(self, to: int | None, revision: str | None) -> Written:
        """Take edits back and put what was before in force; raises EditRefused."""
        return await self._do(lambda: self.writer().undo(to, revision=revision, check=self._check))

    async def _do(self, work: Callable[[], Written]) -> Written:
        # A client that leaves does not stop half-way what it asked for.
        return await asyncio.shield(asyncio.create_task(self._done(work)))

    async def _done(self, work: Callable[[], Written]) -> Written:
        async with self._gateway.turn:
            written = await asyncio.to_thread(work)
            is_new = self.loaded.path is None
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
        return [*odd, MEMORY_ALONE] if self._gateway.simulated else odd

    async def document(self) -> dict[str, Any]:
        """Return what the file says, for forms."""
        loaded = self.loaded
        source, problems = await asyncio.to_thread(self._standing)
        history = await asyncio.to_thread(self.writer().history)
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
        source = content_of(self.path)
        if loaded.path is None or source is None:
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

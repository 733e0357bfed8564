"""A file for the demo's configuration, so that all of it can be tried out: it goes with the demo.

Refuses to know what is edited, and to keep anything.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from spillover.config.rendering import block
from spillover.config.writer import Writer, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Sketch:
    """A configuration file in a folder of its own."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Begin with a document."""
        self._folder = TemporaryDirectory(prefix="spillover-demo-")
        self.path = Path(self._folder.name) / "spillover.yaml"
        lines = block(document, indent=0, step=2, deep=2)
        self.path.write_text("\n".join([*lines, ""]), "utf-8")

    def writer(self, environ: Mapping[str, str], now: Callable[[], float]) -> Writer:
        """Return what writes it."""
        return Writer(self.path, environ=environ, state=self.path.parent, now=now)

    def close(self) -> None:
        """Be gone."""
        self._folder.cleanup()


def unfiled(written: Written) -> Written:
    """Return what was written as a configuration that stands in no file, as the demo's does."""
    loaded = msgspec.structs.replace(written.loaded, path=None)
    return msgspec.structs.replace(written, loaded=loaded)

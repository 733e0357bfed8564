"""Hold what is examined: a configuration as far as it can be read, and the environment around it.

Refuses to find either.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spillover.catalogue import Catalogue
from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.locate import env_path
from spillover.doctor.systems import System

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spillover.config.loader import LoadedConfig
    from spillover.config.routing import Routing
    from spillover.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A set-up."""

    path: Path
    """Where the configuration is, or would be."""
    environ: Mapping[str, str] = field(repr=False)
    """The process's own; it holds secrets."""
    loaded: LoadedConfig | None = None
    """None: there is none, or it can't be used."""
    routing: Routing | None = None
    problems: tuple[Problem, ...] = ()
    profiles: tuple[str, ...] = ()
    """Those that are examined."""
    resolver: str = ""
    """A second resolver that may be asked; empty: none may."""
    answer_s: float = 4.0
    """How long a provider may take to answer."""

    @classmethod
    def of(
        cls,
        path: Path,
        environ: Mapping[str, str],
        loaded: LoadedConfig | None,
        *,
        only: tuple[str, ...] = (),
        resolver: str = "",
    ) -> Subject:
        """Return the set-up of a configuration, or of none; `only` these profiles, if any."""
        routing = None if loaded is None else assemble(loaded, loaded.catalogue)
        names = () if routing is None else only or tuple(routing.profiles)
        return cls(
            path=path,
            environ=environ,
            loaded=loaded,
            routing=routing,
            profiles=names,
            resolver=resolver,
        )

    @property
    def env_path(self) -> Path:
        """Where the `.env` is, or would be."""
        return env_path(self.path)

    @property
    def catalogue(self) -> Catalogue:
        """What is known of providers."""
        return load_catalogue() if self.loaded is None else self.loaded.catalogue


def this_system() -> System:
    """Return whose commands a person here types."""
    if sys.platform == "win32":
        return System.WINDOWS
    return System.MACOS if sys.platform == "darwin" else System.LINUX

"""Find the configuration to work with: the file that is named, the user's own, or what is there.

Without any file, every key in the environment and every local server that answers makes a profile.
Refuses to make up providers: the demo does, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover import catalogue
from spillover.config.discovery import discovered, local_servers
from spillover.config.loader import LoadedConfig, load, load_document
from spillover.config.locate import config_path, env_path, is_named, read_env
from spillover.config.overrides import over
from spillover.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOUND = "<found on this machine>"
"""What a configuration without a file is called in messages."""


async def find_config(given: str | Path | None, environ: Mapping[str, str]) -> LoadedConfig | None:
    """Return the configuration; None: no file, no key and no local server was found.

    Raises ConfigError for a file that can't be used, and for one that is named and not there.
    """
    path = config_path(given, environ)
    if path.exists() or is_named(given, environ):
        return load(path, environ=environ)
    surroundings = {**read_env(env_path(path)), **environ}
    own = over(catalogue.load(), path.parent)
    servers = await local_servers(own.catalogue, surroundings)
    document = discovered(surroundings, servers, own.catalogue)
    if document is None:
        return None
    return load_document(document, environ=surroundings, name=FOUND, own=own)


async def found_config(
    given: str | Path | None, environ: Mapping[str, str], *, also: str = ""
) -> LoadedConfig:
    """Return the configuration; raises ConfigError where there is none, with what to do.

    `also` is put behind that: what else a caller's person may have meant.
    """
    loaded = await find_config(given, environ)
    if loaded is not None:
        return loaded
    problem = Problem(
        file=str(config_path(given, environ)),
        key="",
        found="no file, no provider's key in the environment and no local server",
        expected=f"one of them (spillover init writes a file to start from){also}",
    )
    raise ConfigError((problem,))

"""Put edits of the configuration in force while the gateway runs, or say why they can't be.

Refuses to know how a file is watched and read.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from spillover.config.loader import LoadedConfig, digest
from spillover.config.watch import changes
from spillover.errors import ConfigError
from spillover.events import ConfigRejected, ConfigReloaded
from spillover.events.log import set_level
from spillover.gateway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.gateway.app import Gateway

log = logging.getLogger(__name__)


async def follow(gateway: Gateway, loaded: LoadedConfig, environ: Mapping[str, str]) -> None:
    """Follow a configuration's file until the gateway stops.

    Where there is none yet, the file is followed that the gateway's first edit writes.
    """
    if loaded.path is None:
        await gateway.has_file.wait()
        loaded = gateway.engine.loaded or loaded
    async for change in changes(loaded, environ=environ, stop=gateway.stopping):
        match change:
            case LoadedConfig():
                async with gateway.turn:
                    if _is_news(gateway, change):
                        await adopt(gateway, change)
            case ConfigError():
                _reject(gateway, str(loaded.path), change)
            case _:
                assert_never(change)


def _is_news(gateway: Gateway, change: LoadedConfig) -> bool:
    """Whether a change is neither in force, as the gateway's own edits are, nor overtaken by one."""
    now = change.path is not None and digest(change.path, files=change.files)
    in_force = gateway.engine.loaded
    known = in_force is not None and in_force.digest == change.digest
    return now == change.digest and (not known or gateway.rejected)


async def adopt(gateway: Gateway, loaded: LoadedConfig) -> None:
    """Put a configuration in force as far as a running gateway can: its address stays."""
    path = str(loaded.path)
    written = Settings.of(loaded.config.server)
    settings = replace(written, host=gateway.settings.host, port=gateway.settings.port)
    try:
        settings.check()
        await gateway.engine.reload(loaded)
    except ConfigError as error:
        _reject(gateway, path, error)
        return
    gateway.apply(settings, loaded.redactor.redact)
    gateway.notices.adopt(loaded.config.notify)
    set_level(settings.log_level)
    gateway.rejected = False
    for problem in (*loaded.warnings, *loaded.missing_keys):
        log.warning("%s", problem)
    gateway.engine.events.publish(ConfigReloaded(at=gateway.engine.clock.now(), path=path))


def _reject(gateway: Gateway, path: str, error: ConfigError) -> None:
    gateway.rejected = True
    problems = tuple(str(problem) for problem in error.problems)
    gateway.engine.events.publish(
        ConfigRejected(at=gateway.engine.clock.now(), path=path, problems=problems)
    )

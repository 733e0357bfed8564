"""Clear what a gateway gathered: logs, usage, cooldowns, failures.

What a person said by hand (disabled profiles, pins) stays. Refuses to know who asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.config.locate import log_folder, state_folder
from spillover.engine import EngineOptions, open_engine
from spillover.errors import LedgerError
from spillover.events.log import FILE_NAME
from spillover.events.logfile import LogFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.config.loader import LoadedConfig

UPSTREAMS: Final = "upstreams"
"""The folder, in the state's, of the local servers' output."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done, or could not be."""

    step: str
    done: bool
    told: tuple[str, ...]


def clear_logs(environ: Mapping[str, str]) -> Step:
    """Delete what was logged by gateways and by the local servers that they run."""
    servers = sorted((state_folder(environ) / UPSTREAMS).glob("*.log"))
    files = [log_folder(environ) / FILE_NAME, *servers]
    try:
        freed = sum(LogFile(path).clear() for path in files)
    except OSError as error:
        return Step(step="logs", done=False, told=(f"{error.filename}: {error.strerror}",))
    return Step(step="logs", done=True, told=(f"cleared {freed:,} bytes of logs",))


async def clear_usage(loaded: LoadedConfig) -> Step:
    """Zero usage, end cooldowns and spent quotas, and let failed profiles be tried again."""
    if loaded.config.storage == "memory":
        gone = "storage: memory is the gateway's own: start it anew, and all of it is gone"
        return Step(step="usage", done=True, told=(gone,))
    try:
        engine = await open_engine(loaded, EngineOptions(serves=False))
    except LedgerError as error:
        return Step(step="usage", done=False, told=(str(error),))
    try:
        await engine.ledger.record()
        await engine.clear_usage(None)
        profiles = engine.status()["profiles"]
        failed = [
            name
            for name, each in profiles.items()
            if each["status"] == "failed" and each["reason"] != "key_missing"
        ]
        for name in failed:
            await engine.set_disabled(name, disabled=False)
        disabled = [name for name, each in profiles.items() if each["status"] == "disabled"]
        degraded = engine.ledger.degraded
    finally:
        await engine.close(grace_s=0.0)
    if degraded is not None:
        return Step(step="usage", done=False, told=(degraded,))
    told = [f"cleared usage and cooldowns of {len(profiles)} profiles"]
    if failed:
        told.append(f"failed, and will be tried again: {', '.join(failed)}")
    if disabled:
        told.append(f"disabled by hand, and stay so: {', '.join(disabled)} (spillover enable)")
    return Step(step="usage", done=True, told=tuple(told))

"""A set-up in a folder, as a person has it: a file, a `.env`, an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.config.loader import load
from spillover.doctor.probe.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path


def set_up(folder: Path, config: str, env: str | None = None, **environ: str) -> Subject:
    """Write a configuration and its `.env`, and return what the doctor looks at."""
    path = folder / "spillover.yaml"
    path.write_text(config, "utf-8")
    if env is not None:
        (folder / ".env").write_text(env, "utf-8")
        (folder / ".env").chmod(0o600)
    environ.setdefault("SPILLOVER_STATE_DIR", str(folder / "state"))
    return Subject.of(path, environ, load(path, environ=environ))

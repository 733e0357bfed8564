"""Look at how the gateway is to run a server: its command, the file that it is given, the gateway's own word.

Starts nothing. Refuses to judge.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.importers.reading import LARGEST_BYTES, entries, mapping, read_yaml
from spillover.config.secrets import Secret
from spillover.core.managed import ManagedState
from spillover.doctor.judge.managed import Post
from spillover.doctor.judge.servers import KINDS
from spillover.doctor.probe.ports import origin_of, told
from spillover.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.config.routing import ManagedServer
    from spillover.doctor.probe.subject import Subject

_CONFIG: Final = ("--config", "-c")
_STATES: Final = {state.value: state for state in ManagedState}


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """What a running gateway says of the servers that it runs."""

    at: str
    """Where the gateway is, or would be."""
    runs: bool = False
    """A gateway of ours answers there."""
    servers: dict[str, Any] = {}
    """By name, as `/api/status` has it."""


async def crew(subject: Subject) -> Crew:
    """Ask the gateway that runs, if any does."""
    server = None if subject.loaded is None else subject.loaded.config.server
    origin = origin_of(server)
    at = origin.removeprefix("http://")
    if subject.routing is None or not subject.routing.managed:
        return Crew(at=at)
    if (await told(f"{origin}/health/live") or {}).get("status") != "alive":
        return Crew(at=at)
    key = None if server is None else server.admin_key
    status = await told(f"{origin}/api/status", key if isinstance(key, Secret) else None)
    return Crew(at=at, runs=True, servers=mapping(mapping(status).get("upstreams")))


async def post(server: ManagedServer, kind: str, found: Crew) -> Post:
    """Return how a server of some kind is to be run."""
    spec = server.spec
    lacks, install = await asyncio.to_thread(_lacking, server, kind)
    said = mapping(found.servers.get(spec.name))
    return Post(
        program=spec.command[0],
        health=spec.health,
        lacks=lacks,
        install=install,
        gateway=found.runs,
        gateway_at=found.at,
        state=_STATES.get(str(said.get("state"))),
        reason=str(said.get("reason") or ""),
        max_memory=spec.max_memory,
        max_age_s=spec.max_age_s,
        log=spec.log,
    )


def _lacking(server: ManagedServer, kind: str) -> tuple[str, str]:
    """Return what a command lacks, and what brings it; both empty: nothing."""
    spec = server.spec
    folder = Path(spec.folder)
    if not folder.is_dir():
        return f"its folder {folder} is not there", f"mkdir -p {folder}"
    program = spec.command[0]
    if not _is_found(program, folder, {**os.environ, **server.environ()}):
        where = f"in {folder}" if os.path.dirname(program) else "on the PATH"  # noqa: PTH120 - a word, not yet a path
        known = KINDS.get(kind)
        return f"{program} is not found {where}", known.install if known is not None else ""
    if kind != "litellm":
        return "", ""
    given = _config_of(spec.command)
    return _wrong_with(folder / Path(given).expanduser(), given) if given else ("", "")


def _is_found(program: str, folder: Path, environ: Mapping[str, str]) -> bool:
    """Look for a program as the gateway does: by the PATH, or as a path from the folder it runs in."""
    if os.path.dirname(program):  # noqa: PTH120 - the same
        return shutil.which(str(folder / program)) is not None
    return shutil.which(program, path=environ.get("PATH")) is not None


def _config_of(command: tuple[str, ...]) -> str:
    """Return the file that LiteLLM is given; empty: none."""
    for word, after in zip(command, (*command[1:], ""), strict=True):
        name, is_joined, value = word.partition("=")
        if name in _CONFIG:
            return value if is_joined else after
    return ""


def _wrong_with(path: Path, given: str) -> tuple[str, str]:
    """Return what is wrong with LiteLLM's file, and what mends it; both empty: nothing."""
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        return f"its file {given}: {error.strerror}", f"put it at {path}"
    try:
        listed = entries(mapping(read_yaml(source)).get("model_list"))
    except RequestError as error:
        return f"its file {given}: {error}", f"mend {path}"
    if listed:
        return "", ""
    entry = "{model_name: m, litellm_params: {model: provider/m, api_key: os.environ/KEY}}"
    return f"its file {given} has no model_list", f"write into {path}: model_list: [{entry}]"

"""Write a plan from another tool into the configuration, with its credentials: all of it or nothing.

The loader reads what it would come to before anything is written. A file that is there is edited
with its comments kept, and can be taken back; where there is none, one is made.
Refuses to know whose plan it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from spillover.catalogue import load as load_catalogue
from spillover.config.adopting import Adopted, adopted, is_glob, merge
from spillover.config.files import alone, content_of, write_whole
from spillover.config.loader import LoadedConfig, load_source
from spillover.config.locate import state_folder
from spillover.config.routing import DEFAULT
from spillover.config.secrets import Secret
from spillover.config.starter import assembled, write_schema
from spillover.config.stowing import Stowage
from spillover.config.versions import lock_of
from spillover.config.writer import Edit, Writer
from spillover.errors import ConfigError, EditRefused

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.config.importers.plan import Plan


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan is to be written."""

    tool: str
    environ: Mapping[str, str]
    now: Callable[[], float]
    dry_run: bool = False
    replace: bool = False
    ring: bool = True
    """Credentials go to the key ring where there is one."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a plan."""

    adopted: Adopted
    profiles: dict[str, dict[str, Any]]
    """What was written for each, with references for credentials."""
    references: tuple[str, ...] = ()
    """To the credentials that are kept anew."""
    missing: tuple[str, ...] = ()
    """Keys that the configuration asks for and nothing provides, in words."""
    created: bool = False
    """There was no file before."""
    written: bool = False


class _NotNow(Exception):
    """A dry run ends before it writes."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self.loaded = loaded
        super().__init__()


def settle(plan: Plan, path: Path, terms: Terms) -> Settled:
    """Write a plan into the configuration at `path`; return what became of it.

    Raises ConfigError for a file that can't be used as it stands, EditRefused for what the plan
    would make of it, and OSError; nothing is written then.
    """
    source = content_of(path)
    loaded = None if source is None else load_source(source, path, environ=terms.environ)
    wanted = adopted(
        plan,
        {} if loaded is None else loaded.document,
        {} if loaded is None else loaded.config.profiles,
        tool=terms.tool,
        replace=terms.replace,
    )
    if not (wanted.profiles or wanted.chains or wanted.aliases):
        return Settled(adopted=wanted, profiles={})
    stowage = Stowage(path, terms.environ, ring=terms.ring and not terms.dry_run)
    try:
        profiles = {name: _referring(name, each, stowage) for name, each in wanted.profiles.items()}
        written = (_make if loaded is None else _edit)(path, wanted, profiles, stowage, terms)
    except BaseException:
        stowage.undo()
        raise
    return Settled(
        adopted=wanted,
        profiles=profiles,
        references=stowage.told,
        missing=_missing(written),
        created=loaded is None,
        written=not terms.dry_run,
    )


def _missing(loaded: LoadedConfig) -> tuple[str, ...]:
    """What is missing, each with all that it is missing for."""
    places: dict[str, list[str]] = {}
    for problem in loaded.missing_keys:
        places.setdefault(problem.found, []).append(problem.key)
    return tuple(f"{', '.join(keys)}: found {found}" for found, keys in places.items())


def _referring(name: str, settings: dict[str, Any], stowage: Stowage) -> dict[str, Any]:
    """A profile's settings with references in the place of credentials."""
    found = dict(settings)
    key = found.get("api_key")
    if isinstance(key, Secret):
        entry = load_catalogue().provider(str(found.get("provider", "")))
        usual = entry.key_env if entry is not None and "base_url" not in found else ()
        found["api_key"] = stowage.refer(key, f"{name}-api-key", usual)
    if "headers" in found:
        found["headers"] = {
            header: stowage.refer(value, f"{name}-{header}")
            for header, value in found["headers"].items()
        }
    return found


def _make(
    path: Path,
    wanted: Adopted,
    profiles: dict[str, dict[str, Any]],
    stowage: Stowage,
    terms: Terms,
) -> LoadedConfig:
    """Make a new file."""
    chains = wanted.chains or {DEFAULT: list(profiles)}
    aliases = {"*": next(iter(chains)), **wanted.aliases}
    document = {"profiles": profiles, "chains": chains, "aliases": _globs_last(aliases)}
    source = assembled(document).encode()
    try:
        loaded = load_source(source, path, environ={**terms.environ, **stowage.variables})
    except ConfigError as error:
        raise EditRefused(
            "invalid_config", "what it comes to can't be used", problems=error.problems
        ) from None
    if not terms.dry_run:
        with alone(lock_of(path, state_folder(terms.environ))):
            if path.exists():
                raise EditRefused("config_changed", f"{path} is there now: import once more")
            stowage.write()
            write_schema(path)
            write_whole(path, source)
    return loaded


def _globs_last(aliases: dict[str, str]) -> dict[str, str]:
    return dict(sorted(aliases.items(), key=lambda alias: (is_glob(alias[0]), alias[0] == "*")))


def _edit(
    path: Path,
    wanted: Adopted,
    profiles: dict[str, dict[str, Any]],
    stowage: Stowage,
    terms: Terms,
) -> LoadedConfig:
    """Edit the file that is there."""

    def check(loaded: LoadedConfig) -> None:
        if terms.dry_run:
            raise _NotNow(loaded)
        stowage.write()

    edit = Edit(
        change=lambda document: merge(document, wanted, profiles),
        what=f"import {terms.tool}",
        by="cli",
        guarded=False,
        check=check,
    )
    environ = {**terms.environ, **stowage.variables}
    writer = Writer(path, environ=environ, state=state_folder(terms.environ), now=terms.now)
    try:
        return writer.edit(edit).loaded
    except _NotNow as end:
        return end.loaded

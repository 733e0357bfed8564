"""Judge the configuration: the file itself, who can read it, and chains that have no way out.

Refuses to know how configurations are read.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from spillover.config.expansion import is_secret
from spillover.config.findings import dotted
from spillover.core.values import Tier, Value
from spillover.doctor.findings import Finding, Level, OnlyOwner
from spillover.doctor.systems import Act, System, command, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from spillover.catalogue import Catalogue
    from spillover.config.findings import KeyPath
    from spillover.config.loader import LoadedConfig
    from spillover.config.routing import Routing
    from spillover.errors import Problem

GROUP_AND_OTHERS = 0o077
_NAMED = ("keyring:", "file:")


class Access(Value, frozen=True, kw_only=True):
    """Who can get at a file or folder."""

    path: Path
    what: str
    """What it is, for people: `the configuration`."""
    mode: int | None
    """Of its permissions; None: there is none, or the system has other ones."""


def unusable(problems: Iterable[Problem], path: Path, *, exists: bool) -> Iterator[Finding]:
    """Yield everything that keeps a configuration from being used; a file may not be there."""
    for problem in problems:
        near = f" (perhaps {problem.nearest!r})" if problem.nearest else ""
        place = f"line {problem.line}, " if problem.line else ""
        yield Finding(
            check="config.file",
            level=Level.PROBLEM,
            about=problem.file or str(path),
            saw=f"{place}{problem.key or 'the whole file'}: {problem.found}",
            why=f"expected {problem.expected}{near}; nothing can serve without it",
            remedy=f"spillover check --config {path}" if exists else "spillover init",
        )


def usable(loaded: LoadedConfig, path: Path) -> Iterator[Finding]:
    """Yield that a configuration holds, and what is odd about it all the same."""
    profiles, chains = len(loaded.config.profiles), max(1, len(loaded.config.chains))
    yield Finding(
        check="config.file",
        about=loaded.file,
        saw=f"{profiles} profile{'s' * (profiles != 1)} in {chains} chain{'s' * (chains != 1)}",
        why="" if loaded.path else "no file is there: this was found on the machine",
        remedy="" if loaded.path else "spillover init",
    )
    for each in loaded.warnings:
        yield Finding(
            check="config.warnings",
            level=Level.WARNING,
            about=f"{each.file}:{each.line}" if each.line else each.file,
            saw=f"{each.key}: {each.found}",
            why=f"expected {each.expected}",
            remedy=f"spillover check --config {path}",
        )
    written = {dotted(place): place for place in literal_keys(loaded.document)}
    if written:
        yield Finding(
            check="config.keys",
            level=Level.NOTE,
            about=loaded.file,
            saw=f"keys stand in the file itself: {', '.join(written)}",
            why="whoever gets the file to see, or its backup, has them",
            remedy="\n".join(
                f"{name}: ${{{variable_for(place, loaded)}}}" for name, place in written.items()
            )
            + f"\nand each key as NAME=key in {path.parent / '.env'}",
        )


def variable_for(place: KeyPath, loaded: LoadedConfig) -> str:
    """Return a variable to hold the secret at a place: the provider's usual one for a key, if it is free."""
    section, *words = map(str, place)
    if section in {"profiles", "accounts"} and words[1:] == ["api_key"]:
        source = getattr(loaded.config, section)[words[0]]
        entry = loaded.catalogue.provider(source.provider or "")
        usual = entry.key_env[0] if entry is not None and entry.key_env else ""
        if usual and usual not in loaded.environ:
            return usual
    if section == "server":
        words = ["spillover", *words]
    return re.sub(r"\W+", "_", "_".join(words)).upper()


def literal_keys(node: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the places of a document at which secrets are written out."""
    match node:
        case dict():
            for name, below in node.items():
                yield from literal_keys(below, (*path, str(name)))
        case list():
            for place, below in enumerate(node):
                yield from literal_keys(below, (*path, place))
        case str() if node and is_secret(path) and path[0] != "notify":
            if "${" not in node and not node.startswith(_NAMED):
                yield path


def permissions(files: Iterable[Access], system: System, *, check: str) -> Iterator[Finding]:
    """Yield who else can read what they should not."""
    if system is System.WINDOWS:
        shown = [each for each in files if each.path.exists()]
        yield Finding(
            check=check,
            saw="Windows keeps a user's own folder to that user",
            remedy=command(system, Act.ONLY_OWNER, path=shown[0].path) if shown else "",
        )
        return
    known = [each for each in files if each.mode is not None]
    open_to_others = [each for each in known if (each.mode or 0) & GROUP_AND_OTHERS]
    for each in open_to_others:
        yield Finding(
            check=check,
            level=Level.WARNING,
            about=str(each.path),
            saw=f"{each.what} has the mode {(each.mode or 0) & 0o777:o}",
            why="other users of this machine can read what it holds",
            remedy=command(system, Act.ONLY_OWNER, path=each.path),
            fix=OnlyOwner(path=each.path),
        )
    if known and not open_to_others:
        names = ", ".join(quoted(system, str(each.path)) for each in known)
        yield Finding(check=check, saw=f"yours alone: {names}")


def chains(routing: Routing) -> Iterator[Finding]:
    """Yield chains that have nothing to fall back to."""
    for name, chain in routing.chains.items():
        members = [routing.profiles[member.profile] for member in chain.members]
        accounts = Counter(member.account_name or member.account for member in members)
        if len(members) == 1:
            yield Finding(
                check="config.chains",
                level=Level.WARNING,
                about=name,
                saw=f"the chain is {members[0].name!r} alone",
                why="when its quota is spent or its provider is down, there is nothing to fall back to",
                remedy=f"spillover add openrouter --chain {name}    # or another of spillover catalogue",
            )
        elif len(accounts) == 1:
            yield Finding(
                check="config.chains",
                level=Level.NOTE,
                about=name,
                saw=f"all {len(members)} profiles are on the account {next(iter(accounts))!r}",
                why="one revoked key or one outage takes them all",
                remedy=f"spillover add openrouter --chain {name}    # or another of spillover catalogue",
            )
        else:
            shown = f"{len(members)} profiles on {len(accounts)} accounts"
            yield Finding(check="config.chains", about=name, saw=shown)


def limits(routing: Routing, catalogue: Catalogue) -> Iterator[Finding]:
    """Yield free profiles that are sent whatever comes, though their limits are known."""
    for name, profile in routing.profiles.items():
        known = catalogue.free_limits(profile.provider, profile.model)
        if profile.tier is not Tier.FREE or profile.limits or not known:
            continue
        figures = ", ".join(f"{each.amount:,} {each.metric}/{each.per}" for each in known[:3])
        yield Finding(
            check="config.limits",
            level=Level.NOTE,
            about=name,
            saw=f"no limits, and its free tier has {figures}",
            why="without them it is asked until it refuses, and every refusal costs time",
            remedy=f"profiles.{name}: limits: free",
        )

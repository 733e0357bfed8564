"""Look at the files of a set-up: who can read them, what the `.env` says, where each key comes from.

A key leaves this module as its form alone. Refuses to judge.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final

from spillover.config.addresses import origin
from spillover.config.files import read_whole
from spillover.config.locate import read_env, state_folder
from spillover.config.overrides import FILE_NAMES as CATALOGUE_FILES
from spillover.config.secrets import Secret
from spillover.config.upstreams import upstream_of
from spillover.core.values import CUSTOM_PROVIDER
from spillover.doctor.judge.keys import ENVIRONMENT, Key, Surroundings, form_of
from spillover.doctor.judge.proxies import NO_PROXY, Proxies
from spillover.doctor.judge.settings import Access, literal_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spillover.config.upstreams import Upstream
    from spillover.doctor.probe.subject import Subject

_NAMED: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
_LINE: Final = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=")
_IN_FILE: Final = "the .env"


def accesses(subject: Subject) -> tuple[Access, ...]:
    """Return who can get at the files that hold secrets."""
    files = [(subject.env_path, "the .env with the keys")]
    loaded = subject.loaded
    if loaded is not None:
        if loaded.path is not None and any(literal_keys(loaded.document)):
            files.append((loaded.path, "the configuration, which holds keys,"))
        files += [
            (path, "a file that holds a secret")
            for path in loaded.files
            if path.name not in CATALOGUE_FILES
        ]
    return tuple(_access(path, what) for path, what in files)


def state_accesses(subject: Subject) -> tuple[Access, ...]:
    """Return who can get at the state."""
    return (_access(state_folder(_known(subject)), "the state folder"),)


def _access(path: Path, what: str) -> Access:
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = None
    return Access(path=path, what=what, mode=mode)


def _known(subject: Subject) -> Mapping[str, str]:
    return subject.environ if subject.loaded is None else subject.loaded.environ


def surroundings(subject: Subject) -> Surroundings:
    """Return what the `.env` is like."""
    path, written = subject.env_path, read_env(subject.env_path)
    try:
        lines = read_whole(path).decode("utf-8", "replace").splitlines()
    except OSError:
        lines = None
    odd = [
        number
        for number, line in enumerate(lines or (), 1)
        if line.strip() and not line.lstrip().startswith("#") and not _LINE.match(line)
    ]
    wanted = {name for key in keys(subject) for name in key.variables}
    return Surroundings(
        env_path=path,
        env_exists=lines is not None,
        odd_lines=tuple(odd),
        shadowed=tuple(
            name
            for name in sorted(wanted & written.keys())
            if subject.environ.get(name, written[name]) != written[name]
        ),
    )


def keys(subject: Subject) -> tuple[Key, ...]:
    """Return the key of each profile, as far as it may be known."""
    return tuple(_keys(subject))


def _keys(subject: Subject) -> Iterator[Key]:
    loaded = subject.loaded
    if loaded is None:
        return
    in_file = read_env(subject.env_path)
    for name in subject.profiles:
        far = upstream_of(
            loaded.config.profiles[name],
            loaded.config,
            catalogue=loaded.catalogue,
            environ=loaded.environ,
        )
        variables = _variables(name, loaded.document, far, loaded.environ)
        raw = None if far.secret is None else far.secret.reveal()
        if variables and raw is not None:
            raw = loaded.environ.get(variables[0], raw)
        is_own = far.entry is not None and origin(far.base_url) == origin(far.entry.base_url)
        in_environment = bool(variables) and variables[0] in subject.environ
        yield Key(
            profile=name,
            provider=far.entry.id if far.entry else CUSTOM_PROVIDER,
            variables=variables,
            place=_IN_FILE
            if variables and variables[0] in in_file and not in_environment
            else ENVIRONMENT
            if variables
            else "the configuration",
            form=None if raw is None else form_of(raw),
            missing=far.missing or "",
            near=_near(variables, loaded.environ) if far.missing else "",
            is_own_address=is_own,
        )


def _variables(
    profile: str, document: Mapping[str, Any], far: Upstream, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the variables that a profile's key is looked for in; where it is written, none."""
    written = document.get("profiles", {}).get(profile) or {}
    if far.account is not None:
        written = document.get("accounts", {}).get(far.account) or {}
    named = written.get("api_key")
    if isinstance(named, str):
        return tuple(_NAMED.findall(named))
    entry = far.entry
    if entry is None or named is not None or isinstance(named, Secret):
        return ()
    found = [name for name in entry.key_env if environ.get(name)]
    return tuple(found[:1]) if found else entry.key_env


def _near(variables: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Return a variable that is set and called nearly as one that is missing."""
    others = [name for name in environ if name not in variables and environ[name]]
    near = (difflib.get_close_matches(name, others, n=1, cutoff=0.75) for name in variables)
    return next((found[0] for found in near if found), "")


def proxies(subject: Subject) -> Proxies:
    """Return what the environment says of proxies, without their logins."""
    found: dict[str, str] = {}
    for name, value in subject.environ.items():
        scheme = name.lower().removesuffix("_proxy")
        if name.lower().endswith("_proxy") and scheme != "no" and value:
            found[scheme] = without_login(value)
    no_proxy = subject.environ.get("no_proxy") or subject.environ.get(NO_PROXY) or ""
    written = read_env(subject.env_path)
    return Proxies(
        proxies=found,
        no_proxy=no_proxy,
        env_no_proxy=written.get(NO_PROXY, written.get("no_proxy", "")),
        env_path=subject.env_path,
    )


def without_login(url: str) -> str:
    """Return a proxy's address without the login that it may hold."""
    scheme, mark, rest = url.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"

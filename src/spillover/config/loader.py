"""Read a configuration and say everything that is wrong with it at once.

Order: parse, expand, check names, check types, check meaning. What can't be read is left out for
the later steps, so that one error does not hide another. Refuses to build routes: `assemble` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from pydantic import ValidationError

from spillover.catalogue import Catalogue
from spillover.catalogue import load as load_catalogue
from spillover.config import checks, homes, managed, overrides, references
from spillover.config.document import Parsed, parse
from spillover.config.expansion import expand_document
from spillover.config.faults import Places, child
from spillover.config.files import read_whole
from spillover.config.locate import env_path, read_env
from spillover.config.overrides import Own
from spillover.config.schema import Account, Config, Profile
from spillover.config.secrets import Redactor, Secret
from spillover.config.upstreams import upstream_of
from spillover.core.notices import DESKTOP
from spillover.errors import ConfigError, Problem

if TYPE_CHECKING:
    from spillover.config.findings import KeyPath

_ENTRY_DEEP: Final = 2
"""Names that lead to one profile or account."""
_KEYS_MEAN: Final = frozenset({"provider", "base_url", "account", "api_key"})
"""The settings that say which key an upstream takes."""


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A configuration that can be used, with what is odd about it."""

    config: Config
    document: dict[str, Any]
    """As written: `${…}` not expanded."""
    environ: Mapping[str, str]
    """The environment, with the `.env` beside the file under it."""
    files: tuple[Path, ...]
    """Files that secrets were read from, and those of the user's own catalogue."""
    catalogue: Catalogue
    """What is known of providers, with the user's own figures laid over it."""
    places: Places
    """Where in the file things stand."""
    file: str
    """What problems call the source."""
    path: Path | None = None
    """None: the configuration was discovered, or is the demo."""
    digest: str = ""
    """Fingerprint of the file and all it names; equal digests mean nothing changed."""
    warnings: tuple[Problem, ...] = ()
    missing_keys: tuple[Problem, ...] = ()
    """Profiles that start as failed, reason `key_missing`, and keys of the gateway that open nothing."""

    def __repr__(self) -> str:
        """Return no more than the source: the environment holds secrets."""
        return f"LoadedConfig({self.file!r})"

    @property
    def folder(self) -> Path:
        """Where relative paths in it begin."""
        return Path() if self.path is None else self.path.parent

    @property
    def redactor(self) -> Redactor:
        """A filter that knows every secret of this configuration."""
        return Redactor(secrets_in(self.config, self.environ, self.catalogue))


def load(path: Path, *, environ: Mapping[str, str]) -> LoadedConfig:
    """Return the configuration of a file; raises ConfigError with every problem of it.

    The `.env` and the user's catalogue beside the file are read; `environ` wins over the `.env`.
    """
    try:
        source = read_whole(path)
    except OSError as error:
        found = f"no readable file ({error.strerror})"
        expected = "a configuration (spillover init writes one)"
        problem = Problem(file=str(path), key="", found=found, expected=expected)
        raise ConfigError((problem,)) from None
    return load_source(source, path, environ=environ)


def load_source(source: bytes, path: Path, *, environ: Mapping[str, str]) -> LoadedConfig:
    """Return the configuration of a file whose content is `source`, or is about to be."""
    file = str(path)
    surroundings = {**read_env(env_path(path)), **environ}
    parsed = parse(source, file=file)
    own = overrides.over(load_catalogue(), path.parent)
    loaded = _load(parsed, surroundings, own, file=file, folder=path.parent)
    fingerprint = digest(path, files=loaded.files, source=source)
    return msgspec.structs.replace(loaded, path=path, digest=fingerprint)


def load_document(
    document: dict[str, Any],
    *,
    environ: Mapping[str, str],
    name: str = "<document>",
    own: Own | None = None,
) -> LoadedConfig:
    """Return the configuration of a document that stands in no file; raises ConfigError.

    `own` is the user's catalogue, where there is one.
    """
    parsed = Parsed(document=_copied(document), lines={})
    own = own or Own(catalogue=load_catalogue(), files=())
    return _load(parsed, environ, own, file=name, folder=Path())


def _load(
    parsed: Parsed, environ: Mapping[str, str], own: Own, *, file: str, folder: Path
) -> LoadedConfig:
    known = own.catalogue
    if parsed.document is None:
        raise ConfigError((*own.problems, *(parsed.problems or (_empty(file),))))
    if not isinstance(parsed.document, dict):
        problem = Problem(
            file=file, key="", line=1, found="no mapping", expected="settings by name"
        )
        raise ConfigError((*own.problems, *parsed.problems, problem))
    places = Places(parsed.document, parsed.lines, file=file)
    expanded = expand_document(parsed.document, environ, folder=folder)
    unset = [fault.path for fault in expanded.faults]
    config, refused, malformed = _validated(expanded.document, places, without=unset)
    broken = {_entry(path) for path in malformed}
    problems = [
        *own.problems,
        *parsed.problems,
        *places.from_findings(expanded.faults),
        *places.from_findings(references.findings(expanded.document)),
        *refused,
    ]
    found = checks.errors(config, known)
    problems += places.from_findings(each for each in found if not _follows(each.path, broken))
    base_urls = {
        name: upstream_of(profile, config, catalogue=known, environ=environ).base_url
        for name, profile in config.profiles.items()
    }
    problems += places.from_findings(managed.findings(config, base_urls))
    missing = checks.missing_keys(config, known, environ)
    missing_keys = tuple(
        places.from_findings(each for each in missing if not _uncertain(each.path, malformed))
    )
    if problems:
        raise ConfigError(_in_order([*problems, *missing_keys]))
    warnings = [
        *checks.warnings(config, known, environ),
        *homes.warnings(parsed.document, config, known, environ),
    ]
    return LoadedConfig(
        config=config,
        document=parsed.document,
        environ=environ,
        files=(*expanded.files, *own.files),
        catalogue=known,
        places=places,
        file=file,
        warnings=(*places.from_findings(expanded.warnings), *places.from_findings(warnings)),
        missing_keys=missing_keys,
    )


def _empty(file: str) -> Problem:
    return Problem(
        file=file,
        key="",
        found="an empty file",
        expected="at least profiles: (spillover init writes a file to start from)",
    )


def _validated(
    document: dict[str, Any], places: Places, *, without: list[KeyPath]
) -> tuple[Config, list[Problem], list[KeyPath]]:
    """Return the typed configuration without what is malformed, what that was, and where."""
    problems: list[Problem] = []
    malformed = list(without)
    rest = _copied(document)
    for path in without:
        _prune(rest, path)
    # Every error leads into a named setting, which goes: each round has less to read.
    while True:
        try:
            config = Config.model_validate(rest)
        except ValidationError as error:
            # Removing a part can make the next one seem wrong: only what is new is told.
            problems += [found for found in places.from_validation(error) if found not in problems]
            for detail in error.errors(include_url=False, include_input=False):
                malformed.append(tuple(detail["loc"]))
                _prune(rest, malformed[-1])
        else:
            return config, problems, malformed


def _entry(path: KeyPath) -> KeyPath:
    """The settings that belong together: `server`, or one profile, account or chain."""
    return path[:1] if path[:1] == ("server",) else path[:2]


def _follows(path: KeyPath, broken: set[KeyPath]) -> bool:
    """Whether something seems to be missing only because it was malformed."""
    return path in broken or (path[:1] == ("server",) and ("server",) in broken)


def _uncertain(path: KeyPath, malformed: list[KeyPath]) -> bool:
    """Whether what a key is for was malformed, so that nobody can say which one is missing."""
    return path[0] != "server" and any(
        bad[:2] == path[:2] and (len(bad) == _ENTRY_DEEP or bad[_ENTRY_DEEP] in _KEYS_MEAN)
        for bad in malformed
    )


def _copied(value: Any) -> Any:
    """A copy of the containers alone, for secrets can't be copied; keys are text."""
    match value:
        case dict():
            return {str(key): _copied(entry) for key, entry in value.items()}
        case list():
            return [_copied(entry) for entry in value]
        case _:
            return value


def _prune(document: dict[str, Any], path: KeyPath) -> None:
    """Remove the innermost named setting that a path leads into."""
    node: Any = document
    owner: tuple[dict[Any, Any], str | int] | None = None
    for part in path:
        below = child(node, part)
        if below is None:
            continue
        if isinstance(node, dict):
            owner = (node, part)
        node = below[0]
    if owner is not None:
        owner[0].pop(owner[1], None)


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """Problems by file and line, each once; those of a whole file first."""
    unique = {str(problem): problem for problem in problems}
    files = list(dict.fromkeys(problem.file for problem in problems))
    return tuple(sorted(unique.values(), key=lambda each: (files.index(each.file), each.line)))


def digest(path: Path, *, files: tuple[Path, ...], source: bytes | None = None) -> str:
    """Return a fingerprint of a configuration file, its `.env` and the secrets' files.

    `source` is the file's content where it has been read, so that no later edit slips in.
    """
    if source is None:
        source = _content(path)
    summed = hashlib.sha256(hashlib.sha256(source).digest())
    for file in (env_path(path), *files):
        summed.update(hashlib.sha256(_content(file)).digest())
    return summed.hexdigest()


def _content(file: Path) -> bytes:
    try:
        return read_whole(file)
    except OSError:
        return b"\0absent"


def secrets_in(config: Config, environ: Mapping[str, str], catalogue: Catalogue) -> list[Secret]:
    """Return every credential a configuration holds, and those its environment offers providers."""
    found: list[Any] = [config.server.admin_key, *config.server.client_keys]
    found += [target.to for target in config.notify if target.to.reveal() != DESKTOP]
    sources: list[Account | Profile] = [*config.accounts.values(), *config.profiles.values()]
    for source in sources:
        found += [source.api_key, *source.headers.values()]
        if source.upstream is not None:
            found += source.upstream.env.values()
    variables = {name for entry in catalogue.providers.values() for name in entry.key_env}
    found += [Secret(environ[name]) for name in variables if environ.get(name)]
    return [secret for secret in found if isinstance(secret, Secret)]

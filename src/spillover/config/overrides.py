"""Lay a user's own catalogue file over the packaged catalogue.

What is written wins: a mapping changes the fields it names, a list takes the place of the whole
list, null brings back a field's default. Everything wrong is told at once, each with its place.
Refuses to know profiles and chains.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from spillover.catalogue import Catalogue, ModelRow, Provider
from spillover.config.document import parse
from spillover.config.faults import Places, shown
from spillover.config.files import read_whole
from spillover.config.findings import Fault, Finding, KeyPath, nearest
from spillover.config.typed import read
from spillover.errors import Problem

_Entry = TypeVar("_Entry", Provider, ModelRow)

FILE_NAMES: Final = ("catalogue.yaml", "catalogue.json")
"""Beside the configuration; one of them."""
_KEYS: Final = ("providers", "as_of")


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue in force for a configuration, and what is wrong with the user's part of it."""

    catalogue: Catalogue
    files: tuple[Path, ...]
    """Where the user's part is or may come to be: to be watched."""
    problems: tuple[Problem, ...] = ()


def over(packaged: Catalogue, folder: Path) -> Own:
    """Return the packaged catalogue with the user's file in `folder`, if any, laid over it."""
    files = tuple(folder / name for name in FILE_NAMES)
    there = [file for file in files if file.exists()]
    if not there:
        return Own(catalogue=packaged, files=files)
    file = there[0]
    problems: tuple[Problem, ...]
    if len(there) > 1:
        problems = (_problem(file, found=f"{there[1].name} beside it", expected="one of the two"),)
        return Own(catalogue=packaged, files=files, problems=problems)
    try:
        source, changed_at = read_whole(file), file.stat().st_mtime
    except OSError as error:
        found, expected = f"no readable file ({error.strerror})", "one that can be read, or none"
        problems = (_problem(file, found=found, expected=expected),)
        return Own(catalogue=packaged, files=files, problems=problems)
    parsed = parse(source, file=str(file))
    written_on = datetime.fromtimestamp(changed_at, UTC).date().isoformat()
    overlay = _Overlay(packaged, file=file.name, as_of=written_on)
    catalogue = packaged if parsed.problems else overlay.laid(parsed.document)
    places = Places(parsed.document, parsed.lines, file=str(file))
    problems = (*parsed.problems, *places.from_findings(overlay.findings))
    problems = tuple(sorted(problems, key=lambda problem: problem.line))
    return Own(catalogue=catalogue, files=files, problems=problems)


def _problem(file: Path, *, found: str, expected: str) -> Problem:
    return Problem(file=str(file), key="", found=found, expected=expected)


class _Overlay:
    """Changes to a catalogue, and what is wrong with them."""

    def __init__(self, packaged: Catalogue, *, file: str, as_of: str) -> None:
        self.findings: list[Finding] = []
        self._packaged = packaged
        self._said: dict[str, Any] = {"source": file, "as_of": as_of}
        """The evidence of what is written, where it names none."""

    def laid(self, document: Any) -> Catalogue:
        """Return the catalogue with the changes of a document; an empty one changes nothing."""
        file = {} if document is None else self._mapping(document, ())
        for key in file:
            if key not in _KEYS:
                near = nearest(key, _KEYS)
                self._fault((key,), found=repr(key), expected="providers: or as_of:", near=near)
        if "as_of" in file:
            self._said["as_of"] = file["as_of"]
        providers: dict[str, Provider] = {}
        models: dict[str, dict[str, ModelRow]] = {}
        for name, written in self._mapping(file.get("providers") or {}, ("providers",)).items():
            path = ("providers", name)
            known = self._packaged.provider(name)
            own = name if known is None else known.id
            changes = dict(self._mapping(written, path))
            rows = self._mapping(changes.pop("models", None) or {}, (*path, "models"))
            entry = self._provider(own, changes, known, path)
            if entry is not None:
                providers[own] = entry
                models[own] = self._models(own, rows, (*path, "models"))
        return self._packaged.changed(providers, models, by=self._said["source"])

    def _provider(
        self, name: str, changes: dict[str, Any], known: Provider | None, path: KeyPath
    ) -> Provider | None:
        if changes.pop("id", name) != name:
            self._fault((*path, "id"), found="another id", expected=f"none: it is {name!r}")
        if known is None and not changes.get("base_url"):
            near = self._packaged.nearest(name)
            expected = "a provider of the catalogue, or base_url: of one of your own"
            self._fault(path, found=repr(name), expected=expected, near=near[0] if near else None)
            return None
        base = self._bare(name) if known is None else msgspec.to_builtins(known)
        return self._fitting(base, self._with_evidence(changes), Provider, path)

    def _bare(self, name: str) -> dict[str, Any]:
        """What a provider of a user's own is, but for its address."""
        return {
            "id": name,
            "name": name,
            "kind": "cloud",
            "base_url_source": self._said["source"],
            "auth": {"header": "Authorization", "scheme": "Bearer"},
            "pool": "account",
            "tier_kind": "paid",
            "stream_usage": "ask",
            "default_model": {"id": None, **self._said},
            "models_path": "/models",
            "as_of": self._said["as_of"],
        }

    def _with_evidence(self, changes: dict[str, Any]) -> dict[str, Any]:
        """What is written, with its source and date where it doesn't say them itself."""
        said, filled = self._said, dict(changes)
        if changes:
            filled.setdefault("as_of", said["as_of"])
        for key, evidence in (
            ("free", said | {"confidence": "high"}),
            ("ranks", {"reason": said["source"], "as_of": said["as_of"]}),
            ("headers", {"source": said["source"]}),
        ):
            if isinstance(changes.get(key), list):
                filled[key] = [evidence | x if isinstance(x, dict) else x for x in changes[key]]
        model = changes.get("default_model")
        if isinstance(model, str):
            filled["default_model"] = said | {"id": model}
        elif isinstance(model, dict):
            filled["default_model"] = said | model
        return filled

    def _models(self, name: str, rows: dict[str, Any], path: KeyPath) -> dict[str, ModelRow]:
        known, found = self._packaged.models(name), {}
        for model, written in rows.items():
            place = (*path, model)
            changes = self._said | self._mapping(written, place)
            base = msgspec.to_builtins(known[model]) if model in known else {}
            row = self._fitting(base, changes, ModelRow, place)
            if row is not None:
                found[model] = row
        return found

    def _fitting(
        self, base: dict[str, Any], changes: dict[str, Any], kind: type[_Entry], path: KeyPath
    ) -> _Entry | None:
        """The changed entry; what does not fit is told of and stays as it was."""
        refused: set[str | int] = set()
        while True:
            try:
                return read(merged(base, changes), kind)
            except Fault as caught:
                fault: Fault = caught
            field = fault.path[0] if fault.path else ""
            if field in refused:  # it is missing only because it was malformed
                return None
            at, found = (*path, *fault.path), shown(fault.found, ())
            self._fault(at, found=found, expected=fault.expected, near=fault.nearest)
            refused.add(field)
            if changes.pop(str(field), None) is None:
                return None

    def _mapping(self, value: Any, path: KeyPath) -> dict[str, Any]:
        if isinstance(value, dict):
            return {str(key): below for key, below in value.items()}
        self._fault(path, found=shown(value, ()), expected="a mapping")
        return {}

    def _fault(self, path: KeyPath, *, found: str, expected: str, near: str | None = None) -> None:
        self.findings.append(Finding(path=path, found=found, expected=expected, nearest=near))


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes: a value given replaces, a mapping changes, null removes."""
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(below, dict):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result

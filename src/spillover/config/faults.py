"""Turn everything found wrong into problems that name file, line, key and remedy.

Refuses to find anything itself, and never shows a value that stands in a secret's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.config import schema
from spillover.config.expansion import is_secret
from spillover.config.findings import Fault, Faults, Finding, KeyPath, dotted, is_at, nearest
from spillover.config.secrets import Redactor
from spillover.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

PLACES: Final[dict[tuple[str, ...], type[BaseModel]]] = {
    (): schema.Config,
    ("server",): schema.Server,
    ("accounts", "*"): schema.Account,
    ("accounts", "*", "upstream"): schema.LocalServer,
    ("profiles", "*"): schema.Profile,
    ("profiles", "*", "upstream"): schema.LocalServer,
    ("profiles", "*", "price"): schema.Price,
    ("chains", "*"): schema.Chain,
    ("chains", "*", "profiles", "*"): schema.Member,
    ("chains", "*", "spend_gate"): schema.SpendGate,
    ("chains", "*", "timeouts"): schema.Timeouts,
    ("notify", "*"): schema.Notify,
}
"""Which settings stand where."""

_EXPECTED: Final = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
}
_LONGEST: Final = 80


def child(node: Any, part: str | int) -> tuple[Any] | None:
    """Return what stands under a key or at a place, None where there is nothing."""
    match node, part:
        case dict(), _ if part in node:
            return (node[part],)
        case list(), int(place) if place < len(node):
            return (node[place],)
        case _:
            return None


class Places:
    """The lines of a document, and how to find the one that a path means."""

    def __init__(self, document: Any, lines: dict[KeyPath, int], *, file: str) -> None:
        self._document = document
        self._lines = lines
        self._file = file
        self._redactor = Redactor()

    def written(self, path: KeyPath) -> KeyPath:
        """Return the part of a path that the document really has.

        A short form lacks levels that the full form has: `chains.x.profiles[0]` is `chains.x[0]`.
        """
        node, found = self._document, []
        for part in path:
            below = child(node, part)
            if below is not None:
                found.append(part)
                node = below[0]
        return tuple(found)

    def problem(self, finding: Finding) -> Problem:
        """Return a finding as a problem; the line is that of the deepest part written."""
        path = finding.path
        written = self.written(path)
        missing = path[-1:] if path and written[-1:] != path[-1:] else ()
        shown = (*written, *(part for part in missing if isinstance(part, str) and part != "[key]"))
        return Problem(
            file=self._file,
            key=self._redactor.redact(dotted(shown)),
            found=self._redactor.redact(finding.found),
            expected=finding.expected,
            line=self._lines.get(written, 0),
            nearest=finding.nearest,
        )

    def from_findings(self, findings: Iterable[Finding]) -> Iterator[Problem]:
        """Yield findings as problems."""
        return map(self.problem, findings)

    def from_validation(self, error: ValidationError) -> Iterator[Problem]:
        """Yield everything the schema refused as problems."""
        for detail in error.errors(include_url=False):
            for finding in _findings(detail):
                yield self.problem(finding)


def _findings(detail: ErrorDetails) -> Iterator[Finding]:
    path = tuple(detail["loc"])
    context = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Faults):
        for fault in cause.faults:
            yield _inner_finding(path, fault)
        return
    found = shown(detail["input"], path)
    match detail["type"]:
        case "extra_forbidden":
            names = tuple(_settings_at(path[:-1]))
            name = str(path[-1])
            yield Finding(
                path=path,
                found=repr(name),
                expected=f"one of {', '.join(names)}" if names else "nothing here",
                nearest=nearest(name, names),
            )
        case "missing":
            yield Finding(path=path, found="nothing", expected=f"{path[-1]}:")
        case "enum" | "literal_error":
            names = tuple(name.strip("' ") for name in _listed(str(context["expected"])))
            yield Finding(
                path=path,
                found=found,
                expected=f"one of {', '.join(names)}",
                nearest=nearest(str(detail["input"]), names),
            )
        case kind:
            expected = context.get("expected") or _expected(kind, detail["msg"], context)
            yield Finding(path=path, found=found, expected=str(expected))


def _expected(kind: str, message: str, context: dict[str, Any]) -> str:
    return _EXPECTED[kind].format(**context) if kind in _EXPECTED else message


def _inner_finding(path: KeyPath, fault: Fault) -> Finding:
    return Finding(
        path=(*path, *fault.path),
        found=shown(fault.found, path),
        expected=fault.expected,
        nearest=fault.nearest,
    )


def _listed(expected: str) -> list[str]:
    return expected.replace(" or ", ", ").split(",")


def _settings_at(path: KeyPath) -> Iterator[str]:
    """The names that may stand at a place."""
    for place, settings in PLACES.items():
        if is_at(path, place):
            yield from settings.model_fields


def shown(value: Any, path: KeyPath) -> str:
    """Return a value as shown in a problem; of a secret's place only its kind."""
    kinds = {dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing"}
    if type(value) in kinds:
        return kinds[type(value)]
    if is_secret(path):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

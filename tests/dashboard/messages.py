"""Finds every message that the dashboard says, and every sentence that reaches it from elsewhere."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from typing import TYPE_CHECKING, Final

from jinja2 import nodes

from spillover.dashboard import terms
from spillover.dashboard.pages import SCRIPT_WORDS, environment
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = ROOT / "src"
SPEAKING: Final = ("config", "gateway", "core", "upstream", "engine")
"""Parts of the source whose sentences a page may show."""
ELSEWHERE: Final = {
    # to clients of the protocols
    "gateway/app.py",
    "gateway/bodies.py",
    "gateway/recall.py",
    "gateway/remembered.py",
    # on a terminal
    "config/discovery.py",
    "config/watch.py",
    # to programmers
    "config/spans.py",
}
"""Modules whose sentences reach no page."""
SAYERS: Final = {
    *("RequestError", "EditRefused", "UpstreamBroken", "Denial", "LookupError", "ValueError"),
    *("Fault", "Finding", "Problem", "Skipped", "Unwritable", "_Refused", "_worded"),
    *("_fault", "_problem", "_refuse_beside", "_refused", "refuse"),
}
"""What is called with a sentence, or with what one is made from."""
SAYS: Final = re.compile(rf"\b({'|'.join(sorted(SAYERS))})\(")
OPEN: Final = {"hint": "; did you mean 'x'?", "known": " (such as x)", "_MORE_SENDS": "1"}
"""Parts of sentences that are more than a name or a number."""


def of_templates() -> set[str]:
    """What templates say by `_('…')`."""
    found = set()
    templates = environment()
    for name in templates.list_templates():
        assert templates.loader is not None
        source, _, _ = templates.loader.get_source(templates, name)
        for call in templates.parse(source).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                (message, *_) = call.args
                assert isinstance(message, nodes.Const), f"{name}:{call.lineno}"
                found.add(message.value)
    return found


def every() -> set[str]:
    """What is said anywhere."""
    return (
        of_templates()
        | set(SCRIPT_WORDS)
        | {said for table in terms.ALL for said in table.values()}
    )


def of_source() -> set[str]:
    """The sentences that the source holds, with `1` in the place of what varies."""
    found = set()
    for part in SPEAKING:
        for path in sorted((SOURCE / "spillover" / part).glob("*.py")):
            text = path.read_text("utf-8")
            if f"{part}/{path.name}" in ELSEWHERE or not SAYS.search(text):
                continue
            module = f"spillover.{part}.{path.stem}"
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and _name(node.func) in SAYERS:
                    given = [*node.args, *(each.value for each in node.keywords)]
                    found |= {text for each in given for text in _texts(each, module)}
    return {text for text in found if " " in text.strip()}


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _texts(node: ast.expr, module: str) -> Iterator[str]:
    """The texts that an expression may be."""
    match node:
        case ast.IfExp():
            yield from _texts(node.body, module)
            yield from _texts(node.orelse, module)
        case ast.BinOp(op=ast.Add()):
            for left in _texts(node.left, module):
                yield from (left + right for right in _texts(node.right, module))
        case ast.JoinedStr():
            yield "".join(_piece(each, module) for each in node.values)
        case ast.Constant(value=str() as text):
            yield text.replace("{names}", "'x'")
        case ast.Name() if node.id.strip("_").isupper():
            found = getattr(import_module(module), node.id)
            yield from [found] if isinstance(found, str) else []


def _piece(node: ast.expr, module: str) -> str:
    if isinstance(node, ast.FormattedValue):
        (said, *_) = [*_texts(node.value, module), OPEN.get(_name(node.value), "1")]
        return repr(said) if node.conversion == ord("r") else said
    return str(getattr(node, "value", ""))

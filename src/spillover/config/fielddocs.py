"""Read what the schema's source says of each setting: the docstring below it.

Done from the source, when a reference or a JSON Schema is asked for: starting up costs nothing.
Refuses to know what the settings are.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from importlib.resources import files
from typing import Final

_MODULE: Final = "schema.py"


@cache
def field_docs() -> dict[str, dict[str, str]]:
    """Return by class and field the description, as running text."""
    source = files("spillover.config").joinpath(_MODULE).read_text("utf-8")
    return {
        node.name: _of_class(node)
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
    }


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(inspect.cleandoc(text).split())
            case _:
                pass
    return found

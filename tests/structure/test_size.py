"""Modules, functions and signatures stay small enough to be read at once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.structure.project import ROOT, SOURCE, modules, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
MOST_PARAMETERS = 5
"""Besides `self` or `cls`."""

CODE = [SOURCE, ROOT / "tests", ROOT / "bench", ROOT / "scripts"]

MANY_PARAMETERS: dict[str, str] = {}
"""Functions (`path::Class.name`) with more parameters, each with its reason."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, owner: str = "") -> Iterator[tuple[str, Function, bool]]:
    """Every function below a node: its dotted name, itself, and whether it is a class's own."""
    for node in ast.iter_child_nodes(tree):
        name = f"{owner}{node.name}" if isinstance(node, Function | ast.ClassDef) else ""
        if isinstance(node, Function):
            yield name, node, isinstance(tree, ast.ClassDef)
        yield from functions(node, f"{name}." if name else owner)


def parameters(function: Function, *, in_class: bool) -> int:
    """How many parameters a caller sees."""
    named = function.args
    count = len(named.posonlyargs) + len(named.args) + len(named.kwonlyargs)
    static = any(
        isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list
    )
    return count - (in_class and not static)


def is_command(function: Function) -> bool:
    """Tell a command of the command line: its parameters are the options that users type."""
    calls = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    return any(isinstance(c, ast.Attribute) and c.attr in {"command", "callback"} for c in calls)


def everywhere(roots: list[Path]) -> Iterator[tuple[str, Function, bool]]:
    for root in roots:
        for path in modules(root):
            for name, function, in_class in functions(ast.parse(path.read_text("utf-8"))):
                yield f"{shown(path)}::{name}", function, in_class


def test_no_module_is_longer_than_a_reader_holds() -> None:
    lengths = {
        shown(path): len(path.read_text("utf-8").splitlines())
        for root in CODE
        for path in modules(root)
    }

    long = {name: length for name, length in lengths.items() if length > LONGEST_MODULE}

    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        name: (function.end_lineno or function.lineno) - function.lineno + 1
        for name, function, _ in everywhere(CODE)
    }

    long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}

    assert not long


def test_no_function_takes_more_parameters_than_a_hand_has_fingers() -> None:
    counts = {
        name: parameters(function, in_class=in_class)
        for name, function, in_class in everywhere([SOURCE])
        if not is_command(function)
    }

    many = {name: count for name, count in counts.items() if count > MOST_PARAMETERS}

    assert many.keys() == MANY_PARAMETERS.keys(), many


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a, b, *, c): ...", 3),
        ("class A:\n    def f(self, a, /, b): ...", 2),
        ("class A:\n    @staticmethod\n    def f(a, b): ...", 2),
        ("class A:\n    @classmethod\n    async def f(cls, a): ...", 1),
        ("class A:\n    def f(self):\n        def g(a): ...", 1),
    ],
    ids=["function", "method", "static", "class method", "nested"],
)
def test_parameters_are_counted_as_a_caller_sees_them(source: str, expected: int) -> None:
    *_, (_, function, in_class) = functions(ast.parse(source))

    assert parameters(function, in_class=in_class) == expected

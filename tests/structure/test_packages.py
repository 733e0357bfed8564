"""Every folder of the source is a package that says its job."""

from __future__ import annotations

import ast

from tests.structure.project import SOURCE, modules, shown


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in modules(SOURCE)}

    bare = sorted(shown(folder) for folder in folders if not (folder / "__init__.py").is_file())

    assert not bare


def test_every_module_says_its_job_in_a_docstring() -> None:
    silent = [
        shown(path)
        for path in modules(SOURCE)
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]

    assert not silent


def test_the_package_is_marked_as_typed() -> None:
    assert (SOURCE / "py.typed").is_file()

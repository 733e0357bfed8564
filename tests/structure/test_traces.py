"""What is kept names no machine it was made on and no place its packages came from."""

from __future__ import annotations

import re

import pytest

from tests.structure.project import shown, tracked

# Written in pieces, or this file would find itself.
REGISTRY = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|crates)\.(?:" + "org|io|com)"
    r"|--(?:extra-)?index-" + "url[ =]"
    r"|\bfile:///(?:opt|srv|mnt)/",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:" + r"work|root|Users|home/(?!you\b|user\b|me\b)\w+)/")


def lines(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # an image or a database has no lines
        found += [
            f"{shown(path)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def test_no_file_names_a_package_registry() -> None:
    assert not lines(REGISTRY)


def test_no_file_names_a_path_of_a_machine() -> None:
    assert not lines(MACHINE_PATH)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("https://" + "pypi" + ".org/simple", REGISTRY),
        ("pip install --extra-index" + "-url https://example.com", REGISTRY),
        ("see /ro" + "ot/.cache", MACHINE_PATH),
        ("see /home/" + "ann/project/x", MACHINE_PATH),
    ],
    ids=["registry", "index option", "root's home", "someone's home"],
)
def test_a_trace_would_be_found(text: str, pattern: re.Pattern[str]) -> None:
    assert pattern.search(text)

"""Every command and every option of the command line is documented, and nothing else is."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
import typer.main

from spillover.cli.app import build
from spillover.cli.entry import COMMANDS
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
ROW = re.compile(r"^\| (`[^|]*) \|", re.MULTILINE)
OPTION = re.compile(r"`(--?[a-z][a-z-]*)")


def sections() -> dict[str, str]:
    """Return the text below each command's heading."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:]
    return {
        name: text
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
        for name in heading.split(", ")
    }


def options(command: str) -> Iterator[str]:
    """Yield every option of a command and of what stands below it."""
    module = import_module(f"spillover.cli.{COMMANDS[command]}")
    group = typer.main.get_command(build([module]))
    found = group.commands[command]  # type: ignore[attr-defined]
    for each in (found, *getattr(found, "commands", {}).values()):
        for parameter in each.params:
            yield from (option for option in parameter.opts if option.startswith("-"))


def documented(text: str) -> set[str]:
    return {option for row in ROW.findall(text) for option in OPTION.findall(row)}


def test_every_command_has_its_section() -> None:
    assert sections().keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_options_of_a_command_are_those_that_are_documented(command: str) -> None:
    assert documented(sections()[command]) == set(options(command))

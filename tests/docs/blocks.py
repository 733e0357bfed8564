"""Finds the examples in README and docs: each fenced block of a language that can be tried.

Every one is tried, unless the line before it says why not: `<!-- not run: the reason -->`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.structure.project import ROOT, shown

if TYPE_CHECKING:
    from pathlib import Path

TRIED = frozenset({"bash", "console", "python", "yaml"})

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
NOT_RUN = re.compile(r"<!-- not run: [^\s>-][^>]*-->\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One example and where it stands."""

    page: str
    line: int
    language: str
    text: str
    excused: bool

    @property
    def name(self) -> str:
        """Where to look when it fails."""
        return f"{self.page}:{self.line}"


def blocks_in(text: str, *, page: str) -> list[Block]:
    """List every fenced block of a page in a language that can be tried."""
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            language=found["language"],
            text=re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            excused=bool(NOT_RUN.search(text, 0, found.start())),
        )
        for found in FENCE.finditer(text)
        if found["language"] in TRIED
    ]


def pages() -> list[Path]:
    """List README and every page of the docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(*languages: str) -> list[Block]:
    """List every block of these languages that is to be tried."""
    return [
        block
        for page in pages()
        for block in blocks_in(page.read_text("utf-8"), page=shown(page))
        if block.language in languages and not block.excused
    ]

"""The site has every page, README too, and loads nothing from elsewhere. `make docs` builds it and minds its links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.docs.blocks import pages
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
SITE: dict[str, Any] = YAML(typ="safe").load(ROOT / "mkdocs.yml")
LINK = re.compile(r"\]\((?P<target>[^)\s#]+)(?:#[^)\s]*)?\)")
WEB = ("http://", "https://", "mailto:")


def listed(entries: Any) -> Iterator[str]:
    """Yield the pages of a part of the navigation."""
    for entry in entries:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from listed(target)


def test_the_navigation_has_every_page_once() -> None:
    there = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))

    assert sorted(listed(SITE["nav"])) == there


def test_readme_leads_to_every_page_but_the_single_decisions() -> None:
    targets = {found["target"] for found in LINK.finditer((ROOT / "README.md").read_text("utf-8"))}

    assert [page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in targets] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_to_what_there_is(page: Path) -> None:
    text = re.sub(
        r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    targets = [found["target"] for found in LINK.finditer(text)]

    assert [
        target
        for target in targets
        if not target.startswith(WEB) and not (page.parent / target).exists()
    ] == []


def test_a_broken_link_stops_the_site_which_loads_nothing_from_elsewhere() -> None:
    assert SITE["strict"] is True
    assert {"warn"} == {level for part in SITE["validation"].values() for level in part.values()}
    assert SITE["theme"]["font"] is False
    assert SITE["plugins"] == ["search"]
    assert not SITE.keys() & {"extra_css", "extra_javascript"}

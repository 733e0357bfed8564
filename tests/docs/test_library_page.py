"""The page on the library gives each SDK the client that it is built on."""

from __future__ import annotations

import re

import pytest

from tests.structure.project import ROOT

PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "docs/library.md")}


@pytest.mark.parametrize("page", PAGES)
def test_the_openai_sdk_gets_the_client_it_is_built_on(page: str) -> None:
    given = re.findall(r"OpenAI\(.*http_client=llm\.(\w+)\(\)", PAGES[page])

    assert set(given) == {"httpx2_client"}


def test_the_extra_that_httpx_client_needs_is_named() -> None:
    (row,) = [
        line for line in PAGES["docs/library.md"].splitlines() if "| `httpx_client()` |" in line
    ]

    assert "`pip install 'spillover[sdk]'`" in row

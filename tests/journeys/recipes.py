"""Takes a configuration from the page of recipes and points it at this machine's providers."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

from tests.docs.blocks import blocks_in
from tests.engine.staging import LIMITS
from tests.structure.project import ROOT


def recipe(title: str) -> dict[str, Any]:
    """Return the configuration whose first line is the comment `title`; nothing else is changed."""
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    (found,) = (b for b in blocks_in(page, page="recipes") if b.text.startswith(f"# {title}\n"))
    written: dict[str, Any] = YAML(typ="safe").load(found.text)
    return written


def pointed(written: dict[str, Any], places: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Give profiles their address and key here, by name, and time limits for a busy machine."""
    for name, (base_url, key) in places.items():
        written["profiles"][name] |= {"base_url": base_url, "api_key": key}
    chain = written["chains"]["default"]
    if isinstance(chain, list):
        chain = {"profiles": chain}
    written["chains"]["default"] = chain | {"timeouts": LIMITS}
    return written

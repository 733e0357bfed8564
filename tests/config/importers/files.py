"""The files of other tools that the tests import, and the secrets in them."""

from __future__ import annotations

import re
from pathlib import Path

from spillover.catalogue import load
from spillover.config.importers import Plan, Tool, plan_of

FOLDER = Path(__file__).with_name("exports")
FILES = {
    "kilo": Tool.KILO,
    "roo": Tool.ROO,
    "cline-providers": Tool.CLINE,
    "cline-state": Tool.CLINE,
    "cortexide": Tool.CORTEXIDE,
    "litellm": Tool.LITELLM,
    "openrouter": Tool.OPENROUTER,
}
SECRET = re.compile(r"[\w-]*(?:of-?the-?tests|team-token)[\w-]*", re.IGNORECASE)
"""How the secrets in the files look; no two of them are alike."""


def content(name: str) -> bytes:
    """Return a file of another tool."""
    return next(FOLDER.glob(f"{name}.*")).read_bytes()


def secrets_of(source: bytes) -> set[str]:
    """Return the secrets in a file of the tests."""
    return {found for found in SECRET.findall(source.decode()) if len(found) > 10}


def planned(name: str, source: bytes | None = None) -> Plan:
    """Return what a file comes to, or another one of the same tool."""
    return plan_of(FILES[name], content(name) if source is None else source, load())


def left_out(plan: Plan) -> dict[str, str]:
    """Return what was left out, and why."""
    return {each.source: each.why for each in plan.unmapped}

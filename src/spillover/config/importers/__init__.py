"""Take over what other tools keep of providers, keys, limits and order: one module a tool.

Each turns the bytes of a file into a plan (`plan.py`), and refuses to do anything about it.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

from spillover.config.importers.plan import Mapped, Plan, Unmapped

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue

__all__ = ["Mapped", "Plan", "Tool", "Unmapped", "plan_of"]


class Tool(StrEnum):
    """Whose file it is."""

    KILO = "kilo"
    ROO = "roo"
    CLINE = "cline"
    LITELLM = "litellm"
    CORTEXIDE = "cortexide"
    OPENROUTER = "openrouter"


def plan_of(tool: Tool, source: bytes, catalogue: Catalogue) -> Plan:
    """Return what a file of a tool comes to.

    Raises RequestError where it is none of that tool's, or can't be read; nothing of it is repeated.
    """
    module = import_module(f"spillover.config.importers.{tool.value}")
    plan: Plan = module.plan(source, catalogue)
    return plan

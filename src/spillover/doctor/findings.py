"""What the doctor finds: what was seen, why it matters, what to do, and what could be done for you.

Refuses to know what is looked at, and holds no secret: keys come in masked.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from spillover.core.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(StrEnum):
    """How bad a finding is, the mildest first."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WARNING = "warning"
    """It works, but not as well as meant, or not for long."""
    PROBLEM = "problem"
    """Something does not work."""


class OnlyOwner(Value, frozen=True, kw_only=True, tag="only_owner"):
    """Let nobody but its owner read a file or look into a folder."""

    path: Path


class TidyVariable(Value, frozen=True, kw_only=True, tag="tidy_variable"):
    """Take quotes and blanks that belong to no value out of a line of a `.env`."""

    path: Path
    name: str


class SetVariable(Value, frozen=True, kw_only=True, tag="set_variable"):
    """Give a variable that is no secret a value in a `.env`."""

    path: Path
    name: str
    value: str


class NewLedger(Value, frozen=True, kw_only=True, tag="new_ledger"):
    """Move a state file that can't be used out of the way; the next command begins a new one."""

    path: Path


class OtherPort(Value, frozen=True, kw_only=True, tag="other_port"):
    """Have the gateway listen on another port, by its configuration."""

    path: Path
    port: int


class RemoveLeftover(Value, frozen=True, kw_only=True, tag="remove_leftover"):
    """Delete what a process left that was killed while it wrote."""

    path: Path


Fix: TypeAlias = OnlyOwner | TidyVariable | SetVariable | NewLedger | OtherPort | RemoveLeftover


class Finding(Value, frozen=True, kw_only=True):
    """What one check came to."""

    check: str
    """Its name in `table.CHECKS`."""
    level: Level = Level.OK
    about: str = ""
    """Whom it is of: a profile, a host, a file, a variable; empty: the machine."""
    saw: str
    why: str = ""
    remedy: str = ""
    """What to do, as commands or settings; lines are alternatives or steps."""
    fix: Fix | None = None
    """What `--fix` does about it."""
    mended: str = ""
    """What `--fix` did; empty: nothing."""
    figures: tuple[tuple[str, float | str | None], ...] = ()
    """What was measured, by name."""


BAD: Final = frozenset({Level.WARNING, Level.PROBLEM})


def is_sound(findings: Iterable[Finding]) -> bool:
    """Return whether nothing is broken; warnings break nothing."""
    return all(each.level is not Level.PROBLEM for each in findings)


def document(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    return {
        "check": finding.check,
        "level": finding.level.value,
        "about": finding.about,
        "saw": finding.saw,
        "why": finding.why,
        "remedy": finding.remedy,
        "fix": None if finding.fix is None else promised(finding.fix),
        "mended": finding.mended or None,
        "figures": dict(finding.figures),
    }


def promised(fix: Fix) -> str:
    """Return what a fix does, in words."""
    match fix:
        case OnlyOwner():
            return f"let you alone read {fix.path}"
        case TidyVariable():
            return f"take the quotes and blanks around {fix.name} out of {fix.path}"
        case SetVariable():
            return f"write {fix.name}={fix.value} to {fix.path}"
        case NewLedger():
            return f"move {fix.path} aside, for a new one to be begun"
        case OtherPort():
            return f"write port {fix.port} to {fix.path}"
        case RemoveLeftover():
            return f"delete {fix.path}"

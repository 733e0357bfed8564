"""Judge what came of real answers: one of a token from each profile.

Refuses to know how they are asked.
"""

from __future__ import annotations

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level

ASLEEP = frozenset({"disabled", "hours", "privacy", "policy", "limit", "exhausted"})
"""Why nothing was sent that is no fault of the profile's."""


class Answered(Value, frozen=True, kw_only=True):
    """What came of asking a profile for a token."""

    profile: str
    sent: bool
    answered: bool
    outcome: str
    """`ok`, a failure class, or why nothing was sent."""
    message: str = ""
    took_ms: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    reported: bool = True
    """The provider reported the tokens; else they are an estimate."""
    left: str = ""
    """What the tightest limit has left, as words."""
    is_managed: bool = False
    """The gateway runs its server."""


def completion(found: Answered) -> Finding:
    """Return what a profile's answer says."""
    figures = (
        ("latency_ms", found.took_ms),
        ("input_tokens", found.input_tokens),
        ("output_tokens", found.output_tokens),
        ("left", found.left or None),
        ("outcome", found.outcome),
    )
    if found.answered:
        used = f"{found.input_tokens} + {found.output_tokens} tokens"
        used += "" if found.reported else ", estimated: it reports none"
        return Finding(
            check="provider.completion",
            about=found.profile,
            saw=f"answered in {found.took_ms or 0:.0f} ms, {used}"
            + (f"; {found.left}" if found.left else ""),
            figures=figures,
        )
    words = found.outcome.replace("_", " ")
    said = f": {found.message}" if found.message else ""
    if not found.sent:
        level = Level.NOTE if found.outcome in ASLEEP else Level.PROBLEM
        return Finding(
            check="provider.completion",
            level=level,
            about=found.profile,
            saw=f"was not asked ({words}){said}",
            why="nothing is sent past a limit, without a key, or where privacy forbids it",
            remedy="spillover status",
            figures=figures,
        )
    return Finding(
        check="provider.completion",
        level=Level.PROBLEM,
        about=found.profile,
        saw=f"did not answer ({words}){said}",
        why="the gateway runs its server: either none runs, or it is away"
        if found.is_managed
        else "a request that goes to it falls back",
        remedy=f"spillover serve\nspillover doctor {found.profile}"
        if found.is_managed
        else f"spillover errors {found.outcome}",
        figures=figures,
    )

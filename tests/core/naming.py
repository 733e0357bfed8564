"""Asking what an error with a given status, text and codes is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.core.evidence import Evidence, Shape
from spillover.core.failures import classify

if TYPE_CHECKING:
    from spillover.core.values import Failure

NOW = 1_790_000_000.0


def named(
    status: int | None, text: str = "", *codes: str, provider: str = "somebody", html: bool = False
) -> Failure:
    """Return what an error is named that says `text` and has `codes`."""
    evidence = Evidence(
        provider=provider,
        status=status,
        shape=Shape.HTML if html else Shape.STRUCTURED,
        codes=codes,
        code=codes[0] if codes else None,
        message=text,
        text=text.lower(),
    )
    return classify(evidence, now=NOW)

"""The record's names in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.core.chains import Strategy
from spillover.core.refusals import EndKind
from spillover.core.values import (
    Confidence,
    FailureClass,
    Metric,
    RoutingPolicy,
    SkipReason,
    Source,
    Status,
    Tier,
)
from spillover.dashboard import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (Status, terms.STATUS),
        (FailureClass, terms.REASON),
        (SkipReason, terms.REASON),
        (Source, terms.SOURCE),
        (Confidence, terms.CONFIDENCE),
        (Tier, terms.TIER),
        (Metric, terms.METRIC),
        (Strategy, terms.STRATEGY),
        (RoutingPolicy, terms.POLICY),
        (EndKind, terms.OUTCOME),
    ],
)
def test_every_name_has_its_words(names: Iterable[str], table: Mapping[str, str]) -> None:
    assert {str(name) for name in names} <= table.keys()

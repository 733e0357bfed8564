"""What is known of a failed attempt before it has a name."""

from __future__ import annotations

import pytest

from spillover.core.evidence import Evidence, Shape
from spillover.core.values import Source


def test_evidence_of_nothing_claims_nothing() -> None:
    evidence = Evidence()

    assert evidence.status is None
    assert evidence.fault is None
    assert evidence.shape is Shape.NOTHING
    assert evidence.codes == ()
    assert evidence.source is Source.DEFAULT


def test_evidence_cannot_be_changed() -> None:
    evidence = Evidence(status=429)

    with pytest.raises(AttributeError):
        evidence.status = 500  # type: ignore[misc]

"""What a day says of itself."""

from __future__ import annotations

import pytest

from spillover.simulator.days.day import BY_EVIDENCE, POLICIES, Day, Outage
from spillover.simulator.faults import Fault
from spillover.simulator.spec import ProviderSpec


def a_day(*outages: Outage, flavour: str = "generic") -> Day:
    spec = ProviderSpec(flavour=flavour)
    return Day(name="d", title="d", tells="", spec=spec, settings={}, outages=outages)


@pytest.mark.parametrize(
    ("fault", "is_outage"),
    [(None, True), (Fault(status=503), True), (Fault(status=429), False), (Fault(body=""), False)],
)
def test_who_is_down_is_told_from_who_will_do_no_more(
    fault: Fault | None, *, is_outage: bool
) -> None:
    day = a_day(Outage(from_s=0, until_s=1, fault=fault))

    assert day.is_outage is is_outage


def test_a_providers_routes_are_where_its_flavour_has_them() -> None:
    assert a_day(flavour="gemini").path == "v1beta/openai"
    assert not a_day().is_outage


def test_only_the_rule_by_evidence_sets_nothing() -> None:
    assert [policy for policy in POLICIES if policy.cooldown is None] == [BY_EVIDENCE]

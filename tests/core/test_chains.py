"""What a chain is when its user says no more than its members."""

from __future__ import annotations

from spillover.core.chains import Chain, Gate, Member, Strategy
from spillover.core.values import RoutingPolicy


def test_chain_of_members_alone_is_walked_in_order_and_gates_nothing() -> None:
    chain = Chain(name="main", members=(Member(profile="a"), Member(profile="b")))

    assert chain.strategy is Strategy.PRIORITY
    assert chain.routing_policy is RoutingPolicy.ANY
    assert (chain.spend_gate.on_quota, chain.spend_gate.on_outage) == (Gate.ALLOW, Gate.ALLOW)
    assert (chain.privacy, chain.failback.sticky, chain.alone) == (False, False, False)


def test_chain_of_members_alone_waits_for_nobody() -> None:
    chain = Chain(name="main", members=(Member(profile="a"),))

    assert (chain.wait_s, chain.patience_s, chain.failback.after_s) == (0.0, 0.0, None)


def test_member_serves_at_all_hours_and_weighs_as_much_as_any_other() -> None:
    member = Member(profile="a")

    assert (member.hours, member.weight) == (None, 1)

"""What calls cost, and what free and local profiles saved."""

from __future__ import annotations

from spillover.core.savings import saved_nanousd, spent_nanousd
from spillover.core.values import Price, Tier, Usage
from tests.core.making import profile

CALL = Usage(requests=1, input_tokens=1_000, output_tokens=100, cost_nanousd=7)
FREE = profile("free", price=Price(input=50, output=500))
LOCAL = profile("local", tier=Tier.LOCAL, price=Price())
LONG_READER = profile("reads", tier=Tier.PAID, price=Price(input=10, output=9_000))
LONG_WRITER = profile("writes", tier=Tier.PAID, price=Price(input=900, output=10))
UNPRICED = profile("paid", tier=Tier.PAID)


def test_only_paid_profiles_cost() -> None:
    assert [spent_nanousd(each, CALL) for each in (UNPRICED, FREE, LOCAL)] == [7, 0, 0]


def test_tokens_are_priced_like_the_paid_profile_that_is_cheapest_for_them() -> None:
    chain = (FREE, LONG_READER, LONG_WRITER, UNPRICED)

    assert saved_nanousd(FREE, chain, CALL) == 901_000
    assert saved_nanousd(LOCAL, chain, Usage(input_tokens=1, output_tokens=1_000)) == 10_900


def test_without_a_priced_paid_profile_ones_own_list_price_counts() -> None:
    assert saved_nanousd(FREE, (FREE, UNPRICED), CALL) == 100_000


def test_who_has_no_price_at_all_saved_nobody_knows_how_much() -> None:
    assert saved_nanousd(LOCAL, (LOCAL, FREE), CALL) is None
    assert saved_nanousd(profile("bare"), (), CALL) is None


def test_a_paid_profile_saves_nothing() -> None:
    assert saved_nanousd(LONG_READER, (LONG_WRITER,), CALL) is None

"""Reading what usage endpoints say of an account."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.stated import BALANCE, Stated
from spillover.core.values import Metric
from spillover.protocols.usage_answers import UsageForm, read_usage_answer

NOON = 1_795_176_000.0  # Friday, 2026-11-20T12:00:00Z
MIDNIGHT = NOON + 43_200.0
KEY, PURSE = UsageForm.OPENROUTER_KEY, UsageForm.DEEPSEEK_BALANCE


def read(form: UsageForm, said: Any) -> tuple[Stated, ...]:
    return read_usage_answer(form, msgspec.json.encode(said), NOON)


def key(**fields: Any) -> tuple[Stated, ...]:
    usual = {"label": "sk-or-v1-…", "usage": 1.5, "usage_daily": 0.5, "is_free_tier": False}
    return read(KEY, {"data": usual | fields})


def purse(*purses: tuple[str, str], is_available: bool = True) -> tuple[Stated, ...]:
    infos = [{"currency": currency, "total_balance": total} for currency, total in purses]
    return read(PURSE, {"is_available": is_available, "balance_infos": infos})


@pytest.mark.parametrize(
    ("reset", "per", "ends_at"),
    [
        ("daily", "day", MIDNIGHT),
        ("weekly", "week", MIDNIGHT + 2 * 86_400.0),
        ("monthly", "month", MIDNIGHT + 10 * 86_400.0),
        (None, BALANCE, None),
        ("yearly", BALANCE, None),
    ],
)
def test_budget_of_a_key_is_a_limit_until_it_is_renewed(
    reset: str | None, per: str, ends_at: float | None
) -> None:
    (found,) = key(limit=5, limit_remaining=3.25, limit_reset=reset)

    assert (found.metric, found.per) == (Metric.COST, per)
    assert (found.limit, found.remaining) == (5_000_000_000, 3_250_000_000)
    assert (found.full_at, found.resets_at) == (ends_at, None)


@pytest.mark.parametrize("left", [0, -0.02])
def test_spent_budget_is_back_when_it_is_renewed(left: float) -> None:
    (found,) = key(limit=5, limit_remaining=left, limit_reset="daily")

    assert (found.remaining, found.resets_at) == (0, MIDNIGHT)


def test_budget_of_nothing_states_no_whole() -> None:
    (found,) = key(limit=0, limit_remaining=0)

    assert (found.limit, found.remaining) == (None, 0)


@pytest.mark.parametrize("fields", [{}, {"limit": None, "limit_remaining": None}, {"limit": 5}])
def test_key_without_a_budget_states_nothing(fields: dict[str, Any]) -> None:
    assert key(**fields) == ()


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ({"requests": 200, "interval": "10s"}, [("requests_per_10s", 200)]),
        ({"requests": 20, "interval": "1m", "note": "x"}, [("requests_per_minute", 20)]),
        ({"requests": -1, "interval": "10s"}, []),
        ({"requests": 5, "interval": "soon"}, []),
        ({"requests": 5, "interval": "0s"}, []),
        ({}, []),
    ],
)
def test_rate_limit_of_a_key_is_a_whole_alone(
    rate: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    found = key(rate_limit=rate)

    assert [(each.name, each.limit) for each in found] == expected
    assert all(each.remaining is None for each in found)


@pytest.mark.parametrize("requests", [10**15 + 1, 2**63, 10**30])
def test_rate_limit_that_is_none_leaves_the_budget(requests: int) -> None:
    rate = {"requests": requests, "interval": "10s"}

    (found,) = key(limit=5, limit_remaining=3, rate_limit=rate)

    assert found.metric is Metric.COST


def test_balance_in_dollars_is_what_is_left() -> None:
    assert purse(("USD", "3.50"), ("USD", "1.00")) == (
        Stated(metric=Metric.COST, per=BALANCE, remaining=4_500_000_000),
    )


@pytest.mark.parametrize(
    "purses",
    [
        [("CNY", "110.00")],
        [("USD", "0.00"), ("CNY", "1.00")],
        [("USD", "5.00"), ("CNY", "1.00")],
        [("USD", "much")],
        [("USD", "nan")],
        [("USD", "1e300")],
        [],
    ],
)
def test_balance_that_can_not_be_counted_is_not_said(purses: list[tuple[str, str]]) -> None:
    assert purse(*purses) == ()


def test_account_that_can_not_call_has_nothing_left() -> None:
    assert purse(("CNY", "0.00"), is_available=False)[0].remaining == 0
    assert purse(is_available=False)[0].name == "balance"


@pytest.mark.parametrize("form", UsageForm)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": 5}',
        b'{"data": {"limit": 1e300}}',
        b'{"is_available": "yes"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_what_is_no_such_answer_is_refused(form: UsageForm, body: bytes) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        read_usage_answer(form, body, NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.dictionaries(
        st.sampled_from(["data", "limit", "limit_remaining", "rate_limit", "is_available"]), inner
    ),
)


@given(form=st.sampled_from(UsageForm), said=JSON)
def test_anything_is_read_or_refused(form: UsageForm, said: Any) -> None:
    try:
        found = read(form, said)
    except ValueError:
        return
    assert all(each.remaining is None or each.remaining >= 0 for each in found)

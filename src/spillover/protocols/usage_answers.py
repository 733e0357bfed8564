"""Read what the usage endpoints of providers say of an account: its budget, its balance.

Rules of this file:
- Money of another currency than the dollar is not counted: only that there is none of it.
- A budget of nothing is not said as a whole: what costs nothing passes all the same.

Sources: openrouter.ai/docs/limits (`GET /api/v1/key`), api-docs.deepseek.com (`GET /user/balance`).
Refuses to know addresses, keys and when they are asked.
"""

from __future__ import annotations

import re
from enum import StrEnum
from math import isfinite
from typing import Annotated, Final, TypeAlias, assert_never

import msgspec

from spillover.core.stated import BALANCE, Stated, span_label
from spillover.core.values import NANOUSD_PER_USD, CalendarUnit, Metric
from spillover.core.windows import period

ANSWER_MOST: Final = 1 << 16
"""Bytes of such an answer."""


class UsageForm(StrEnum):
    """The shapes of answers that are read."""

    OPENROUTER_KEY = "openrouter_key"
    DEEPSEEK_BALANCE = "deepseek_balance"


_Money: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
_RESETS: Final = {
    "daily": CalendarUnit.DAY,
    "weekly": CalendarUnit.WEEK,
    "monthly": CalendarUnit.MONTH,
}
"""OpenRouter's budgets are renewed at midnight UTC, a week's on Monday."""


def read_usage_answer(form: UsageForm, body: bytes, now: float) -> tuple[Stated, ...]:
    """Return what an answer of `now` says of limits; empty: none is set, or none can be counted.

    Raises `ValueError` for what is no such answer.
    """
    try:
        match form:
            case UsageForm.OPENROUTER_KEY:
                return _openrouter(_key.decode(body).data, now)
            case UsageForm.DEEPSEEK_BALANCE:
                return _deepseek(_balance.decode(body))
            case _:
                assert_never(form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "the answer can't be read"
        raise ValueError(message) from error


def _nano(dollars: float) -> int:
    return max(0, round(dollars * NANOUSD_PER_USD))


class _Rate(msgspec.Struct):
    requests: int = -1
    interval: str = ""


class _KeyState(msgspec.Struct):
    limit: _Money | None = None
    limit_remaining: _Money | None = None
    limit_reset: str | None = None
    rate_limit: _Rate | None = None


class _Key(msgspec.Struct):
    data: _KeyState


_key: Final = msgspec.json.Decoder(_Key)
_INTERVAL: Final = re.compile(r"([1-9]\d{0,4})([smhd])")
_MOST_REQUESTS: Final = 10**15
"""More is no rate; more still is no number that the ledger could store."""
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _openrouter(said: _KeyState, now: float) -> tuple[Stated, ...]:
    found: list[Stated] = []
    if said.limit is not None and said.limit_remaining is not None:
        left = _nano(said.limit_remaining)
        unit = _RESETS.get(said.limit_reset or "")
        ends_at = None if unit is None else period(unit, "UTC", now)[1]
        budget = Stated(
            metric=Metric.COST,
            per=BALANCE if unit is None else unit.value,
            limit=_nano(said.limit) or None,
            remaining=left,
            resets_at=None if left else ends_at,
            full_at=ends_at,
        )
        found.append(budget)
    rate = said.rate_limit
    interval = None if rate is None else _INTERVAL.fullmatch(rate.interval)
    if rate is not None and interval is not None and 0 < rate.requests <= _MOST_REQUESTS:
        per = span_label(int(interval[1]) * _UNITS_S[interval[2]])
        found.append(Stated(metric=Metric.REQUESTS, per=per, limit=rate.requests))
    return tuple(found)


class _Purse(msgspec.Struct):
    currency: str
    total_balance: str


class _Balance(msgspec.Struct):
    is_available: bool
    balance_infos: list[_Purse] = []


_balance: Final = msgspec.json.Decoder(_Balance)


def _deepseek(said: _Balance) -> tuple[Stated, ...]:
    purses = [(each.currency, _amount(each.total_balance)) for each in said.balance_infos]
    dollars = sum(amount for currency, amount in purses if currency == "USD")
    others = any(amount > 0 for currency, amount in purses if currency != "USD")
    if not said.is_available:
        return (Stated(metric=Metric.COST, per=BALANCE, remaining=0),)
    if others or not dollars > 0:
        return ()
    return (Stated(metric=Metric.COST, per=BALANCE, remaining=_nano(dollars)),)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        return 0.0
    return amount if isfinite(amount) and abs(amount) <= _MOST_MONEY else 0.0


_MOST_MONEY: Final = 1e9

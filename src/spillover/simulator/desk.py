"""Admit a simulated provider's calls to all of its limits at once, or say which one refuses.

Refuses to know HTTP and flavours: allowances come with kind, pool and zone said.
"""

from __future__ import annotations

import msgspec

from spillover.simulator.meters import ROUNDING, Meter, meter_of
from spillover.simulator.spec import Allowance, Metric, Pool


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """An allowance as it stands for one caller: what rate-limit headers are made of."""

    allowance: Allowance
    used: float
    resets_in_s: float
    """Until nothing counts as used any more."""

    @property
    def remaining(self) -> int:
        """What is left, in whole units."""
        return max(0, int(self.allowance.amount - self.used + ROUNDING))


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The allowance that a call does not fit into."""

    allowance: Allowance
    used: float
    asked: int
    wait_s: float | None
    """Until the call fits; None: it is larger than the whole allowance."""


class Charge(msgspec.Struct, kw_only=True):
    """What was counted for an admitted call, until its real usage is known."""

    key: str
    model: str
    input_tokens: int
    output_tokens: int
    at: float = 0.0
    """When it was admitted."""


class Desk:
    """Admit calls to a set of allowances, all or none, and keep what each counts."""

    def __init__(self, allowances: tuple[Allowance, ...]) -> None:
        """Take allowances whose kind, pool and zone are all said."""
        self._allowances = allowances
        self._meters: dict[tuple[int, str, str], Meter] = {}
        self._in_flight: dict[tuple[int, str, str], int] = {}

    def admit(self, charge: Charge, now: float) -> Refusal | None:
        """Count one call, or return the first allowance that it does not fit into.

        Of several the one with the longest wait is returned, one larger than the whole first.
        """
        refusals = [
            refusal
            for index in range(len(self._allowances))
            if (refusal := self._refusal(index, charge, now)) is not None
        ]
        if refusals:
            return max(refusals, key=lambda one: (one.wait_s is None, one.wait_s or 0.0))
        charge.at = now
        for index, allowance in enumerate(self._allowances):
            where = _pool(index, allowance, charge)
            if allowance.metric is Metric.CONCURRENCY:
                self._in_flight[where] = self._in_flight.get(where, 0) + 1
            else:
                self._meter(where, allowance).add(_amount(allowance.metric, charge), now)
        return None

    def settle(self, charge: Charge, now: float, *, input_tokens: int, output_tokens: int) -> None:
        """Replace what an admitted call was counted with by what it used, and free its slot."""
        more = Charge(
            key=charge.key,
            model=charge.model,
            input_tokens=input_tokens - charge.input_tokens,
            output_tokens=output_tokens - charge.output_tokens,
        )
        for index, allowance in enumerate(self._allowances):
            where = _pool(index, allowance, charge)
            if allowance.metric is Metric.CONCURRENCY:
                self._in_flight[where] -= 1
            elif allowance.metric is not Metric.REQUESTS:
                difference = _amount(allowance.metric, more)
                if difference:
                    self._meter(where, allowance).correct(difference, charge.at, now)

    def gauges(self, key: str, model: str, now: float) -> list[Gauge]:
        """Return how each allowance with a window stands for a caller."""
        charge = Charge(key=key, model=model, input_tokens=0, output_tokens=0)
        found = []
        for index, allowance in enumerate(self._allowances):
            if allowance.metric is not Metric.CONCURRENCY:
                meter = self._meter(_pool(index, allowance, charge), allowance)
                used, resets_in_s = meter.used(now), meter.empty_in_s(now)
                found.append(Gauge(allowance=allowance, used=used, resets_in_s=resets_in_s))
        return found

    def _refusal(self, index: int, charge: Charge, now: float) -> Refusal | None:
        allowance = self._allowances[index]
        where = _pool(index, allowance, charge)
        asked = _amount(allowance.metric, charge)
        if allowance.metric is Metric.CONCURRENCY:
            used = float(self._in_flight.get(where, 0))
            if used + 1 <= allowance.amount:
                return None
            return Refusal(allowance=allowance, used=used, asked=1, wait_s=1.0)
        meter = self._meter(where, allowance)
        used = meter.used(now)
        if asked > allowance.amount:
            return Refusal(allowance=allowance, used=used, asked=asked, wait_s=None)
        wait_s = meter.wait_s(asked, now)
        if not wait_s:
            return None
        return Refusal(allowance=allowance, used=used, asked=asked, wait_s=wait_s)

    def _meter(self, where: tuple[int, str, str], allowance: Allowance) -> Meter:
        meter = self._meters.get(where)
        if meter is None:
            meter = self._meters[where] = meter_of(allowance)
        return meter


def _pool(index: int, allowance: Allowance, charge: Charge) -> tuple[int, str, str]:
    pool = allowance.pool
    key = "" if pool is Pool.PROJECT else charge.key
    model = "" if pool is Pool.KEY else charge.model
    return index, key, model


def _amount(metric: Metric, charge: Charge) -> int:
    match metric:
        case Metric.TOKENS:
            return charge.input_tokens + charge.output_tokens
        case Metric.INPUT_TOKENS:
            return charge.input_tokens
        case Metric.OUTPUT_TOKENS:
            return charge.output_tokens
        case Metric.REQUESTS | Metric.CONCURRENCY:
            return 1

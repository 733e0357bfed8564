"""What defines a simulated provider, as values and as written."""

from __future__ import annotations

import pytest

from spillover.simulator.spec import (
    Allowance,
    Metric,
    Pool,
    ProviderSpec,
    WindowKind,
    limits,
    seconds_of,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("requests=5/minute", Allowance(metric=Metric.REQUESTS, amount=5)),
        ("tokens=6K/hour", Allowance(metric=Metric.TOKENS, amount=6_000, per="hour")),
        ("input_tokens=1M/day", Allowance(metric=Metric.INPUT_TOKENS, amount=10**6, per="day")),
        ("concurrency=4", Allowance(metric=Metric.CONCURRENCY, amount=4)),
        ("concurrency=4:key", Allowance(metric=Metric.CONCURRENCY, amount=4, pool=Pool.KEY)),
        (
            " requests=0/20s@refill:project ",
            Allowance(
                metric=Metric.REQUESTS,
                amount=0,
                per="20s",
                kind=WindowKind.REFILL,
                pool=Pool.PROJECT,
            ),
        ),
    ],
)
def test_a_limit_is_read_and_written_back(written: str, read: Allowance) -> None:
    found = limits(written)

    assert found == (read,)
    assert limits(str(read)) == found


@pytest.mark.parametrize(
    "written",
    ["", "requests", "requests=5", "concurrency=4/minute", "cost=5/day", "requests=5/fortnight"],
)
def test_what_is_no_limit_is_quoted_in_the_error(written: str) -> None:
    with pytest.raises(ValueError, match="no limit") as caught:
        limits(written)

    assert repr(written) in str(caught.value)


@pytest.mark.parametrize(
    ("per", "seconds"), [("minute", 60), ("day", 86_400), ("20s", 20), ("1.5h", 5_400), ("2m", 120)]
)
def test_a_window_is_a_name_or_a_duration(per: str, seconds: float) -> None:
    assert seconds_of(per) == seconds
    assert Allowance(metric=Metric.REQUESTS, amount=1, per=per).seconds == seconds


def test_what_is_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="no window: 'soon'"):
        seconds_of("soon")


def test_a_provider_is_called_by_its_name_or_its_flavour() -> None:
    assert ProviderSpec(flavour="groq").title == "simulated groq"
    assert ProviderSpec(name="first").title == "first"

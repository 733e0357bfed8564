"""Metrics as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.gateway.metrics import Timings
from spillover.simulator import ProviderSpec, running
from tests.serving import Served, document_for, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fresh() -> Iterator[Served]:
    """A gateway that has counted nothing; its first profile has room for one request."""
    with (
        running(ProviderSpec(name="one"), ProviderSpec(name="two")) as both,
        serving(document_for(*both, limits={"requests_per_minute": 1, "concurrency": 4})) as served,
    ):
        yield served


def scraped(served: Served, **headers: str) -> str:
    return served.get("/metrics", **headers).body.decode()


def test_requests_fallbacks_and_tokens_are_counted(fresh: Served) -> None:
    fresh.chat()
    fresh.chat()

    text = scraped(fresh)

    assert 'spillover_requests_total{chain="default",outcome="served",profile="one"} 1.0' in text
    assert 'spillover_requests_total{chain="default",outcome="served",profile="two"} 1.0' in text
    assert (
        'spillover_fallbacks_total{cause="limit",chain="default",from="one",to="two"} 1.0' in text
    )
    assert 'spillover_tokens_total{kind="input",profile="one"}' in text
    assert 'spillover_tokens_total{kind="output",profile="two"}' in text


def test_what_nobody_serves_is_counted_without_a_profile(fresh: Served) -> None:
    fresh.chat(model="one")
    fresh.chat(model="one")

    text = scraped(fresh)

    assert 'spillover_requests_total{chain="one",outcome="refused",profile=""} 1.0' in text


def test_limits_and_statuses_are_gauges(fresh: Served) -> None:
    fresh.chat()

    text = scraped(fresh)

    assert 'spillover_limit_used_ratio{metric="requests",per="minute",profile="one"} 1.0' in text
    assert 'spillover_limit_used_ratio{metric="concurrency",per="",profile="one"} 0.0' in text
    assert 'spillover_profile_status{profile="one",status="exhausted"} 1.0' in text
    assert 'spillover_profile_status{profile="one",status="active"} 0.0' in text
    assert 'spillover_profile_status{profile="two",status="active"} 1.0' in text


@pytest.mark.parametrize("name", ["request", "ttft", "reserve"])
def test_spans_are_histograms(fresh: Served, name: str) -> None:
    fresh.chat(stream=True)
    fresh.chat(stream=True)

    text = scraped(fresh)

    assert f"# TYPE spillover_{name}_seconds histogram" in text
    assert f'spillover_{name}_seconds_bucket{{le="+Inf"}} 2.0' in text
    assert f"spillover_{name}_seconds_count 2.0" in text


def test_a_scraper_gets_the_format_it_asks_for(fresh: Served) -> None:
    plain = fresh.get("/metrics")
    open_metrics = fresh.get("/metrics", accept="application/openmetrics-text; version=1.0.0")

    assert plain.headers["content-type"].startswith("text/plain")
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.body.endswith(b"# EOF\n")


def test_a_limit_of_zero_is_used_up() -> None:
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, limits={"requests_per_day": 0})) as served,
    ):
        text = scraped(served)

    assert 'spillover_limit_used_ratio{metric="requests",per="day",profile="one"} 1.0' in text


def test_thresholds_of_budgets_are_counted() -> None:
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, limits={"requests_per_lifetime": 2})) as served,
    ):
        served.chat()
        labels = 'limit="requests_per_lifetime",percent="50",profile="one"'
        line = f"spillover_budget_alerts_total{{{labels}}} 1.0"
        wait_until(lambda: line in scraped(served))


def test_of_two_limits_of_a_kind_the_fuller_one_is_told() -> None:
    two = [{"requests": 4, "per": "day"}, {"requests": 2, "per": "day", "window": "calendar"}]
    with running(ProviderSpec()) as (provider,):
        written = document_for(provider)
        written["profiles"]["one"]["limits"] = two
        with serving(written) as served:
            served.chat(model="one")
            text = scraped(served)

    name = 'spillover_limit_used_ratio{metric="requests",per="day",profile="one"}'
    assert text.count(name) == 1
    assert f"{name} 0.5" in text


def test_buckets_add_up() -> None:
    timings = Timings((0.1, 1.0))

    for seconds in (0.05, 0.1, 0.5, 7.0):
        timings.add(seconds)

    assert timings.buckets == [("0.1", 2.0), ("1.0", 3.0), ("+Inf", 4.0)]
    assert timings.sum_s == pytest.approx(7.65)

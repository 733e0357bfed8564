"""The values that everything decides over."""

from __future__ import annotations

import msgspec
import pytest

from spillover.core.values import (
    METRIC_INDEX,
    Metric,
    Rolling,
    Status,
    Usage,
    owner_of_account,
    owner_of_model,
    owner_of_profile,
)
from tests.core.making import limit, profile


def test_usage_counts_by_metric_in_the_order_of_the_index() -> None:
    usage = Usage(
        requests=1,
        input_tokens=20,
        output_tokens=3,
        cost_nanousd=400,
        microneurons=5,
        cached_tokens=9,
    )

    amounts = usage.amounts

    assert {metric: amounts[i] for metric, i in METRIC_INDEX.items()} == {
        Metric.REQUESTS: 1,
        Metric.TOKENS: 23,
        Metric.INPUT_TOKENS: 20,
        Metric.OUTPUT_TOKENS: 3,
        Metric.COST: 400,
        Metric.NEURONS: 5,
    }


def test_profile_model_and_account_are_counted_apart_though_they_share_a_name() -> None:
    owners = {owner_of_profile("a"), owner_of_model("a", "a"), owner_of_account("a")}

    assert len(owners) == 3


def test_limit_is_named_as_users_write_it() -> None:
    calls = limit(3, Metric.CONCURRENCY, window=None, per=None)

    assert (limit(5).name, calls.name) == ("requests_per_minute", "concurrency")


def test_later_status_hides_the_earlier() -> None:
    assert [status.value for status in Status] == [
        "active",
        "cooldown",
        "exhausted",
        "failed",
        "disabled",
    ]


def test_value_can_not_be_changed() -> None:
    window = Rolling(seconds=60.0)

    with pytest.raises(AttributeError):
        window.seconds = 1.0  # type: ignore[misc]


def test_values_of_one_content_are_one() -> None:
    assert profile("a") == profile("a")
    assert hash(profile("a")) == hash(profile("a"))
    assert msgspec.structs.replace(profile("a"), model="other") != profile("a")

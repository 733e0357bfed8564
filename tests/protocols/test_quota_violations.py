"""Reading the quotas that Google's refusals name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.stated import Stated
from spillover.core.values import Metric
from spillover.protocols.quota_violations import MOST, read_violations

PREFIX = "generativelanguage.googleapis.com/generate_content_"
REQUESTS = "free_tier_requests"
A_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


def violation(metric: str = REQUESTS, quota: str = A_DAY, value: Any = "250") -> dict[str, Any]:
    named = {"quotaMetric": PREFIX + metric, "quotaId": quota, "quotaValue": value}
    return {name: each for name, each in named.items() if each is not None}


@pytest.mark.parametrize(
    ("metric", "quota", "expected"),
    [
        (REQUESTS, A_DAY, (Metric.REQUESTS, "day", 0)),
        (REQUESTS, A_DAY.replace("Day", "Minute"), (Metric.REQUESTS, "minute", 0)),
        (
            "free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
            (Metric.INPUT_TOKENS, "minute", None),
        ),
        (
            "paid_tier_input_token_count",
            "GenerateContentPaidTierInputTokensPerModelPerHour",
            (Metric.INPUT_TOKENS, "hour", None),
        ),
        ("token_count", "TokensPerDay", (Metric.TOKENS, "day", None)),
    ],
)
def test_violated_quota_states_its_limit(
    metric: str, quota: str, expected: tuple[Metric, str, int | None]
) -> None:
    (found,) = read_violations([violation(metric, quota)])

    assert (found.metric, found.per, found.remaining) == expected
    assert found.limit == 250


@pytest.mark.parametrize(
    "said",
    [
        violation(value=None),
        violation(value="0"),
        violation(value="-1"),
        violation(value="many"),
        violation(value="²"),
        violation(value="9" * 16),
        violation(quota="RequestsPerDaylight"),
        violation(quota=""),
        violation(metric="cached_content"),
        {"subject": "clientip:1.2.3.4", "description": "Daily limit exceeded"},
        "a text",
    ],
)
def test_what_is_no_limit_states_none(said: Any) -> None:
    assert read_violations([said]) == ()


def test_of_two_on_one_quota_the_lower_counts() -> None:
    found = read_violations([violation(value="9"), violation(value="5"), violation(value="7")])

    assert found == (Stated(metric=Metric.REQUESTS, per="day", limit=5, remaining=0),)


def test_no_more_are_looked_at_than_anyone_has() -> None:
    assert read_violations([*[{}] * MOST, violation()]) == ()


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["quotaMetric", "quotaId", "quotaValue"]),
            st.one_of(
                st.text(max_size=30), st.integers(), st.none(), st.just(A_DAY), st.just(REQUESTS)
            ),
        )
    )
)
def test_anything_is_read_without_a_fault(said: list[Any]) -> None:
    for each in read_violations(said):
        assert each.limit is not None
        assert each.limit > 0

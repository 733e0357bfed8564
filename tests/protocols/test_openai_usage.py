"""Reading reported usage in all its dialects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import Usage
from spillover.protocols.openai_usage import read_usage


def read(usage: object) -> Usage | None:
    return read_usage(msgspec.Raw(msgspec.json.encode(usage)))


@pytest.mark.parametrize(
    ("reported", "read_as"),
    [
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            Usage(requests=1, input_tokens=10, output_tokens=5),
        ),
        (
            {"prompt_tokens": 10, "total_tokens": 10},
            Usage(requests=1, input_tokens=10),
        ),
        (
            {"input_tokens": 10, "output_tokens": 5},
            Usage(requests=1, input_tokens=10, output_tokens=5),
        ),
        (
            {"completion_tokens": 5},
            Usage(requests=1, output_tokens=5),
        ),
        (
            {"completion_tokens": 5, "total_tokens": 12},
            Usage(requests=1, input_tokens=7, output_tokens=5),
        ),
        (
            {"total_tokens": 12},
            Usage(requests=1, input_tokens=12),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 15,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
            },
            Usage(requests=1, input_tokens=10, output_tokens=5, cached_tokens=8),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 6},
            Usage(requests=1, input_tokens=10, output_tokens=5, cached_tokens=6),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 4},
            Usage(requests=1, input_tokens=10, output_tokens=5, cached_tokens=4),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 40},
            Usage(requests=1, input_tokens=10, output_tokens=5, cached_tokens=10),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": None},
            Usage(requests=1, input_tokens=10, output_tokens=5),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.00123},
            Usage(requests=1, input_tokens=10, output_tokens=5, cost_nanousd=1_230_000),
        ),
        (
            {"prompt_tokens": 10.0, "completion_tokens": 4.5},
            Usage(requests=1, input_tokens=10, output_tokens=5),
        ),
        (
            {"prompt_tokens": -3, "completion_tokens": 10**30},
            Usage(requests=1, output_tokens=10**9),
        ),
    ],
)
def test_usage_is_read(reported: dict[str, Any], read_as: Usage) -> None:
    assert read(reported) == read_as


def test_reasoning_that_only_the_total_knows_counts_as_output() -> None:
    usage = read({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40})

    assert usage == Usage(requests=1, input_tokens=10, output_tokens=30)


@pytest.mark.parametrize("nothing", [{}, None, 7, "12", [], {"tokens": 3}, {"prompt_tokens": "?"}])
def test_what_reports_no_tokens_is_no_usage(nothing: object) -> None:
    assert read(nothing) is None


def test_an_odd_field_does_not_hide_the_others() -> None:
    usage = read(
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "cost": "0.001",
            "cached_tokens": True,
            "prompt_tokens_details": "none",
        }
    )

    assert usage == Usage(requests=1, input_tokens=10, output_tokens=5)


def test_details_are_read_beside_an_odd_field() -> None:
    usage = read(
        {"prompt_tokens": 10, "cost": {"usd": 1}, "prompt_tokens_details": {"cached_tokens": 3}}
    )

    assert usage == Usage(requests=1, input_tokens=10, cached_tokens=3)


@pytest.mark.parametrize("details", [0, 1.5, 10**30, True, "none", [], {"cached_tokens": True}])
def test_details_that_are_no_object_hide_nothing(details: object) -> None:
    found = read({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": details})

    assert found == Usage(requests=1, input_tokens=10, output_tokens=5)


def test_malformed_json_is_no_usage() -> None:
    assert read_usage(msgspec.Raw(b"{")) is None


NUMBERS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cost", "x"]),
        NUMBERS | st.text() | st.booleans(),
    )
)
def test_no_report_makes_usage_negative_or_absurd(reported: dict[str, Any]) -> None:
    usage = read(reported)

    assert usage is None or all(0 <= amount <= 2 * 10**12 for amount in usage.amounts)

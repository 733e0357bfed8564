"""Telling that a provider has no such model, no capacity, or no quota left for the caller."""

from __future__ import annotations

import pytest

from spillover.core.supply_signs import CAPACITY_SIGNS, MODEL_SIGNS, QUOTA_SIGNS
from spillover.core.values import CalendarUnit, FailureClass, FaultScope
from tests.core.naming import named


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, "The model `gpt-9` does not exist or you do not have access to it."),
        (400, "The model `llama3` has been decommissioned and is no longer supported."),
        (400, "foo/bar is not a valid model ID"),
        (404, "No endpoints found for a/b:free."),
        (403, "You don't have access to the model with the specified model ID."),
        (404, 'model "llama9" not found, try pulling it first'),
        (404, "Unable to access model x. Please visit the list of supported models"),
        (400, "Unknown Model, please check the model code."),
        (403, "No access to model: openai/o1"),
        (503, "当前分组 default 下对于模型 gpt-4 无可用渠道"),
        (404, ""),
    ],
)
def test_a_missing_model_is_told(status: int, text: str) -> None:
    code = ("no_access",) if text.startswith("No access") else ()

    assert named(status, text, *code).failure is FailureClass.MODEL_NOT_FOUND


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (429, "Infrastructure is at maximum capacity, try again later"),
        (429, "Model busy, retry later"),
        (503, "x is currently over capacity. Please try again and back off exponentially."),
        (503, "The model is overloaded. Please try again later."),
        (503, "Model big/bloom is currently loading"),
        (503, "Loading model"),
        (500, "model requires more system memory (8.4 GiB) than is available (5.3 GiB)"),
        (429, "The system is currently experiencing high demand and cannot process your request."),
        (429, "当前分组上游负载已饱和"),
        (429, "该模型当前访问量过大"),
    ],
)
def test_missing_capacity_is_not_the_callers_quota(status: int, text: str) -> None:
    assert named(status, text).failure is FailureClass.OVERLOADED


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Rate limit exceeded: free-models-per-day. Add 10 credits", CalendarUnit.DAY),
        (
            "You have exceeded today's quota for model x, please try again tomorrow",
            CalendarUnit.DAY,
        ),
        ("Trial key, which is limited to 1000 API calls / month.", CalendarUnit.MONTH),
        ("you have reached your weekly usage limit", CalendarUnit.WEEK),
        ("you have reached your session usage limit", None),
        ("The rate limit for your plan has been exceeded; please try again in 5 hours", None),
        ("Tokens per day limit exceeded - too many tokens processed.", CalendarUnit.DAY),
        ("seconds of audio per hour (ASH): Limit 7200", CalendarUnit.HOUR),
        ("您的每日配额已用完", CalendarUnit.DAY),
        ("已达到 5 小时的使用上限。", None),
    ],
)
def test_a_spent_quota_is_told_from_a_rate(text: str, window: CalendarUnit | None) -> None:
    found = named(429, text)

    assert (found.failure, found.quota_window) == (FailureClass.QUOTA_EXHAUSTED, window)


@pytest.mark.parametrize(
    "text",
    [
        "Number of concurrent connections has exceeded your rate limit.",
        "request reached max organization concurrency: 1",
        "Queue full for IP 1.2.3.4: 1 requests already queued (max: 1)",
        "Rate limit of 2 per 0s exceeded for UserConcurrentRequests.",
        "您的并发请求数过高",
    ],
)
def test_calls_in_flight_are_told_from_calls_in_a_window(text: str) -> None:
    found = named(429, text)

    assert (found.failure, found.concurrency) == (FailureClass.RATE_LIMITED, True)


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_relayed_429_is_a_rate_limit_under_another_status(status: int) -> None:
    assert named(status, "upstream said: Too Many Requests").failure is FailureClass.RATE_LIMITED
    assert named(status, "请求过于频繁").failure is FailureClass.RATE_LIMITED


def test_a_front_door_counts_addresses() -> None:
    assert named(429, "error code: 1015").scope is FaultScope.PROVIDER


def test_a_model_that_broke_down_is_the_servers_fault() -> None:
    text = "The model has crashed without additional information. (Exit code: 18446744072635812000)"

    assert named(400, text).failure is FailureClass.SERVER_ERROR


def test_a_pool_that_all_share_benches_the_model_alone() -> None:
    found = named(429, "x:free is temporarily rate-limited upstream", provider="openrouter")

    assert (found.failure, found.scope) == (FailureClass.RATE_LIMITED, FaultScope.PROFILE)


def test_every_row_is_about_supply() -> None:
    assert {sign.failure for sign in MODEL_SIGNS} == {FailureClass.MODEL_NOT_FOUND}
    assert {sign.failure for sign in CAPACITY_SIGNS} == {
        FailureClass.OVERLOADED,
        FailureClass.SERVER_ERROR,
    }
    assert {sign.failure for sign in QUOTA_SIGNS} == {
        FailureClass.RATE_LIMITED,
        FailureClass.QUOTA_EXHAUSTED,
    }

"""What codes and phrases mean with one provider and with no other."""

from __future__ import annotations

import pytest

from spillover.core.provider_signs import PROVIDER_SIGNS
from spillover.core.values import CalendarUnit, FailureClass, FaultScope
from tests.core.naming import named


@pytest.mark.parametrize(
    ("provider", "status", "code", "failure"),
    [
        ("zai", 429, "1302", FailureClass.RATE_LIMITED),
        ("zai", 429, "1304", FailureClass.QUOTA_EXHAUSTED),
        ("zhipuai", 429, "1305", FailureClass.OVERLOADED),
        ("zai", 429, "1113", FailureClass.PAYMENT_REQUIRED),
        ("zai", 400, "1211", FailureClass.MODEL_NOT_FOUND),
        ("zai", 401, "1001", FailureClass.AUTH_INVALID),
        ("zai", 400, "1261", FailureClass.CONTEXT_LENGTH),
        ("zai", 400, "1301", FailureClass.CONTENT_FILTER),
        ("minimax", 200, "1001", FailureClass.TIMEOUT),
        ("minimax", 200, "1002", FailureClass.RATE_LIMITED),
        ("minimax", 200, "1041", FailureClass.RATE_LIMITED),
        ("minimax", 200, "1004", FailureClass.AUTH_INVALID),
        ("minimax", 200, "1008", FailureClass.PAYMENT_REQUIRED),
        ("minimax", 200, "1026", FailureClass.CONTENT_FILTER),
        ("minimax", 200, "1013", FailureClass.SERVER_ERROR),
        ("minimax", 200, "2013", FailureClass.BAD_REQUEST),
        ("minimax", 200, "2056", FailureClass.QUOTA_EXHAUSTED),
        ("minimax", 200, "2061", FailureClass.MODEL_NOT_FOUND),
        ("cloudflare", 429, "3036", FailureClass.QUOTA_EXHAUSTED),
        ("cloudflare", 429, "3040", FailureClass.OVERLOADED),
        ("cloudflare", 400, "5007", FailureClass.MODEL_NOT_FOUND),
        ("cloudflare", 413, "3006", FailureClass.CONTEXT_LENGTH),
        ("cloudflare", 408, "3007", FailureClass.TIMEOUT),
        ("cloudflare", 403, "3023", FailureClass.AUTH_INVALID),
        ("siliconflow", 403, "30001", FailureClass.PAYMENT_REQUIRED),
        ("siliconflow", 400, "20012", FailureClass.MODEL_NOT_FOUND),
        ("siliconflow", 503, "50505", FailureClass.OVERLOADED),
        ("dashscope", 429, "insufficient_quota", FailureClass.RATE_LIMITED),
        ("alibaba", 400, "arrearage", FailureClass.PAYMENT_REQUIRED),
        ("alibaba", 403, "model.accessdenied", FailureClass.MODEL_NOT_FOUND),
        ("mistral", 429, "3505", FailureClass.OVERLOADED),
        ("together", 429, "credit_limit", FailureClass.RATE_LIMITED),
        ("groq", 400, "tool_use_failed", FailureClass.BAD_REQUEST),
        ("gemini", 403, "consumer_suspended", FailureClass.AUTH_INVALID),
        ("google", 403, "billing_disabled", FailureClass.PAYMENT_REQUIRED),
        ("volcengine", 429, "setlimitexceeded", FailureClass.QUOTA_EXHAUSTED),
    ],
)
def test_a_providers_own_code_decides(
    provider: str, status: int, code: str, failure: FailureClass
) -> None:
    assert named(status, "", code, provider=provider).failure is failure


def test_a_number_means_nothing_elsewhere() -> None:
    assert named(429, "", "1113", provider="groq").failure is FailureClass.RATE_LIMITED
    assert named(429, "", "3040", provider="groq").failure is FailureClass.RATE_LIMITED


def test_the_day_of_cloudflares_neurons_is_the_accounts() -> None:
    found = named(429, "", "4006", provider="cloudflare")

    assert (found.scope, found.quota_window) == (FaultScope.ACCOUNT, CalendarUnit.DAY)


def test_a_spent_header_of_groq_is_the_day_and_of_mistral_a_models_minute() -> None:
    groq = named(429, "x-ratelimit-remaining-requests", provider="groq")
    mistral = named(429, "x-ratelimit-remaining-req-minute", provider="mistral")
    bare = named(429, "rate limit exceeded", provider="mistral")

    assert (groq.failure, groq.quota_window) == (FailureClass.QUOTA_EXHAUSTED, CalendarUnit.DAY)
    assert (mistral.scope, mistral.quota_window) == (FaultScope.PROFILE, CalendarUnit.MINUTE)
    assert bare.scope is FaultScope.ACCOUNT


def test_a_retired_provider_is_gone_for_good() -> None:
    found = named(410, "retired", provider="github-models")

    assert (found.failure, found.scope) == (FailureClass.MODEL_NOT_FOUND, FaultScope.PROVIDER)
    assert found.permanent is True


def test_a_model_behind_a_relay_may_be_down_alone() -> None:
    found = named(502, "Provider returned error", "502", provider="openrouter")

    assert (found.failure, found.scope) == (FailureClass.BAD_GATEWAY, FaultScope.PROFILE)


def test_every_row_names_its_providers() -> None:
    assert all(sign.providers for sign in PROVIDER_SIGNS)

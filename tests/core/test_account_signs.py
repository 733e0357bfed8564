"""Telling that money is missing, or that the credential is to blame."""

from __future__ import annotations

import pytest

from spillover.core.account_signs import BILLING_SIGNS, KEY_SIGNS
from spillover.core.values import FailureClass, FaultScope
from tests.core.naming import named


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "Your credit balance is too low to access the Anthropic API."),
        (402, "This request requires more credits, or fewer max_tokens. You can only afford 12"),
        (402, "Insufficient Balance"),
        (403, "AI Gateway requires a valid credit card on file to service requests."),
        (412, "Account x is suspended, possibly due to failure to pay past invoices"),
        (429, "Your team has used all available credits or reached its monthly spending limit"),
        (429, "Insufficient balance or no resource package. Please recharge."),
        (401, "No payment method. Add a payment method here"),
        (400, "Budget has been exceeded! Current cost: 10.0, Max budget: 9.0"),
        (500, "insufficient balance (1008)"),
        (403, "用户余额不足"),
        (402, "anything else"),
    ],
)
def test_missing_money_is_told_under_any_status(status: int, text: str) -> None:
    found = named(status, text)

    assert found.failure is FailureClass.PAYMENT_REQUIRED
    assert found.scope is FaultScope.ACCOUNT


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "Incorrect API key provided: sk-***. You can find your API key at"),
        (400, "API key not valid. Please pass a valid API key."),
        (401, "invalid x-api-key"),
        (401, "invalid api token"),
        (401, "Authentication Fails, Your api key: ****abcd is invalid"),
        (401, "Access denied due to invalid subscription key or wrong API endpoint."),
        (403, "The security token included in the request is invalid."),
        (403, "Your API key was reported as leaked. Please use another API key."),
        (401, "Authentication Error, Invalid proxy server token passed. key=abc"),
        (401, "Invalid username or password."),
        (401, "Bad credentials"),
        (401, "无效的令牌"),
    ],
)
def test_a_bad_key_is_named(status: int, text: str) -> None:
    found = named(status, text)

    assert (found.failure, found.names_key) == (FailureClass.AUTH_INVALID, True)


def test_a_bare_refusal_names_no_key() -> None:
    assert named(401, "Unauthorized").names_key is False
    assert named(403, "Forbidden").names_key is False


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (400, "User location is not supported for the API use.", "failed_precondition"),
        (
            403,
            "Country, region, or territory not supported",
            "unsupported_country_region_territory",
        ),
        (403, "Access denied. Please check your network settings.", ""),
    ],
)
def test_a_region_is_the_providers_matter_not_the_keys(status: int, text: str, code: str) -> None:
    found = named(status, text, code)

    assert (found.failure, found.scope) == (FailureClass.AUTH_INVALID, FaultScope.PROVIDER)
    assert found.names_key is False


def test_a_page_at_the_front_door_says_nothing_of_the_key() -> None:
    page = named(403, "Just a moment...", html=True)
    line = named(403, "error code: 1010")
    bad_key = named(401, "401 Authorization Required", html=True)

    assert (page.scope, page.names_key) == (FaultScope.PROVIDER, False)
    assert (line.scope, line.names_key) == (FaultScope.PROVIDER, False)
    assert bad_key.scope is FaultScope.ACCOUNT


def test_a_banned_account_does_not_mend_by_waiting() -> None:
    assert named(400, "Organization has been restricted.").permanent is True


def test_a_plan_gates_a_model_under_a_good_key() -> None:
    found = named(403, "this model requires a subscription, upgrade for access")

    assert (found.failure, found.scope) == (FailureClass.PAYMENT_REQUIRED, FaultScope.PROFILE)


def test_a_limit_that_its_owner_set_is_a_quota() -> None:
    found = named(403, "Key limit exceeded (daily limit). Manage it using")

    assert found.failure is FailureClass.QUOTA_EXHAUSTED


def test_every_row_is_about_money_or_the_key() -> None:
    assert {sign.failure for sign in KEY_SIGNS} == {FailureClass.AUTH_INVALID}
    assert {sign.failure for sign in BILLING_SIGNS} == {
        FailureClass.PAYMENT_REQUIRED,
        FailureClass.QUOTA_EXHAUSTED,
    }

"""DeepSeek's quirks."""

from __future__ import annotations

from tests.simulator.asking import a_provider, ask, get


def test_balance_is_told_as_texts() -> None:
    told = get(a_provider(flavour="deepseek", balance_usd=4.2), "/user/balance").json

    assert told["is_available"] is True
    assert told["balance_infos"][0]["total_balance"] == "4.20"


def test_spent_balance_is_not_available() -> None:
    told = get(a_provider(flavour="deepseek", balance_usd=0.0), "/user/balance").json

    assert told["is_available"] is False


def test_spent_money_is_worded_as_the_real_one_does() -> None:
    provider = a_provider(flavour="deepseek")
    provider.script("payment_required")

    refused = ask(provider)

    assert refused.status == 402
    assert refused.json["error"]["message"] == "Insufficient Balance"
    assert ask(provider, model="other").status == 200
    provider.script("overloaded")
    assert ask(provider).status == 503

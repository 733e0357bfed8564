"""What the overview shows of a status."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.dashboard import overview

NONE = {
    "requests": 0,
    "tokens": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "cost_usd": 0.0,
    "neurons": 0.0,
}


def a_limit(**fields: object) -> dict[str, Any]:
    return {
        "metric": "requests",
        "amount": 10,
        "per": "minute",
        "window": "rolling",
        "scope": "profile",
        "used": 4,
        "reserved": 1,
        "remaining": 5,
        "resets_at": "2026-11-20T17:00:03.000Z",
        "source": "config",
        "provider_remaining": None,
        "provider_resets_at": None,
        "provider_limit": None,
        **fields,
    }


def a_profile(name: str, **fields: object) -> dict[str, Any]:
    return {
        "title": name,
        "provider": "groq",
        "account": "groq",
        "model": "model",
        "tier": "free",
        "status": "active",
        "reason": None,
        "until": None,
        "probe_at": None,
        "source": None,
        "confidence": None,
        "usage": {"minute": dict(NONE), "hour": dict(NONE), "day": dict(NONE)},
        "limits": [],
        "pace": {"ttft_ms": None, "tokens_per_s": None},
        "health": {"condition": "healthy", "reliability": None, "outcomes": 0},
        **fields,
    }


def a_status(names: tuple[str, ...] = ("one", "two", "three"), serving: int = 0) -> dict[str, Any]:
    return {
        "version": "1",
        "ledger": {"degraded": None},
        "chains": {
            "default": {
                "title": "default",
                "strategy": "priority",
                "routing_policy": "any",
                "serving": names[serving] if serving >= 0 else None,
                "last_served": None,
                "pinned": None,
                "pinned_strictly": False,
                "profiles": list(names),
                "skipped": [],
            }
        },
        "profiles": {name: a_profile(name) for name in names},
    }


def test_the_next_request_passes_by_all_above_who_serves_it() -> None:
    cards = overview.ladder(a_status(serving=1), "default")["cards"]

    assert [each["passed"] for each in cards] == [True, False, False]
    assert [each["serves"] for each in cards] == [False, True, False]


def test_where_nobody_serves_the_chain_says_who_is_back_first() -> None:
    status = a_status(serving=-1)
    status["chains"]["default"]["skipped"] = [
        {
            "profile": "one",
            "reason": "limit",
            "available_at": "2026-11-20T17:00:03Z",
            "never": True,
        },
        {
            "profile": "two",
            "reason": "limit",
            "available_at": "2026-11-20T17:00:09Z",
            "never": False,
        },
        {"profile": "three", "reason": "failed", "available_at": None, "never": False},
    ]

    ladder = overview.ladder(status, "default")

    assert ladder["back_at"] == "2026-11-20T17:00:09Z"
    assert all(each["passed"] for each in ladder["cards"])


@pytest.mark.parametrize(
    ("used", "reserved", "tone"),
    [(0, 0, "calm"), (7, 0, "calm"), (8, 0, "filling"), (7, 1, "filling"), (10, 0, "full")],
)
def test_a_bars_tone_says_how_full_it_is(used: int, reserved: int, tone: str) -> None:
    assert overview.bar(a_limit(used=used, reserved=reserved))["tone"] == tone


def test_a_bar_shows_used_and_reserved_as_shares() -> None:
    found = overview.bar(a_limit())

    assert (found["used_share"], found["reserved_share"]) == (40.0, 10.0)


def test_a_bar_of_more_than_all_is_full_and_one_of_nothing_too() -> None:
    over = overview.bar(a_limit(used=30, reserved=0, remaining=0))
    nothing = overview.bar(a_limit(amount=0, used=0, reserved=0, remaining=0))

    assert (over["used_share"], over["tone"]) == (100.0, "full")
    assert (nothing["used_share"], nothing["tone"]) == (100.0, "full")


@pytest.mark.parametrize(("theirs", "drift"), [(None, None), (5, None), (2, -3), (8, 3)])
def test_drift_is_how_much_less_the_provider_says_is_left(
    theirs: int | None, drift: int | None
) -> None:
    assert overview.bar(a_limit(provider_remaining=theirs))["drift"] == drift


def test_a_line_of_the_latest_answers_ends_at_the_right_edge() -> None:
    assert overview.spark([100.0, None, 50.0, 200.0]) == "0,10 50,14.5 100,1"


@pytest.mark.parametrize("values", [[], [None], [3.0]])
def test_one_answer_draws_no_line(values: list[float | None]) -> None:
    assert overview.spark(values) == ""


def test_the_days_sums_are_over_every_profile() -> None:
    status = a_status()
    status["profiles"]["one"]["usage"]["day"] |= {"requests": 3, "tokens": 50}
    status["profiles"]["two"]["usage"]["day"] |= {"requests": 4, "tokens": 60}
    status["profiles"]["two"]["status"] = "failed"

    found = overview.sums(status, {"saved_usd": 1.5, "spent_usd": 0.5})

    assert (found["requests"], found["tokens"], found["active"]) == (7, 110, 2)
    assert (found["saved_usd"], found["spent_usd"]) == (1.5, 0.5)

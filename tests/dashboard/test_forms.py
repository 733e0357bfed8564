"""What forms show of the configuration."""

from __future__ import annotations

import pytest

from spillover.dashboard import forms


def test_limits_of_every_form_become_rows() -> None:
    written = [
        {"requests": 20, "per": "day", "window": "calendar", "timezone": "Europe/Paris"},
        {"requests": 5, "tokens": "250K", "per": "minute"},
        {"concurrency": 2},
    ]

    rows = forms.limit_rows(written)

    assert [(row["metric"], row["amount"], row["per"], row["window"]) for row in rows] == [
        ("requests", 20, "day", "calendar"),
        ("requests", 5, "minute", ""),
        ("tokens", "250K", "minute", ""),
        ("concurrency", 2, "", ""),
    ]
    assert rows[0]["rest"] == {"timezone": "Europe/Paris"}


def test_limits_in_short_become_rows_too() -> None:
    rows = forms.limit_rows({"tokens_per_hour": "5K", "concurrency": 3})

    assert [(row["metric"], row["amount"], row["per"]) for row in rows] == [
        ("tokens", "5K", "hour"),
        ("concurrency", 3, ""),
    ]


@pytest.mark.parametrize("written", ["free", None, ""])
def test_what_names_no_amounts_has_no_rows(written: object) -> None:
    assert forms.limit_rows(written) == []


def test_local_and_free_providers_come_first() -> None:
    def a_provider(
        name: str, kind: str, tier: str, base_url: str | None = "x"
    ) -> dict[str, object]:
        return {"id": name, "kind": kind, "tier_kind": tier, "base_url": base_url}

    catalogue = {
        "providers": [
            a_provider("paid", "cloud", "none"),
            a_provider("free", "cloud", "recurring"),
            a_provider("local", "local", "none"),
            a_provider("nowhere", "cloud", "none", None),
        ]
    }

    assert [each["id"] for each in forms.providers(catalogue)] == ["local", "free", "paid"]


def test_a_chain_can_take_in_whom_it_lacks() -> None:
    config = {
        "profiles": {"one": {}, "two": {}},
        "chains": {"default": {"profiles": [{"profile": "one"}]}},
    }

    assert forms.missing_members(config, "default") == ["two"]


@pytest.mark.parametrize(
    ("written", "expected"), [({"wait": "30s"}, "30s"), ("fail", ""), (None, ""), ({"x": 1}, "")]
)
def test_the_duration_of_a_setting_is_found(written: object, expected: str) -> None:
    assert forms.wait_of(written, "wait") == expected

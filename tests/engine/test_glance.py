"""Who serves, how far its fullest limit is used, and who is next, in a few fields."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.cli.glance import shown
from spillover.engine.glance import glance, limit_initials, limit_name
from tests.cli.documents import (
    DOWN,
    GROQ,
    LADDER,
    NOW,
    SPENT,
    chain,
    document,
    left_out,
    limit,
    profile,
)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (LADDER, "groq 6000/8000 TPM ▸ next paid"),
        (
            document({"default": chain("a", "b", serving="b")}, {"a": SPENT, "b": profile()}),
            "b ▸ a back in 12 min 30 s",
        ),
        (document({"default": chain("a", serving="a")}, {"a": profile()}), "a"),
        (
            document({"c": chain("a", "b")}, {"a": SPENT, "b": DOWN}),
            "nobody can serve ▸ b back in 30 s",
        ),
        (document({"c": chain("a")}, {"a": profile("failed")}), "nobody can serve"),
        (
            document({"x": chain("b"), "default": chain("a", serving="a")}, {"a": GROQ, "b": DOWN}),
            "a 6000/8000 TPM",
        ),
        (
            document(
                {"c": chain("a", serving="a")},
                {"a": profile(limits=[limit("requests", "day", used=0, of=0)])},
            ),
            "a",
        ),
        (
            document(
                {
                    "c": chain(
                        "a", "b", serving="a", skipped=[left_out("b", "spend_gate", "needs a yes")]
                    )
                },
                {"a": profile(), "b": profile(tier="paid")},
            ),
            "a",
        ),
        (
            document(
                {"c": chain("a", skipped=[left_out("a", "privacy", "local ones only")])},
                {"a": SPENT},
            ),
            "nobody can serve",
        ),
        (document({}, {}), ""),
    ],
    ids=[
        "next",
        "back",
        "alone",
        "idle",
        "failed",
        "default",
        "no amount",
        "gate",
        "privacy",
        "nothing",
    ],
)
def test_the_line_says_who_serves_how_far_it_is_used_and_who_is_next(
    status: dict[str, Any], line: str
) -> None:
    assert shown(glance(status), "{line}", NOW) == (f"{line}\n" if line else "")


@pytest.mark.parametrize(
    ("metric", "per", "name", "initials"),
    [
        ("requests", "minute", "requests/minute", "RPM"),
        ("tokens", "day", "tokens/day", "TPD"),
        ("input_tokens", "minute", "input tokens/minute", "ITPM"),
        ("requests", "5h", "requests/5h", "requests/5h"),
        ("cost", "month", "cost/month", "cost/month"),
        ("concurrency", None, "at once", "at once"),
    ],
)
def test_a_limit_is_named_as_its_users_name_it(
    metric: str, per: str | None, name: str, initials: str
) -> None:
    entry = limit(metric, per, used=0, of=1)

    assert limit_name(entry) == name
    assert limit_initials(entry) == initials

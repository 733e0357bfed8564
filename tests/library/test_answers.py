"""What a library's user reads of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.core.refusals import Step
from spillover.library.answers import sent, text_of


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"choices": [{"index": 0, "message": {"content": "yes"}}]}, "yes"),
        ({"choices": [{"message": {"content": "no index"}}]}, "no index"),
        ({"choices": [{"index": 1, "message": {"content": "other"}}]}, ""),
        ({"choices": [{"index": 0, "message": {"content": None, "tool_calls": []}}]}, ""),
        ({"choices": [{"index": 0, "message": None}]}, ""),
        ({"choices": []}, ""),
        ({}, ""),
        (
            {"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "x"}]}}]},
            "a",
        ),
    ],
    ids=["text", "no index", "second choice", "tools", "null", "no choice", "usage", "parts"],
)
def test_the_text_is_what_the_first_choice_says(raw: dict[str, Any], text: str) -> None:
    assert text_of(raw, "message") == text


def test_a_trail_says_who_was_sent_to_and_how_it_ended() -> None:
    trail = (Step(profile="groq", result="rate_limited"), Step(profile="glm", result="ok"))

    seen = sent(trail)

    assert [(entry.profile, entry.outcome) for entry in seen] == [
        ("groq", "rate_limited"),
        ("glm", "ok"),
    ]

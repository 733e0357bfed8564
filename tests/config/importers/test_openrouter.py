"""A list of models as OpenRouter takes it becomes a chain of its models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spillover.errors import RequestError
from tests.config.importers.files import left_out, planned


@pytest.mark.parametrize(
    "source",
    [
        b'["a/b", "c/d:free", "a/b"]',
        b'{"models": ["a/b", "c/d:free"], "route": "fallback"}',
        b'{"model": "a/b", "models": ["c/d:free"]}',
        b'{"models": [{"id": "a/b"}, {"id": "c/d:free"}]}',
        b"models:\n- a/b\n- c/d:free\n",
    ],
)
def test_the_models_are_tried_in_their_order(source: bytes) -> None:
    plan = planned("openrouter", source)

    assert plan.profiles == {
        "b": {"provider": "openrouter", "model": "a/b"},
        "d-free": {"provider": "openrouter", "model": "c/d:free"},
    }
    assert plan.chains == {"openrouter": {"profiles": ["b", "d-free"]}}


def test_what_a_request_says_besides_is_told_and_its_messages_are_not() -> None:
    plan = planned("openrouter")

    assert left_out(plan).keys() == {"provider"}
    assert "never repeated" not in repr(plan)


def test_an_entry_that_is_no_model_is_told() -> None:
    plan = planned("openrouter", json.dumps(["a/b", 5, None, {}, "x/*"]).encode())

    assert list(plan.profiles) == ["b"]
    assert left_out(plan).keys() == {"entry 2", "entry 3", "entry 4", "x/*"}


@pytest.mark.parametrize("values", [[], {}, {"models": []}, {"models": "a/b"}, 5, "a/b"])
def test_what_holds_no_models_is_refused(values: Any) -> None:
    with pytest.raises(RequestError, match="it is no list of models"):
        planned("openrouter", json.dumps(values).encode())

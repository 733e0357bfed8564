"""Errors are written as Gemini's clients expect them."""

from __future__ import annotations

import json

import pytest

from spillover.errors import Obstacle
from spillover.protocols.gemini.errors import redressed
from spillover.protocols.openai_errors import error_body


@pytest.mark.parametrize(
    ("status", "named"),
    [(400, "INVALID_ARGUMENT"), (429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL")],
)
def test_the_status_follows_https(status: int, named: str) -> None:
    found = json.loads(redressed(error_body("some_code", "What happened."), status))["error"]

    assert (found["code"], found["status"], found["message"]) == (status, named, "What happened.")
    assert found["details"][0]["reason"] == "some_code"


def test_what_else_is_known_stays_beside_it() -> None:
    obstacle = Obstacle(profile="a", reason="limit")
    body = error_body("no_profile", "None.", profiles=[obstacle], request_id="r1")

    found = json.loads(redressed(body, 503))["error"]

    assert found["request_id"] == "r1"
    assert found["profiles"][0]["profile"] == "a"
    assert "param" not in found

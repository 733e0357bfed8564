"""Errors are written as Anthropic's clients expect them."""

from __future__ import annotations

import json

import pytest

from spillover.errors import Obstacle
from spillover.protocols.anthropic.errors import redressed, stream_error
from spillover.protocols.openai_errors import error_body


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "overloaded_error"),
    ],
)
def test_the_type_follows_the_status(status: int, kind: str) -> None:
    found = json.loads(redressed(error_body("some_code", "What happened."), status))

    assert found["type"] == "error"
    assert (found["error"]["type"], found["error"]["code"]) == (kind, "some_code")
    assert found["error"]["message"] == "What happened."


def test_what_else_is_known_stays_beside_it() -> None:
    obstacle = Obstacle(profile="a", reason="limit", available_at=None)
    body = error_body("no_profile", "None.", profiles=[obstacle], request_id="r1")

    found = json.loads(redressed(body, 503))

    assert found["request_id"] == "r1"
    assert found["error"]["profiles"][0]["profile"] == "a"
    assert "param" not in found["error"]


def test_an_error_in_a_stream_is_an_event() -> None:
    event = stream_error(error_body("stream_interrupted", "cut"), 502)

    assert event.startswith(b'event: error\ndata: {"type":"error"')
    assert event.endswith(b"\n\n")

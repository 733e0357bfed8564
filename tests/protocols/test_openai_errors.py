"""Errors as clients of OpenAI's protocol get them."""

from __future__ import annotations

import msgspec
import pytest

from spillover.core.values import Failure, FailureClass, FaultScope
from spillover.errors import Obstacle
from spillover.protocols.openai_errors import (
    DONE,
    error_body,
    relayed_error,
    relayed_status,
    stream_error_event,
)
from spillover.protocols.sse import payload


def a_failure(
    failure: FailureClass = FailureClass.BAD_REQUEST,
    *,
    status: int | None = 400,
    message: str = "no",
    code: str | None = None,
) -> Failure:
    return Failure(
        failure=failure, scope=FaultScope.REQUEST, status=status, message=message, code=code
    )


def test_an_own_error_names_each_profile_and_when_it_is_back() -> None:
    obstacles = [
        Obstacle(profile="groq", reason="limit", available_at=1_795_176_000.4),
        Obstacle(profile="glm", reason="failed"),
    ]

    body = error_body("all_exhausted", "all spent", profiles=obstacles, request_id="req-1")

    assert msgspec.json.decode(body) == {
        "error": {
            "message": "all spent",
            "type": "spillover_error",
            "param": None,
            "code": "all_exhausted",
            "profiles": [
                {"profile": "groq", "reason": "limit", "available_at": "2026-11-20T12:00:01Z"},
                {"profile": "glm", "reason": "failed", "available_at": None},
            ],
            "request_id": "req-1",
        }
    }


def test_an_own_error_may_name_the_field_at_fault() -> None:
    body = error_body("invalid_request", "'messages' is missing", param="messages")

    error = msgspec.json.decode(body)["error"]
    assert error["param"] == "messages"
    assert error["profiles"] == []
    assert "request_id" not in error


def test_a_relayed_error_has_the_providers_message_and_code() -> None:
    body = relayed_error(a_failure(message="bad temperature", code="below_min"), request_id="r")

    assert msgspec.json.decode(body) == {
        "error": {
            "message": "bad temperature",
            "type": "invalid_request_error",
            "param": None,
            "code": "below_min",
            "request_id": "r",
        }
    }


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (FailureClass.CONTEXT_LENGTH, "context_length_exceeded"),
        (FailureClass.CONTENT_FILTER, "content_filter"),
        (FailureClass.BAD_REQUEST, "own"),
    ],
)
def test_a_relayed_error_has_the_code_that_clients_act_on(failure: FailureClass, code: str) -> None:
    error = msgspec.json.decode(relayed_error(a_failure(failure, code="own")))["error"]

    assert error["code"] == code
    assert "request_id" not in error


def test_a_refusal_without_words_is_given_some() -> None:
    error = msgspec.json.decode(relayed_error(a_failure(message="")))["error"]

    assert "bad_request" in error["message"]


@pytest.mark.parametrize(
    ("own", "told"), [(400, 400), (422, 422), (200, 400), (500, 400), (None, 400)]
)
def test_a_relayed_error_has_the_providers_status_if_it_blames_the_request(
    own: int | None, told: int
) -> None:
    assert relayed_status(a_failure(status=own)) == told


def test_an_error_ends_a_stream_as_an_event() -> None:
    body = error_body("stream_interrupted", "cut")

    assert payload(stream_error_event(body)).data == body
    assert payload(DONE).data == b"[DONE]"

"""Telling what a body or an event of any protocol is."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.protocols.native import Kind, read_native


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"choices": []}', Kind.OPENAI),
        ('{"error": null, "choices": []}', Kind.OPENAI),
        ('{"error": {"code": 429}, "choices": []}', Kind.ERROR),
        ('{"error": "no"}', Kind.ERROR),
        ('{"errors": [{"code": 1}], "success": false}', Kind.ERROR),
        ('{"success": false}', Kind.ERROR),
        ('{"detail": "no"}', Kind.ERROR),
        ('{"base_resp": {"status_code": 1002}, "choices": []}', Kind.ERROR),
        ('{"base_resp": {"status_code": 0}, "choices": []}', Kind.OPENAI),
        ('{"promptFeedback": {"blockReason": "OTHER"}}', Kind.ERROR),
        ('{"promptFeedback": {}, "candidates": []}', Kind.PROGRESS),
        ('{"finish_reason": "ERROR_TOXIC"}', Kind.ERROR),
        ('{"type": "ping"}', Kind.PROGRESS),
        ('{"type": "message_start", "message": {}}', Kind.PROGRESS),
        ('{"type": "content_block_delta", "delta": {"text": "x"}}', Kind.CONTENT),
        ('{"type": "message_delta", "delta": {"stop_reason": "refusal"}}', Kind.BLOCKED),
        ('{"type": "message_stop"}', Kind.WHOLE),
        ('{"type": "message-end", "delta": {"finish_reason": "ERROR"}}', Kind.ERROR),
        ('{"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}', Kind.WHOLE),
        ('{"type": "response.output_text.delta", "delta": "x"}', Kind.CONTENT),
        ('{"type": "response.created", "response": {}}', Kind.PROGRESS),
        ('{"type": "response.failed", "response": {}}', Kind.ERROR),
        ('{"type": "response.completed", "response": {}}', Kind.WHOLE),
        ('{"type": "error", "message": "no"}', Kind.ERROR),
        ('{"type": "message", "content": [{"type": "text"}]}', Kind.WHOLE),
        ('{"type": "message", "content": []}', Kind.EMPTY),
        ('{"type": "message", "stop_reason": "refusal", "content": []}', Kind.BLOCKED),
        ('{"message": {"content": "x"}, "done": true}', Kind.WHOLE),
        ('{"candidates": [{"content": {"parts": [{"text": "x"}]}}]}', Kind.CONTENT),
        (
            '{"candidates": [{"content": {"parts": [{}]}, "finishReason": "STOP"}]}',
            Kind.WHOLE,
        ),
        ('{"candidates": [{"finishReason": "SAFETY"}]}', Kind.BLOCKED),
        ('{"candidates": [{"finishReason": ["SAFETY"]}]}', Kind.EMPTY),
        ('{"candidates": [{"finishReason": "STOP"}]}', Kind.EMPTY),
        ('{"candidates": [{}]}', Kind.PROGRESS),
        ('{"data": [{"embedding": [1]}]}', Kind.WHOLE),
        ('{"data": []}', Kind.EMPTY),
        ('{"type": "other", "result": {"response": "x"}}', Kind.WHOLE),
        ('{"message": "no", "code": 3}', Kind.NEITHER),
        ("{}", Kind.NEITHER),
        ("[]", Kind.EMPTY),
        ("[[0.5, 0.25]]", Kind.WHOLE),
        ('[{"candidates": [{"content": {"parts": [{}]}}]}]', Kind.WHOLE),
        ('[{"error": {"code": 429}}]', Kind.ERROR),
        ("7", Kind.NEITHER),
        ("[DONE]", Kind.NEITHER),
        ("", Kind.NEITHER),
    ],
)
def test_a_body_is_told_by_its_outermost_fields(body: str, kind: Kind) -> None:
    assert read_native(body.encode()) is kind


def test_an_event_may_be_named_an_error() -> None:
    assert read_native(b'{"message": "no"}', event="error") is Kind.ERROR


@given(st.binary(max_size=100))
def test_any_bytes_are_read_without_harm(body: bytes) -> None:
    assert read_native(body) in Kind


@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "delta", "error", "candidates", "base_resp", "finish_reason", "message"]
        ),
        st.none()
        | st.integers()
        | st.sampled_from(["message-end", "error", "x"])
        | st.lists(st.integers(), max_size=2)
        | st.dictionaries(st.sampled_from(["stop_reason", "finish_reason", "x"]), st.integers()),
    )
)
def test_fields_of_any_type_are_read_without_harm(fields: dict[str, object]) -> None:
    assert read_native(msgspec.json.encode(fields)) in Kind


def test_half_characters_hide_nothing() -> None:
    assert read_native(rb'{"error": {"message": "cut \ud83d"}}') is Kind.ERROR

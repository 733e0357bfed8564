"""The error that ends a stream of the Responses makes OpenAI's SDK raise."""

from __future__ import annotations

from spillover.protocols.openai_errors import error_body
from spillover.protocols.responses.errors import stream_error
from tests.protocols.conversations import payloads


def test_an_error_is_told_in_both_ways() -> None:
    event = stream_error(error_body("stream_interrupted", "cut"), 7)

    found = payloads(event)[0]
    assert event.startswith(b"event: error\n")
    assert (found["type"], found["sequence_number"]) == ("error", 7)
    assert (found["code"], found["message"], found["param"]) == ("stream_interrupted", "cut", None)
    assert found["error"]["code"] == "stream_interrupted"

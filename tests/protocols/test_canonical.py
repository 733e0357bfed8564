"""Requests for the same are written alike, and what must be asked anew has no such form."""

from __future__ import annotations

import msgspec
import pytest

from spillover.core.values import Operation
from spillover.protocols.canonical import canonical
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.openai_chat import read_request
from spillover.protocols.spoken import read_spoken_request

CHAT = b'{"model": "a", "messages": [{"role": "user", "content": "hi"}], "temperature": 0}'


def of_chat(body: bytes) -> bytes | None:
    return canonical(read_request(body, Operation.CHAT))


def test_order_spacing_model_and_stream_make_no_difference() -> None:
    same = (
        b'{"temperature":0,"messages":[{"content":"hi","role":"user"}],"model":"b","stream":true}'
    )

    assert of_chat(CHAT) == of_chat(same) != of_chat(CHAT.replace(b"hi", b"ho"))
    assert of_chat(CHAT) != of_chat(CHAT.replace(b'"temperature": 0', b'"temperature": 1'))


def test_other_dialects_are_written_by_their_own_fields() -> None:
    body = b'{"model": "a", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}'

    found = canonical(read_spoken_request(body, Dialect.ANTHROPIC))

    assert found == b'{"max_tokens":9,"messages":[{"content":"hi","role":"user"}]}'


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("functions", [{"name": "f"}]),
        ("web_search_options", {"search_context_size": "low"}),
        ("web_search_options", {}),
        ("plugins", [{"id": "web"}]),
        ("search_parameters", {"mode": "auto"}),
        ("previous_response_id", "resp_1"),
    ],
)
def test_what_may_act_or_goes_on_has_no_such_form(field: str, value: object) -> None:
    body = {**msgspec.json.decode(CHAT), field: value}

    assert of_chat(msgspec.json.encode(body)) is None
    assert of_chat(msgspec.json.encode({**body, field: None})) is not None

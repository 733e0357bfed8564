"""What a library's user asks for becomes one call of the engine."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from spillover.core.values import Capability, RoutingPolicy
from spillover.errors import RequestError
from spillover.library.asking import ChatFields, call_of
from spillover.protocols.openai_chat import Asked

HI = [{"role": "user", "content": "hi"}]


def test_a_text_is_one_message_of_the_user() -> None:
    call = call_of("hi", model=None, stream=False, fields={})

    assert isinstance(call.asked, Asked)
    assert bytes(call.asked.fields["messages"]) == b'[{"role":"user","content":"hi"}]'


def test_half_an_emoji_is_replaced() -> None:
    call = call_of("cut \ud83d", model=None, stream=False, fields={})

    assert isinstance(call.asked, Asked)
    assert rb"cut \ufffd" in bytes(call.asked.fields["messages"])


def test_fields_of_the_format_go_into_the_body_and_ours_stay_out_of_it() -> None:
    fields: ChatFields = {
        "max_tokens": 7,
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "extra": {"top_k": 3},
        "session": "s1",
        "policy": "local-only",
        "spend": True,
    }

    call = call_of(HI, model="coding", stream=True, fields=fields)

    assert isinstance(call.asked, Asked)
    assert call.asked.fields.keys() == {"messages", "max_tokens", "tools", "top_k", "stream"}
    assert call.asked.max_output_tokens == 7
    assert Capability.TOOLS in call.asked.needs
    assert (call.model, call.session, call.spend) == ("coding", "s1", True)
    assert call.policy is RoutingPolicy.LOCAL_ONLY


def test_every_call_has_a_name_of_its_own() -> None:
    names = {call_of(HI, model=None, stream=False, fields={}).request_id for _ in range(50)}

    assert len(names) == 50


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"max_token": 5}, "did you mean 'max_tokens'?"),
        ({"xyz": 5}, "put it into extra={'xyz': …}"),
    ],
    ids=["misspelt", "unknown"],
)
def test_a_field_that_is_none_is_refused_with_what_was_meant(fields: Any, hint: str) -> None:
    with pytest.raises(TypeError) as refused:
        call_of(HI, model=None, stream=False, fields=fields)

    assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("messages", "fields", "says"),
    [
        ([{"role": "user", "content": "hi"}], {"policy": "cheap"}, "no routing policy"),
        ([{"role": "user", "content": "hi"}], {"n": 0}, "'n' must be at least 1"),
        ({"role": "user"}, {}, "'messages' must be a list"),
        ([{"role": "user", "content": object()}], {}, "can't be written as JSON"),
    ],
    ids=["policy", "choices", "messages", "not JSON"],
)
def test_what_no_provider_could_understand_is_refused(
    messages: Any, fields: Any, says: str
) -> None:
    with pytest.raises(RequestError) as refused:
        call_of(messages, model=None, stream=False, fields=fields)

    assert says in str(refused.value)
    assert refused.value.status == 400


PNG = b"\x89PNG\r\n\x1a\n..."


def test_images_stand_behind_what_the_last_message_says() -> None:
    messages = [
        {"role": "system", "content": "be short"},
        {"role": "user", "content": "what is it?"},
    ]

    call = call_of(
        messages, model=None, stream=False, fields={"images": ["https://x.test/a.jpg", PNG]}
    )

    assert isinstance(call.asked, Asked)
    assert Capability.VISION in call.asked.needs
    assert msgspec.json.decode(call.asked.fields["messages"]) == [
        messages[0],
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what is it?"},
                {"type": "image_url", "image_url": {"url": "https://x.test/a.jpg"}},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,iVBORw0KGgouLi4="},
                },
            ],
        },
    ]


def test_images_join_the_parts_that_are_there() -> None:
    part = {"type": "text", "text": "a"}

    call = call_of(
        [{"role": "user", "content": [part]}],
        model=None,
        stream=False,
        fields={"images": ["https://x.test/a.png"]},
    )

    assert isinstance(call.asked, Asked)
    (message,) = msgspec.json.decode(call.asked.fields["messages"])
    assert [one["type"] for one in message["content"]] == ["text", "image_url"]


@pytest.mark.parametrize(
    ("messages", "image", "says"),
    [
        ("hi", b"%PDF-1.7", r"images\[0\] is no PNG, JPEG, GIF or WebP"),
        ([{"role": "assistant", "content": "hi"}], PNG, "the last message must be the user's"),
        ([], PNG, "the last message must be the user's"),
    ],
    ids=["other file", "other's message", "no message"],
)
def test_images_that_nobody_could_be_shown_are_refused(
    messages: Any, image: bytes, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        call_of(messages, model=None, stream=False, fields={"images": [image]})

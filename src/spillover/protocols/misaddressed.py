"""Read a request of OpenAI's Responses that was sent where chats go: Cursor does so, and wants a chat's answer.

Refuses to know who sends it, and who will answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.values import Operation
from spillover.protocols.chat.requests_out import write_request
from spillover.protocols.conversation.fields import encode, raw_fields
from spillover.protocols.conversation.requests import Target
from spillover.protocols.openai_chat import InvalidRequest, read_request
from spillover.protocols.responses.requests_in import read_request as read_responses
from spillover.protocols.surrogates import whole_characters

if TYPE_CHECKING:
    from spillover.protocols.openai_chat import Asked

_OPENAI: Final = "openai"
"""Whose chat it is: its newer models know no other name of the limit on tokens."""


def read_chat(body: bytes) -> Asked:
    """Return what a client asks who wants a chat's answer; raises `InvalidRequest`."""
    try:
        return read_request(body, Operation.CHAT)
    except InvalidRequest as error:
        if error.param != "messages":
            raise
        body = whole_characters(body) or body
        fields = raw_fields(body)
        if "messages" in fields or "input" not in fields:
            raise
    request = read_responses(body)
    written = write_request(request, Target(model="", provider=_OPENAI))
    if written.lacks:
        lost = ", ".join(written.lacks)
        message = f"'messages' is missing, and a chat has no words for what stands there: {lost}"
        raise InvalidRequest(message, "messages")
    chat = raw_fields(written.body)
    # Both protocols name these alike; what a stream is to tell is a chat's own.
    kept = {name: fields[name] for name in ("model", "stream_options") if name in fields}
    del chat["model"]
    return read_request(encode({**chat, **kept}), Operation.CHAT)

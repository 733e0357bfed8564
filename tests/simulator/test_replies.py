"""Whole replies, and keys that are shown."""

from __future__ import annotations

from spillover.simulator.replies import json_reply, mask


def test_a_key_is_shown_by_its_ends_or_not_at_all() -> None:
    assert mask("sk-0123456789") == "sk-…89"
    assert mask("secret") == "…"


def test_a_json_reply_has_its_type_and_headers() -> None:
    reply = json_reply(404, {"a": 1}, (("x", "y"),))

    assert (reply.status, reply.body, reply.headers) == (404, b'{"a":1}', (("x", "y"),))
    assert reply.content_type == "application/json"

"""Objects are read as Google reads them, which is more than JSON's own kinds."""

from __future__ import annotations

import pytest

from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.gemini.messages import Message


def test_a_number_may_be_text() -> None:
    message = Message({"a": "40", "b": "0.5", "c": 7})

    assert (message.count("a"), message.number("b"), message.count("c")) == (40, 0.5, 7)
    assert message.left() == ()


@pytest.mark.parametrize("text", ["many", "NaN", ""])
def test_text_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="'a' must be a number"):
        Message({"a": text}).number("a")


def test_one_object_may_stand_for_a_list_of_it() -> None:
    message = Message({"a": {"b": {"n": "1"}}, "c": [{"d": 1}]})

    (inner,) = message.objects("a")
    (found,) = inner.objects("b")

    assert found.count("n") == 1
    assert [each.all() for each in message.objects("c")] == [{"d": 1}]
    assert message.left() == ()

"""Calls have ids of their own, and answers with calls end for them, whatever their upstream says."""

from __future__ import annotations

from spillover.protocols.conversation.answers import Answer, CallBegin, Choice, Finish, Stop
from spillover.protocols.conversation.calls import Calls, with_calls_put_right
from spillover.protocols.conversation.requests import Text, ToolCall


def call(name: str) -> ToolCall:
    return ToolCall(id=name, name="f", arguments="{}")


def test_ids_that_lack_or_occur_twice_are_made() -> None:
    given = ("a", "a", "", "a_1", "")
    answer = Answer(choices=(Choice(parts=tuple(call(name) for name in given)),))

    (choice,) = with_calls_put_right(answer, "seed").choices

    assert [getattr(part, "id", None) for part in choice.parts] == [
        "a",
        "a_1",
        "call_seed_2",
        "a_1_3",
        "call_seed_4",
    ]


def test_an_answer_with_calls_ends_for_them() -> None:
    says, calls = Text(text="x"), call("a")

    def stop(*parts: Text | ToolCall, stop: Stop) -> Stop:
        answer = Answer(choices=(Choice(parts=parts, stop=stop),))
        return with_calls_put_right(answer, "").choices[0].stop

    assert stop(says, calls, stop=Stop.END) is Stop.TOOLS
    assert stop(says, calls, stop=Stop.LENGTH) is Stop.LENGTH
    assert stop(says, stop=Stop.END) is Stop.END


def test_a_streams_calls_are_put_right_as_they_begin_and_end() -> None:
    calls = Calls("seed")
    first, again = CallBegin(call=0, id="a", name="f"), CallBegin(call=1, id="a", name="f")

    assert calls.begun(first) is first
    assert calls.begun(again) == CallBegin(call=1, id="a_1", name="f")
    assert calls.finished(Finish(stop=Stop.END)).stop is Stop.TOOLS
    assert calls.finished(Finish(stop=Stop.END, choice=1)).stop is Stop.END

"""Which messages of a conversation that is too long are left out, and which never are."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import Operation
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.openai_chat import Asked, read_request
from spillover.protocols.shortening import Shortened, shorten
from spillover.protocols.spoken import Spoken, read_gemini_request, read_spoken_request

LONG = "word " * 100


def asked(*messages: dict[str, Any], **fields: Any) -> Asked:
    return read_request(msgspec.json.encode({"messages": messages, **fields}), Operation.CHAT)


def _chars(of: Asked | Spoken) -> int:
    return of.demand().chars


def says(role: str, text: str = LONG, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": text, **fields}


def calls(*ids: str) -> dict[str, Any]:
    made = [
        {"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for each in ids
    ]
    return says("assistant", tool_calls=made)


def result(of: str) -> dict[str, Any]:
    return says("tool", tool_call_id=of)


def texts(found: Shortened | None) -> list[str]:
    """Return the roles of what stays, or the marks that messages carry."""
    assert found is not None
    assert isinstance(found.asked, Asked)
    kept = msgspec.json.decode(found.asked.fields["messages"])
    return [each.get("name", each["role"]) for each in kept]


def shortest(of: Asked | Spoken) -> Shortened | None:
    """Leave out all that may be left out."""
    tried: list[int] = []

    def fits(each: Asked | Spoken) -> bool:
        tried.append(_chars(each))
        return _chars(each) == min(tried)

    return shorten(of, fits)


def chat(turns: int) -> list[dict[str, Any]]:
    return [
        says(role, name=f"{role[0]}{number}")
        for number in range(turns)
        for role in ("user", "assistant")
    ]


def test_oldest_middle_turns_go_and_no_more_than_must() -> None:
    whole = asked(says("system", name="rules"), *chat(5), says("user", name="u5"))
    two_less = asked(says("system", name="rules"), *chat(3), says("user", name="u5")).chars

    found = shorten(whole, lambda each: _chars(each) <= two_less)

    assert texts(found) == ["rules", "u0", "a0", "u3", "a3", "u4", "a4", "u5"]
    assert found is not None
    assert (found.removed, _chars(found.asked)) == (4, two_less)


def test_one_turn_goes_even_where_the_whole_would_fit() -> None:
    found = shorten(asked(*chat(4)), lambda _: True)

    assert texts(found) == ["u0", "a0", "u2", "a2", "u3", "a3"]


def test_first_and_last_turn_and_all_rules_stay() -> None:
    rules = says("system", name="rules")
    late = says("developer", name="late")

    found = shortest(asked(rules, *chat(2), late, *chat(4)[4:], says("user", name="end")))

    assert texts(found) == ["rules", "u0", "a0", "late", "end"]


def test_what_stays_keeps_its_bytes_and_the_other_fields_theirs() -> None:
    body = (
        b'{"temperature": 0.50, "messages": [{"role":"user","content":"\\u0041 1"}, '
        b'{"role":"user","content":"2"},{"role":"user", "content":"3", "odd": 1.0}]}'
    )

    found = shortest(read_request(body, Operation.CHAT))

    assert found is not None
    assert isinstance(found.asked, Asked)
    assert bytes(found.asked.fields["messages"]) == (
        b'[{"role":"user","content":"\\u0041 1"},{"role":"user", "content":"3", "odd": 1.0}]'
    )
    assert bytes(found.asked.fields["temperature"]) == b"0.50"


def test_agent_keeps_its_task_its_last_question_and_its_last_step() -> None:
    steps = [
        says("user", name="task"), calls("1"), result("1"), says("assistant", name="so"),
        says("user", name="more"), calls("2"), result("2"), calls("3", "4"), result("3"),
        result("4"),
    ]  # fmt: skip

    found = shortest(asked(*steps))

    assert texts(found) == ["task", "more", "assistant", "tool", "tool"]
    assert found is not None
    assert found.removed == 5


def test_call_is_never_parted_from_a_result_that_comes_behind_another_message() -> None:
    steps = [
        says("user", name="task"), calls("1", "2"), result("1"), says("user", name="image"),
        result("2"), says("user", name="end"),
    ]  # fmt: skip

    found = shortest(asked(*steps))

    assert texts(found) == ["task", "end"]


def test_calls_that_are_named_alike_in_every_turn_are_told_apart() -> None:
    steps = [says("user", name="task")]
    for _ in range(4):
        steps += [calls("call_0"), result("call_0")]

    found = shortest(asked(*steps))

    assert texts(found) == ["task", "assistant", "tool"]


def test_call_of_the_old_kind_keeps_its_result() -> None:
    old = says("assistant", function_call={"name": "f", "arguments": "{}"})
    steps = [says("user"), old, says("function", name="f"), says("user"), says("user")]

    assert texts(shortest(asked(*steps))) == ["user", "user"]


def test_nothing_is_shortened_where_nothing_may_go_or_all_of_it_would_not_do() -> None:
    assert shortest(asked(says("user"))) is None
    assert shortest(asked(says("system"), says("user"), says("assistant"))) is None
    assert shortest(asked()) is None
    assert shorten(asked(*chat(5)), lambda _: False) is None


def test_conversation_that_nobody_can_read_but_its_provider_is_left_alone() -> None:
    odd = asked(*[says("user", tool_calls="none")] * 5)

    assert shortest(odd) is None


def test_only_chats_have_turns() -> None:
    prompt = read_request(b'{"prompt": ["a", "b", "c"]}', Operation.COMPLETIONS)

    assert shortest(prompt) is None


FC: dict[str, Any] = {"type": "function_call", "name": "f", "arguments": "{}"}
INPUT: list[dict[str, Any]] = [
    {"role": "developer", "content": LONG},
    {"role": "user", "content": LONG},
    {"type": "reasoning", "id": "r1", "summary": []},
    FC | {"call_id": "1"},
    FC | {"call_id": "2"},
    {"type": "function_call_output", "call_id": "1", "output": LONG},
    {"type": "function_call_output", "call_id": "2", "output": LONG},
    {"type": "message", "role": "assistant", "content": LONG},
    {"role": "user", "content": LONG},
]
BLOCKS: list[dict[str, Any]] = [
    {"role": "user", "content": LONG},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": LONG}]},
    {"role": "assistant", "content": LONG},
    {"role": "user", "content": [{"type": "text", "text": LONG}]},
]
CONTENTS: list[dict[str, Any]] = [
    {"parts": [{"text": LONG}]},
    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"r": LONG}}}]},
    {"role": "model", "parts": [{"text": LONG}]},
    {"role": "user", "parts": [{"text": LONG}]},
]


def test_every_dialects_conversation_loses_its_middle_and_keeps_the_rest() -> None:
    responses = msgspec.json.encode({"model": "m", "input": INPUT, "temperature": 0.5})
    anthropic = msgspec.json.encode({"model": "m", "max_tokens": 9, "messages": BLOCKS})
    gemini = msgspec.json.encode({"contents": CONTENTS})

    kept = []
    for spoken, name in (
        (read_spoken_request(responses, Dialect.RESPONSES), "input"),
        (read_spoken_request(anthropic, Dialect.ANTHROPIC), "messages"),
        (read_gemini_request(gemini, model="m", stream=True, array=True), "contents"),
    ):
        found = shortest(spoken)
        assert found is not None
        assert isinstance(found.asked, Spoken)
        assert (found.asked.model, found.asked.stream) == ("m", spoken.stream)
        assert found.asked.array == spoken.array
        kept.append((found.removed, msgspec.json.decode(found.asked.body)[name]))

    assert kept == [
        (6, [INPUT[0], INPUT[1], INPUT[8]]),
        (3, [BLOCKS[0], BLOCKS[4]]),
        (3, [CONTENTS[0], CONTENTS[4]]),
    ]


def test_a_thought_goes_with_the_call_that_it_leads_to() -> None:
    sealed = [each for each in INPUT if each.get("type") != "message"]
    steps = [*sealed, *sealed[2:]]
    body = msgspec.json.encode({"model": "m", "input": steps})

    found = shorten(read_spoken_request(body, Dialect.RESPONSES), lambda _: True)

    assert found is not None
    assert isinstance(found.asked, Spoken)
    left = [each.get("type") for each in msgspec.json.decode(found.asked.body)["input"]]
    assert found.removed == 5
    assert left == [
        None,
        None,
        None,
        "reasoning",
        *["function_call"] * 2,
        *["function_call_output"] * 2,
        None,
    ]


def test_one_text_has_no_middle() -> None:
    body = b'{"model": "m", "input": "hello"}'

    assert shortest(read_spoken_request(body, Dialect.RESPONSES)) is None


IDS = st.sampled_from(["x", "y", "z"])
MESSAGES = st.lists(
    st.one_of(
        st.sampled_from(["system", "developer", "user", "assistant"]).map(says),
        st.lists(IDS, min_size=1, max_size=3, unique=True).map(lambda ids: calls(*ids)),
        IDS.map(result),
    ),
    max_size=14,
)


@given(MESSAGES, st.integers(0, 8_000))
def test_whatever_stays_is_whole_in_order_and_no_result_has_lost_its_call(
    messages: list[dict[str, Any]], most: int
) -> None:
    marked = [{**each, "name": str(place)} for place, each in enumerate(messages)]

    found = shorten(asked(*marked), lambda each: _chars(each) <= most)

    if found is None:
        return
    kept = [int(each) for each in texts(found)]
    assert kept == sorted(set(kept))
    assert found.removed == len(marked) - len(kept) > 0
    assert _chars(found.asked) <= most
    rules = {p for p, each in enumerate(messages) if each["role"] in {"system", "developer"}}
    assert rules <= set(kept)
    talk = [place for place in range(len(messages)) if place not in rules]
    assert {talk[0], talk[-1]} <= set(kept)
    for place, call in enumerate(_calls_of(messages)):
        if call is not None:
            assert (call in kept) == (place in kept)


def _calls_of(messages: list[dict[str, Any]]) -> list[int | None]:
    """Return for each message the place of the call it is the result of."""
    open_calls: dict[str, int] = {}
    found: list[int | None] = []
    for place, each in enumerate(messages):
        for call in each.get("tool_calls", ()):
            open_calls[call["id"]] = place
        found.append(open_calls.get(each.get("tool_call_id", "")))
    return found

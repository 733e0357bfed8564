"""A question to a certain resolver, and its answers."""

from __future__ import annotations

import asyncio

import pytest

from spillover.doctor.probe.resolver import addresses_by, addresses_in, question
from tests.doctor.responder import answer_to, responder


def test_a_resolver_is_asked_and_answers() -> None:
    async def run() -> tuple[str, ...]:
        async with responder({"api.groq.com": ("192.0.2.7", "192.0.2.8")}) as address:
            return await addresses_by(address, "api.groq.com")

    assert asyncio.run(run()) == ("192.0.2.7", "192.0.2.8")


def test_a_name_that_there_is_not_is_told() -> None:
    async def run() -> None:
        async with responder({}) as address:
            await addresses_by(address, "nobody.test")

    with pytest.raises(ValueError, match="no such name"):
        asyncio.run(run())


def test_a_question_has_its_labels_and_asks_for_recursion() -> None:
    asked = question("api.groq.com.", 7)

    assert asked[:4] == b"\x00\x07\x01\x00"
    assert b"\x03api\x04groq\x03com\x00\x00\x01\x00\x01" in asked
    with pytest.raises(ValueError, match="no name"):
        question("a..b", 7)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"\x00\x07", "can't be read"),
        (b"\x00\x08" + bytes(10), "another question"),
        (answer_to(question("a.test", 7), ("192.0.2.1",))[:-6], "can't be read"),
        (b"\x00\x07\x81\x82" + bytes(8), r"said no \(2\)"),
    ],
    ids=["short", "another", "cut", "refused"],
)
def test_what_is_no_answer_is_refused(answer: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        list(addresses_in(answer, 7))


def test_records_of_other_kinds_are_passed_over() -> None:
    asked = question("a.test", 7)
    alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c"
    whole = answer_to(asked, ("192.0.2.1",))
    head, records = whole[: len(asked)], whole[len(asked) :]
    both = head[:6] + b"\x00\x02" + head[8:] + alias + records

    assert list(addresses_in(both, 7)) == ["192.0.2.1"]

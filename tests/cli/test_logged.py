"""Lines of the log are chosen by what they tell of, and told to people as events are."""

from __future__ import annotations

import pytest

from spillover.cli.logged import Choice, drawn, read
from spillover.core.levels import LogLevel
from spillover.events.kinds import LimitReached, RequestDone, RequestFallback, to_json

DONE = RequestDone(
    at=1_800_000_000.0,
    request_id="019ac1a2b3c001ab12",
    chain="default",
    profile="glm",
    outcome="served",
    trail="groq:rate_limited,glm:ok",
    took_ms=12.5,
    input_tokens=5,
    output_tokens=7,
)
FELL_BACK = RequestFallback(
    at=1_800_000_000.0,
    request_id="019ac1a2b3c001ab12",
    chain="default",
    source="groq",
    to="glm",
    cause="rate_limited",
    until=1_800_000_042.0,
)


def line(body: bytes, level: str = "info") -> dict[str, object]:
    found = read(b'{"level":"%s",' % level.encode() + body[1:])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), True),
        (Choice(request="019ac1"), True),
        (Choice(request="29ac1"), False),
        (Choice(profile="glm"), True),
        (Choice(profile="groq"), True),
        (Choice(profile="gro"), False),
        (Choice(level=LogLevel.INFO), True),
        (Choice(level=LogLevel.WARNING), False),
        (Choice(since=1_799_999_999.0), True),
        (Choice(since=1_800_000_001.0), False),
    ],
)
def test_a_line_is_taken_by_request_profile_level_and_age(choice: Choice, *, taken: bool) -> None:
    assert choice.takes(line(to_json(DONE))) is taken


@pytest.mark.parametrize(
    "choice",
    [
        Choice(request="019ac1"),
        Choice(profile="groq"),
        Choice(profile="glm"),
        Choice(level=LogLevel.WARNING),
        Choice(level=LogLevel.ERROR),
    ],
)
def test_every_line_that_is_taken_holds_one_of_the_texts(choice: Choice) -> None:
    for event in (DONE, FELL_BACK):
        for level in LogLevel:
            body = b'{"level":"%s",' % level.value.encode() + to_json(event)[1:]
            fields = read(body)
            assert fields is not None
            if choice.takes(fields):
                assert any(text in body for text in choice.holding)


@pytest.mark.parametrize(
    "choice",
    [Choice(), Choice(request='a"b'), Choice(profile="\u00e9"), Choice(level=LogLevel.INFO)],
)
def test_nothing_is_left_out_unseen_where_json_may_write_it_otherwise(choice: Choice) -> None:
    assert choice.holding == ()


def test_who_fell_back_and_onto_whom_both_had_to_do_with_it() -> None:
    told = line(to_json(FELL_BACK))

    assert Choice(profile="groq").takes(told)
    assert Choice(profile="glm").takes(told)


def test_a_message_is_of_the_request_that_it_names() -> None:
    told = line(b'{"at":"2027-01-15T08:00:00Z","type":"log","message":"failed (request abc)"}')

    assert Choice(request="abc").takes(told)
    assert not Choice(request="abd").takes(told)


def test_events_are_told_in_the_words_of_the_gateway() -> None:
    lines = [drawn(line(to_json(each))).plain[21:] for each in (DONE, FELL_BACK)]
    limit = LimitReached(at=1.0, profile="groq", limit="requests_per_day", amount=3)

    assert lines == [
        "info     glm  served, 12 tokens, 12 ms  019ac1a2b3c001ab12",
        "info     groq ▸ glm  rate limited, back in 42 s  019ac1a2b3c001ab12",
    ]
    assert "groq has no room under requests_per_day" in drawn(line(to_json(limit))).plain


def test_a_message_is_shown_with_its_trace() -> None:
    told = line(
        b'{"at":"2027-01-15T08:00:00Z","type":"log","logger":"a.b","message":"m","traceback":"x\\ny"}',
        "error",
    )

    assert drawn(told).plain[21:] == "error    a.b: m\n    x\n    y"


def test_what_a_newer_version_tells_is_shown_by_its_fields() -> None:
    told = line(b'{"at":"never","type":"a.b","n":1,"s":"x"}', "grave")

    assert drawn(told).plain[21:] == 'info     a.b n=1 s="x"'


@pytest.mark.parametrize("torn", [b"", b"\x00\xff", b'{"at":', b"[1]", b'{"at":"2027"}'])
def test_a_torn_line_is_none(torn: bytes) -> None:
    assert read(torn) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        b'{"at":5,"level":"info","type":"log"}',
        b'{"at":"x","level":["info"],"type":"log"}',
        b'{"at":"x","level":"info","type":{}}',
        b'{"at":"x","level":"info","type":"log","message":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}",
    ],
)
def test_a_line_that_is_not_as_we_write_them_is_passed_over(spoilt: bytes) -> None:
    assert read(spoilt) is None


def test_a_message_of_several_lines_forges_none() -> None:
    told = line(
        b'{"at":"2027-01-15T08:00:00Z","type":"log","logger":"x","message":"a\\n2027 error b"}'
    )

    assert "a\n    2027 error b" in drawn(told).plain

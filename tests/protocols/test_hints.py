"""Reading what a provider says of a failure, in every shape that is met in the wild."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import Evidence, Shape
from spillover.core.failures import classify
from spillover.core.values import CalendarUnit, FailureClass, Source
from spillover.protocols.hints import HEAD_CHARS, MOST_TEXT_CHARS, TAIL_CHARS, read_error

NOW = 1_790_000_000.0


class Recorded(msgspec.Struct, kw_only=True):
    """A line of `recorded_errors.jsonl`: an answer as a provider gave it, and what it means."""

    id: str
    provider: str
    status: int | None
    headers: dict[str, str] = {}
    body: str
    failure: FailureClass | None
    exception: str | None = None
    stream: bool = False
    wait_s: float | None
    window: CalendarUnit | None = None
    elsewhere: bool = False
    source: str


RECORDED = [
    case
    for case in msgspec.json.Decoder(Recorded).decode_lines(
        Path(__file__).with_name("recorded_errors.jsonl").read_bytes()
    )
    if case.exception is None and not case.stream and case.id != "429-inside-200-content"
]
"""What is one answer's body; `test_records` tries streams and exceptions too."""


def test_quotas_that_google_names_are_stated_as_limits() -> None:
    recorded = next(each for each in RECORDED if each.id == "gemini-429-perday-page")

    found = read(recorded.body, recorded.status)

    assert [(each.name, each.limit, each.remaining) for each in found.limits] == [
        ("requests_per_day", 250, 0)
    ]
    assert read('{"violations": "none"}').limits == ()


def read(body: str | bytes, status: int | None = 400, **headers: str) -> Evidence:
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_error(provider="somebody", status=status, headers=named, body=raw)


@pytest.mark.parametrize("case", RECORDED, ids=[case.id for case in RECORDED])
def test_a_recorded_error_is_recognised(case: Recorded) -> None:
    evidence = read_error(
        provider=case.provider,
        status=case.status,
        headers=case.headers,
        body=case.body.encode(),
    )

    found = classify(evidence, now=NOW)

    assert found.failure is case.failure
    assert case.window is None or found.quota_window is case.window
    assert found.retry_elsewhere or not case.elsewhere
    if found.permanent or case.wait_s is None:
        assert found.stated_wait_s is None
    else:
        assert found.stated_wait_s == pytest.approx(case.wait_s, abs=0.001)


@pytest.mark.parametrize(
    ("body", "shape", "message", "codes"),
    [
        (
            '{"error": {"message": "Slow down", "type": "tokens", "code": "rate_limit_exceeded"}}',
            Shape.STRUCTURED,
            "Slow down",
            ("tokens", "rate_limit_exceeded"),
        ),
        (
            '[{"error": {"message": "Too long", "code": 400}}]',
            Shape.STRUCTURED,
            "Too long",
            ("400",),
        ),
        ('{"error": "server busy"}', Shape.STRUCTURED, "server busy", ()),
        (
            '{"message": "Rate limit exceeded", "type": "rate_limited", "code": "1300"}',
            Shape.STRUCTURED,
            "Rate limit exceeded",
            ("rate_limited", "1300"),
        ),
        ('{"detail": "Unauthorized"}', Shape.STRUCTURED, "Unauthorized", ()),
        (
            '{"success": false, "errors": [{"code": 3036, "message": "All used up"}]}',
            Shape.STRUCTURED,
            "All used up",
            ("3036",),
        ),
        (
            '{"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}',
            Shape.STRUCTURED,
            "insufficient balance",
            ("1008",),
        ),
        (
            '{"status": 404, "title": "Not Found", "detail": "No such function"}',
            Shape.STRUCTURED,
            "Not Found: No such function",
            ("404",),
        ),
        (
            (
                '{"error": {"message": "{\\"error\\": {\\"message\\": \\"Bad key\\", '
                '\\"status\\": \\"INVALID\\"}}"}}'
            ),
            Shape.STRUCTURED,
            "Bad key",
            ("invalid",),
        ),
        (
            '{"error": {"message": "Upstream said: {\\"message\\": \\"no room\\"}"}}',
            Shape.STRUCTURED,
            "Upstream said: no room",
            (),
        ),
        (
            (
                '{"error": {"message": "Provider returned error", "metadata": '
                '{"raw": "rate-limited upstream"}}}'
            ),
            Shape.STRUCTURED,
            "Provider returned error: rate-limited upstream",
            (),
        ),
        ('{"error": {"message": "see {docs}"}}', Shape.STRUCTURED, "see {docs}", ()),
        (
            '{"code": "The caller may not do this", "error": "no credits"}',
            Shape.STRUCTURED,
            "no credits",
            (),
        ),
        (
            '{"promptFeedback": {"blockReason": "OTHER"}}',
            Shape.STRUCTURED,
            "",
            ("other", "prompt_blocked"),
        ),
        ('{"error": null}', Shape.STRUCTURED, "", ()),
        ('"just a text"', Shape.STRUCTURED, "just a text", ()),
        (
            "<html><head><title>502 Bad &amp; Gateway</title></head></html>",
            Shape.HTML,
            "502 Bad & Gateway",
            (),
        ),
        ("<h1>Down for maintenance</h1>", Shape.HTML, "Down for maintenance", ()),
        ("<p>hello</p>", Shape.HTML, "an HTML page", ()),
        ("upstream\n  connect error", Shape.PLAIN, "upstream connect error", ()),
        ("  \n", Shape.NOTHING, "", ()),
        ("", Shape.NOTHING, "", ()),
        (
            (
                'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", '
                '"message": "Overloaded"}}\n\n'
            ),
            Shape.STRUCTURED,
            "Overloaded",
            ("overloaded_error",),
        ),
        (
            ': wait\n\ndata: {"error": {"message": "no"}}\n\ndata: [DONE]\n\n',
            Shape.STRUCTURED,
            "no",
            (),
        ),
        (": keep-alive\n\n", Shape.NOTHING, "", ()),
    ],
)
def test_any_shape_of_body_is_read(
    body: str, shape: Shape, message: str, codes: tuple[str, ...]
) -> None:
    evidence = read(body)

    assert evidence.shape is shape
    assert evidence.message == message
    assert evidence.codes == codes


def test_the_field_that_was_rejected_is_named_and_its_value_is_not() -> None:
    body = '{"detail": [{"loc": ["body", "tools", 0], "msg": "not permitted", "input": "secret"}]}'

    evidence = read(body, 422)

    assert evidence.message == "body.tools.0: not permitted"
    assert "secret" not in evidence.text


def test_the_most_telling_code_is_a_word() -> None:
    assert read('{"code": 400, "type": "invalid_request_error"}').code == "invalid_request_error"
    assert read('{"code": 1300}').code == "1300"
    assert read('{"message": "no"}').code is None


def test_a_code_that_says_nothing_is_left_out() -> None:
    assert read('{"type": "error", "code": "", "status": 0, "reason": null}').codes == ()


def test_a_code_too_long_to_be_one_is_read_as_words() -> None:
    evidence = read('{"code": "%s"}' % ("x" * 65))

    assert evidence.codes == ()
    assert evidence.text == "x" * 65


def test_the_names_of_quotas_are_for_patterns_not_for_people() -> None:
    body = (
        '{"error": {"details": [{"violations": [{"quotaId": "RequestsPerDay", "quotaValue": 3}]}]}}'
    )

    evidence = read(body, 429)

    assert evidence.text == "requestsperday"
    assert evidence.message == ""


def test_a_name_of_a_quota_that_is_no_text_is_passed_over() -> None:
    assert read('{"metadata": {"quotaId": 7}}').text == ""


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (200, '{"error": {"code": 429}}', 429),
        (200, '{"error": {"code": "503", "status": 504}}', 503),
        (200, '{"error": {"code": 1302}}', 200),
        (None, '{"error": {"code": 500}}', 500),
        (None, '{"error": {"message": "no"}}', None),
        (502, '{"error": {"code": 503}}', 502),
        (200, '{"error": {"code": true}}', 200),
        (200, '{"error": {"code": 99999999999999999999}}', 200),
        (200, '{"error": {"code": "²"}}', 200),
    ],
)
def test_a_status_in_the_body_counts_when_the_answer_came_as_fine(
    status: int | None, body: str, seen: int | None
) -> None:
    assert read(body, status).status == seen


def test_a_wait_in_headers_is_kept_with_its_source() -> None:
    evidence = read('{"error": "slow down"}', 429, retry_after="7")

    assert evidence.stated_wait_s == 7
    assert evidence.source is Source.HEADER


def test_a_wait_deep_in_the_body_is_found() -> None:
    body = '{"error": {"details": [{"@type": "x.RetryInfo", "retryDelay": "26s"}]}}'

    evidence = read(body, 429)

    assert evidence.stated_wait_s == 26
    assert evidence.source is Source.BODY


def test_headers_repeated_in_the_body_are_read() -> None:
    body = (
        '{"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "0", '
        '"X-RateLimit-Reset": "1783519740000"}}}}'
    )

    assert read(body, 429).reset_at == 1_783_519_740.0


def test_headers_tell_of_the_error_too() -> None:
    named = read('{"message": "no"}', 429, x_amzn_errortype="ThrottlingException:http://aws/")
    told = read("", 402, x_error_message="You have depleted your monthly included credits.")
    counted = read('{"error": "no"}', 429, x_ratelimit_type="UserByModelByDay")
    spent = read('{"error": "no"}', 429, x_ratelimit_remaining_tokens_day="0")

    assert named.codes == ("throttlingexception",)
    assert told.message == "You have depleted your monthly included credits."
    assert "userbymodelbyday" in counted.text
    assert counted.message == "no"
    assert classify(spent, now=NOW).quota_window is CalendarUnit.DAY


def test_a_name_of_aws_in_the_body_loses_its_address() -> None:
    assert read('{"__type": "com.amazon.coral#ThrottlingException"}').codes == (
        "throttlingexception",
    )


def test_a_python_clients_quote_of_an_error_is_read() -> None:
    quoted = (
        "Error code: 429 - {'error': {'message': \"You can't\", 'type': 'tokens', 'param': None, "
        "'code': 'insufficient_quota'}}"
    )
    broken = "Error code: 429 - {'error': {'message'}"
    long = "Error: {'error': '" + "x" * 70_000 + "'}"

    plain = read(quoted, 429)
    relayed = read(msgspec.json.encode({"error": {"message": quoted}}), 429)

    assert relayed.codes == ("tokens", "insufficient_quota")
    assert plain.codes == ("tokens", "insufficient_quota")
    assert read(broken, 429).message == broken
    assert read(msgspec.json.encode({"error": long}), 429).codes == ()


def test_json_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    body = (
        '{"detail": [{"msg": "Extra inputs are not permitted", "code": 422, "type": '
        '"extra_forbidden", "ctx": "not this", "input": "a very long prompt'
    )

    evidence = read(body, 422)

    assert evidence.shape is Shape.GARBAGE
    assert evidence.message == "Extra inputs are not permitted"
    assert evidence.codes == ("422", "extra_forbidden")
    assert "prompt" not in evidence.text


def test_a_cut_off_string_with_a_broken_escape_is_passed_over() -> None:
    assert read(b'{"message": "\\x", "code": 7').message == ""


def test_json_that_is_not_utf_8_is_read_as_far_as_it_goes() -> None:
    evidence = read(b'{"message": "caf\xe9", "code": "busy"}')

    assert evidence.shape is Shape.GARBAGE
    assert evidence.codes == ("busy",)


def test_what_leads_an_error_in_is_said_before_it() -> None:
    evidence = read('RateLimitError: Error code: 429 - {"error": {"message": "Slow down."}}')

    assert evidence.message == "RateLimitError: Error code: 429: Slow down."


def test_json_of_an_unbearable_size_is_scanned_not_parsed() -> None:
    body = '{"message": "too much", "input": "%s"}' % ("x" * 2_000_000)

    evidence = read(body)

    assert evidence.shape is Shape.GARBAGE
    assert evidence.message == "too much"


def test_json_of_an_unbearable_depth_is_left_alone() -> None:
    nested = read('{"error":' * 50 + '"deep"' + "}" * 50)
    endless = read("[" * 100_000)

    assert nested.message == ""
    assert endless.shape is Shape.GARBAGE


def test_json_of_an_unbearable_breadth_is_read_in_part() -> None:
    body = msgspec.json.encode([{"message": f"number {n}"} for n in range(10_000)])

    evidence = read(body)

    assert evidence.message.startswith("number 0: number 1")
    assert len(evidence.message) <= MOST_TEXT_CHARS


def test_a_long_text_is_cut() -> None:
    evidence = read("start " + "x" * 100_000)

    assert len(evidence.message) == MOST_TEXT_CHARS
    assert len(evidence.text) == HEAD_CHARS + TAIL_CHARS + 1


def test_a_long_text_keeps_its_start_and_its_end() -> None:
    evidence = read("Rate limit reached. " + "word " * 500 + "Please try again in 7s.", 429)

    assert evidence.text.startswith("rate limit reached.")
    assert evidence.stated_wait_s == 7


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "details", "status", "raw", "loc", "msg"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.none() | st.integers(200, 599))
def test_any_json_is_read_without_harm(value: object, status: int | None) -> None:
    evidence = read(msgspec.json.encode(value), status)

    assert classify(evidence, now=NOW).failure in FailureClass


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_harm(body: bytes) -> None:
    assert classify(read(body, 500), now=NOW).failure in FailureClass

"""One send and its answer: streams to the byte, usage wherever it is told, every way to break."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from spillover.events import RequestDone
from spillover.simulator import FAULTS, Break, Complaint, Fault, ProviderSpec
from tests.engine.staging import (
    DONE,
    HELLO,
    ROLE,
    SSE,
    STREAM_HEAD,
    content,
    document,
    finish,
    never_asked,
    opened,
    plays,
    short,
    staged,
    upstream_of,
)
from tests.waiting import eventually

WANTS_USAGE = {**HELLO, "stream_options": {"include_usage": True}}
USAGE = (
    b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}\n\n'
)
WHOLE = (
    ROLE
    + b": ping\n\n"
    + content("Grüße, 世界 ")
    + b"event: ping\ndata: {}\n\n"
    + content("and more")
    + finish()
    + USAGE
    + DONE
)
ONCE = {"retries": {"server_error": 0, "bad_gateway": 0, "network": 0}}
PACED = ProviderSpec(events_per_s=200.0)
"""Slow enough that content has left before the stream breaks."""


def sent(body: bytes, *, split: int | None = None, encoding: Any = None) -> Fault:
    return Fault(status=200, headers=SSE, body=body.decode(), split=split, encoding=encoding)


# Byte for byte.


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("split", [None, 1, 2, 3, 7, 64])
@pytest.mark.parametrize("encoding", [None, "gzip"])
@plays
async def test_events_are_relayed_byte_for_byte_however_they_are_cut(
    line_end: bytes, split: int | None, encoding: str | None
) -> None:
    body = WHOLE.replace(b"\n", line_end)

    async with staged("generic") as stage:
        stage.first.script(sent(body, split=split, encoding=encoding))

        got = await stage.stream(WANTS_USAGE)

    assert hashlib.sha256(got.body).digest() == hashlib.sha256(body).digest()


@plays
async def test_only_the_usage_event_is_dropped_when_the_client_did_not_ask_for_it() -> None:
    async with staged("generic") as stage:
        stage.first.script(sent(WHOLE, split=5))

        got = await stage.stream()

        assert got.body == WHOLE.replace(USAGE, b"")
        assert stage.used("p0") == (1, 7, 5)


@pytest.mark.parametrize("empty", [b"data: \n\n", b"id: 3\nretry: 10\n\n", b"event: ping\n\n"])
@plays
async def test_events_without_data_that_official_clients_break_over_are_dropped(
    empty: bytes,
) -> None:
    body = ROLE + empty + content("whole") + empty + finish() + DONE

    async with staged("generic") as stage:
        stage.first.script(sent(body))

        got = await stage.stream()

    assert got.body == body.replace(empty, b"")


@plays
async def test_a_last_event_without_its_empty_line_is_read_and_relayed() -> None:
    body = content("whole") + finish().rstrip()

    async with staged("generic") as stage:
        stage.first.script(sent(body))

        got = await stage.stream()

    assert got.body == body + b"\n\n" + DONE


@pytest.mark.parametrize("begun", ["d", "data", "data:", "data: ", 'data: {"cho', "event: x", ":"])
@plays
async def test_a_line_that_was_cut_off_is_not_relayed(begun: str) -> None:
    async with staged("generic", chain=ONCE) as stage:
        stage.first.script(sent(content("half") + begun.encode()))

        got = await stage.stream()

    events = got.body.split(b"\n\n")
    assert events[0] + b"\n\n" == content("half")
    assert b"stream_interrupted" in events[1]
    assert events[2:] == [b""]


@plays
async def test_an_id_that_can_not_stand_in_a_header_costs_nobody_the_answer() -> None:
    async with staged("generic") as stage:
        stage.first.script(Fault(headers={"x-request-id": "up-\x1b[31m"}))

        got = await stage.ask()

    assert got.status == 200
    assert "x-upstream-request-id" not in got.headers


@plays
async def test_a_client_that_never_reads_on_holds_no_room_beyond_the_total_time() -> None:
    spec = ProviderSpec(events=1_000, answer="x" * 1_000)
    chain = short(total="300ms")
    async with staged(spec, chain=chain, profiles={"p0": {"limits": {"concurrency": 1}}}) as stage:
        answered = await stage.engine.answer(stage.call({**HELLO, "stream": True}))
        chunks = aiter(answered)
        assert answered.status == 200
        await anext(chunks)

        await stage.settles()

        assert stage.status("p0")["limits"][0]["reserved"] == 0
        assert b"stream_interrupted" in [chunk async for chunk in chunks][-1]


@plays
async def test_a_stream_called_plain_text_is_relayed_as_it_comes() -> None:
    gate = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD.replace(b"text/event-stream", b"text/plain"))
        writer.write(content("early"))
        await gate.wait()
        writer.write(finish() + DONE)

    async with upstream_of(answer) as base_url, opened(document([base_url])) as client:
        answered = await client.engine.answer(client.call({**HELLO, "stream": True}))
        chunks = aiter(answered)
        first = await anext(chunks)
        gate.set()
        rest = [chunk async for chunk in chunks]

    assert first == content("early")
    assert b"".join(rest) == finish() + DONE


# Usage.


@pytest.mark.parametrize(
    "flavour", ["generic", "openai", "groq", "gemini", "openrouter", "mistral", "ollama"]
)
@pytest.mark.parametrize("split", [None, 11])
@pytest.mark.parametrize("wants", [True, False], ids=["asked", "not asked"])
@plays
async def test_a_streams_usage_is_counted_as_the_provider_counts_it(
    flavour: str, split: int | None, *, wants: bool
) -> None:
    async with staged(flavour) as stage:
        stage.first.script(Fault(split=split))

        got = await stage.stream(WANTS_USAGE if wants else HELLO)

        await stage.settles()
        counted = stage.first.counters()
        assert got.is_whole
        assert stage.used("p0") == (1, counted.input_tokens, counted.output_tokens)
        assert stage.status("p0")["estimated_calls"] == 0
        assert any(not d["choices"] for d in got.documents) is (
            wants and flavour not in {"gemini", "mistral"}
        )


@plays
async def test_usage_is_asked_for_where_the_provider_allows_it_and_only_there() -> None:
    async with staged("groq", "mistral") as stage:
        await stage.stream()
        asked = stage.last_sent()
        await stage.stream({**WANTS_USAGE, "model": "p1"})

        assert asked["stream_options"] == {"include_usage": True}
        assert "stream_options" not in stage.last_sent(1)


@pytest.mark.parametrize("status", [400, 422])
@plays
async def test_refused_stream_options_are_left_out_at_once_and_from_then_on(status: int) -> None:
    async with staged("generic") as stage:
        stage.first.script(FAULTS[f"no_stream_options_{status}"], times=None)

        first = await stage.stream()
        second = await stage.stream(WANTS_USAGE)

        assert first.trail == "p0:bad_request,p0:ok"
        assert first.headers["x-spillover-attempts"] == "2"
        assert second.trail == "p0:ok"
        assert first.is_whole
        assert second.is_whole
        assert stage.status("p0")["status"] == "active"
        assert stage.status("p0")["estimated_calls"] == 2
        assert stage.used("p0")[0] == 3


@plays
async def test_without_reported_usage_the_relayed_text_is_estimated() -> None:
    async with staged(ProviderSpec(answer="word " * 80)) as stage:
        stage.first.script("no_usage")

        await stage.stream()

        requests, spent, written = stage.used("p0")
        assert (requests, spent) == (1, 5)
        assert written == pytest.approx(100, rel=0.1)
        assert stage.status("p0")["estimated_calls"] == 1
        assert not stage.events(RequestDone)[0].reported


# The commit point.


@pytest.mark.parametrize(
    ("flavour", "fault", "cause"),
    [
        ("generic", "keepalive_only", "timeout"),
        ("generic", "stall_before_content", "timeout"),
        ("openrouter", "keepalive_only", "timeout"),
        ("generic", "cut_before_content", "network"),
        ("generic", "error_before_content", "overloaded"),
        ("generic", "error_in_200", "rate_limited"),
        ("generic", "empty_stream", "server_error"),
        ("gemini", "error_before_content", "overloaded"),
    ],
)
@plays
async def test_what_fails_before_content_falls_back_unseen(
    flavour: str, fault: str, cause: str
) -> None:
    chain = {**ONCE, **short(first_token="100ms")}

    async with staged(flavour, "generic", chain=chain) as stage:
        stage.first.script(fault)

        got = await stage.stream()

    assert got.trail == f"p0:{cause},p1:ok"
    assert got.is_whole
    assert b"model-0" not in got.body
    assert "model-1" in got.text


@plays
async def test_an_error_in_the_same_breath_as_the_first_content_falls_back_unseen() -> None:
    body = ROLE + content("half") + b'data: {"error":{"message":"overloaded","code":503}}\n\n'

    async with staged("generic", "generic") as stage:
        stage.first.script(sent(body))

        got = await stage.stream()

    assert got.trail == "p0:overloaded,p1:ok"
    assert "half" not in got.text


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (
            '{"error":{"message":"Rate limit exceeded","code":"rate_limit_exceeded"}}',
            "rate_limited",
        ),
        ("<html>\n\n<title>502 Bad Gateway</title>\n\n</html>", "server_error"),
        (
            '{\n\n "error":\n\n {"message": "Invalid API key", "code": "invalid_api_key"}}',
            "auth_invalid",
        ),
        ("", "server_error"),
        ("upstream connect error", "server_error"),
        (
            '{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}',
            "server_error",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/html"])
@plays
async def test_what_is_no_stream_is_read_as_the_error_it_is(
    body: str, cause: str, kind: str
) -> None:
    fault = Fault(status=200, body=body, headers={"content-type": kind})

    async with staged("generic", "generic", chain=ONCE) as stage:
        stage.first.script(fault)

        got = await stage.stream()

    assert got.trail == f"p0:{cause},p1:ok"


@plays
async def test_a_stream_without_content_is_not_held_without_bound() -> None:
    async with staged("generic", "generic", chain=ONCE) as stage:
        stage.first.script(sent((b": waiting" + b"." * 1_000 + b"\n\n") * 1_200))

        got = await stage.stream()

    assert got.trail == "p0:server_error,p1:ok"


# Whole answers.


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("error_in_200", "rate_limited"),
        ("html_502", "bad_gateway"),
        ("html_520", "server_error"),
        ("html_200", "server_error"),
        ("empty_200", "server_error"),
        ("no_choices", "server_error"),
        ("malformed_json", "server_error"),
        ("not_http", "server_error"),
        ("reset_before_head", "network"),
        ("close_before_head", "network"),
        ("cut", "network"),
        ("reset", "network"),
        ("silence", "timeout"),
        ("stall", "timeout"),
    ],
)
@plays
async def test_a_broken_whole_answer_falls_back_unseen(fault: str, cause: str) -> None:
    chain = {**ONCE, **short(total="100ms")}

    async with staged("generic", "generic", chain=chain) as stage:
        stage.first.script(fault)

        got = await stage.ask()

        assert got.status == 200
        assert got.trail == f"p0:{cause},p1:ok"
        assert stage.status("p0")["status"] == "cooldown"
        assert stage.used("p0") == (1, 0, 0)
        assert stage.settled


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("split", [None, 3])
@plays
async def test_a_compressed_answer_is_handed_on_in_the_clear(
    encoding: Any, split: int | None
) -> None:
    async with staged("generic") as stage:
        stage.first.script(Fault(encoding=encoding, split=split), times=2)

        whole = await stage.ask()
        stream = await stage.stream()

        assert "model-0" in whole.text
        assert "content-encoding" not in whole.headers
        assert stream.text == whole.text


SPOKEN = "Rate limit exceeded. Please try again later."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("said", "is_looked_for", "trail"),
    [
        (SPOKEN, True, "p0:rate_limited,p1:ok"),
        (SPOKEN, False, "p0:ok"),
        ("Hello.", True, "p0:ok"),
    ],
)
@plays
async def test_error_told_as_text_falls_back_where_that_is_looked_for(
    said: str, trail: str, *, is_looked_for: bool, stream: bool
) -> None:
    own = {"p0": {"errors_in_text": is_looked_for}}
    async with staged(ProviderSpec(answer=said), "generic", profiles=own) as stage:
        if stream:
            stage.first.script(sent(ROLE + content(said) + finish() + DONE))
        got = await stage.ask({**HELLO, "stream": stream})

        assert (got.status, got.trail) == (200, trail)
        assert (said in got.text) is (got.profile == "p0")
        await stage.settles()


@plays
async def test_the_status_of_an_error_counts_though_its_body_breaks_off() -> None:
    fault = Fault(error=Complaint.RATE_LIMITED, break_=Break.RESET, after=0, status=429)

    async with staged("generic", "generic") as stage:
        stage.first.script(fault)

        got = await stage.ask()

    assert got.trail == "p0:rate_limited,p1:ok"


@plays
async def test_an_errors_endless_body_is_not_read_to_its_end() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nconnection: close\r\n\r\n")
        for _ in range(64):
            writer.write(b"busy " * 100_000)
            await writer.drain()

    async with upstream_of(answer) as base_url, opened(document([base_url])) as client:
        got = await client.ask()

    assert got.trail == "p0:overloaded"
    assert len(got.body) < 2_000


# Time limits.


@plays
async def test_the_first_content_has_its_time_limit() -> None:
    async with staged("generic", "generic", chain=short(first_token="100ms")) as stage:
        stage.first.script(Fault(first_token_s=5.0))

        got = await stage.stream()

        assert got.trail == "p0:timeout,p1:ok"
        assert stage.status("p0")["reason"] == "timeout"
        await eventually(lambda: stage.first.counters().in_flight == 0)


@pytest.mark.parametrize("stream", [True, False])
@plays
async def test_a_request_that_runs_out_of_its_deadline_benches_nobody(*, stream: bool) -> None:
    async with staged("generic", "generic", chain=short(deadline="100ms")) as stage:
        stage.first.script("silence")

        got = await stage.ask({**HELLO, "stream": stream})

        assert (got.status, got.code) == (504, "deadline_exceeded")
        assert got.trail == "p0:timeout"
        assert stage.status("p0")["status"] == "active"
        assert stage.sent_to(1) == 0
        assert stage.settled


@plays
async def test_connecting_has_its_time_limit() -> None:
    # A server that takes connections and never shakes hands.
    async with upstream_of(never_asked) as base_url:
        url = base_url.replace("http:", "https:")
        written = document([url], chain=short(connect="100ms"))
        async with opened(written) as client:
            got = await client.ask()

            assert got.trail == "p0:timeout"
            assert client.status("p0")["last_error"]["message"] != ""
            assert client.used("p0") == (0, 0, 0)

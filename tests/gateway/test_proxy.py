"""The proxy routes over real sockets: what passes, what falls back, what is refused."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.values import Operation, RoutingPolicy
from spillover.errors import RequestError
from spillover.gateway.proxy import read_call
from spillover.gateway.vigil import DAWDLE_S
from spillover.simulator import Outcome, ProviderSpec, running
from tests.serving import (
    CHAT,
    HELLO,
    Served,
    document_for,
    post_bytes,
    read_all,
    read_until,
    serving,
)
from tests.waiting import wait_until

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider

STREAM = {**HELLO, "stream": True}


def events(body: bytes) -> list[Any]:
    """The events of a stream, `[DONE]` as text."""
    found = [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line]
    return [event if event == "[DONE]" else json.loads(event) for event in found]


def test_an_answer_says_who_gave_it(served: Served) -> None:
    reply = served.chat()

    assert reply.status == 200
    assert reply.headers["x-spillover-chain"] == "default"
    assert reply.headers["x-spillover-profile"] == "one"
    assert reply.headers["x-spillover-attempts"] == "1"
    assert reply.headers["x-spillover-trail"] == "one:ok"
    assert "one" in reply.text


def test_the_upstream_gets_its_own_model_and_key_and_nothing_of_the_clients(
    served: Served, one: SimulatedProvider
) -> None:
    served.post(
        CHAT,
        {**HELLO, "model": "gpt-4o", "safety_identifier": "x", "made_up": {"a": [1, 2.50]}},
        authorization="Bearer client-secret",
        cookie="session=client-secret",
        x_forwarded_for="10.9.8.7",
        openai_organization="client-secret",
        user_agent="client-secret/1.0",
        openai_beta="assistants=v2",
    )

    record = one.records[0]
    assert record.key == "key-of-one"
    assert not record.carries("client-secret")
    assert not record.carries("10.9.8.7")
    assert ("openai-beta", "assistants=v2") in record.raw_headers
    assert json.loads(record.body) == {
        **HELLO,
        "model": "model-one",
        "safety_identifier": "x",
        "made_up": {"a": [1, 2.50]},
    }
    assert b'{"a": [1, 2.5]}' in record.body, "unknown fields keep their bytes"


def test_our_keys_never_come_down(served: Served, one: SimulatedProvider) -> None:
    one.script("unauthorized", times=None)

    reply = served.chat()

    assert "key-of-one" not in str(reply)


def test_a_failure_falls_back_unseen(served: Served, one: SimulatedProvider) -> None:
    one.script("html_502", times=None)

    reply = served.chat()

    assert reply.status == 200
    assert reply.headers["x-spillover-trail"].endswith(",two:ok")
    assert "two" in reply.text


def test_a_failure_before_content_of_a_stream_falls_back_unseen(
    served: Served, one: SimulatedProvider
) -> None:
    one.script("cut_before_content", times=None)

    reply = served.post(CHAT, STREAM)

    assert reply.status == 200
    assert reply.headers["x-spillover-profile"] == "two"
    assert events(reply.body)[-1] == "[DONE]"


def test_a_stream_comes_as_events(served: Served) -> None:
    reply = served.post(CHAT, STREAM)

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-spillover-trail"] == "one:ok"
    *chunks, done = events(reply.body)
    said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert "one" in said
    assert done == "[DONE]"


def test_usage_of_a_stream_is_dropped_unless_the_client_asked(served: Served) -> None:
    without = events(served.post(CHAT, STREAM).body)[:-1]
    asked = served.post(CHAT, {**STREAM, "stream_options": {"include_usage": True}})

    assert not any(chunk.get("usage") for chunk in without)
    assert any(chunk.get("usage") for chunk in events(asked.body)[:-1])


def test_a_stream_cut_after_content_ends_in_an_error_and_never_looks_whole(
    served: Served, one: SimulatedProvider
) -> None:
    one.script("cut")

    reply = served.post(CHAT, STREAM)

    *_, last = events(reply.body)
    assert last["error"]["type"] == "spillover_error"
    assert b"[DONE]" not in reply.body


def test_legacy_completions_are_served(served: Served, one: SimulatedProvider) -> None:
    reply = served.post("/v1/completions", {"prompt": "once upon a time"})

    assert reply.status == 200
    assert reply.json["choices"][0]["text"]
    assert one.records[0].path.endswith("/completions")


def test_embeddings_are_served(served: Served, one: SimulatedProvider) -> None:
    reply = served.post("/v1/embeddings", {"input": ["a", "b"]})

    assert reply.status == 200
    assert len(reply.json["data"]) == 2
    assert one.records[0].path.endswith("/embeddings")


def test_a_packed_body_is_served(served: Served, one: SimulatedProvider) -> None:
    packed = gzip.compress(json.dumps(HELLO).encode())

    reply = served.post(CHAT, packed, content_encoding="gzip")

    assert reply.status == 200
    assert "content-encoding" not in dict(one.records[0].raw_headers)


def test_twenty_megabytes_of_images_pass(served: Served, one: SimulatedProvider) -> None:
    image = base64.b64encode(bytes(range(256)) * 60_000).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}

    reply = served.post(CHAT, {"messages": [{"role": "user", "content": [part]}]})

    assert reply.status == 200
    assert json.loads(one.records[0].body)["messages"][0]["content"] == [part]
    status = served.get("/api/status").json
    assert status["profiles"]["one"]["usage"]["minute"]["tokens"] < 5_000


def test_chunked_bodies_are_read(served: Served) -> None:
    body = json.dumps(HELLO).encode()
    with served.connect() as connection:
        connection.sendall(
            f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
            "connection: close\r\n\r\n".encode()
        )
        for start in range(0, len(body), 10):
            part = body[start : start + 10]
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"\xff\xfe", None),
        (b"[]", None),
        (b"null", None),
        (b'"text"', None),
        (b"{}", "messages"),
        (b'{"messages": "hi"}', "messages"),
        (b'{"messages": [], "stream": "yes"}', "stream"),
        (b'{"messages": [], "n": 0}', "n"),
        (b'{"messages": [], "model": 5}', "model"),
        (b"[" * 100_000, None),
        (b'{"messages":' + b"[" * 100_000, None),
    ],
    ids=range(13),
)
def test_a_body_that_makes_no_sense_is_refused(
    served: Served, one: SimulatedProvider, body: bytes, param: str | None
) -> None:
    reply = served.post(CHAT, body)

    assert reply.status == 400
    assert reply.error["code"] == "invalid_request"
    assert reply.error["type"] == "spillover_error"
    assert reply.error["param"] in {param, None}
    assert one.records == ()


def test_an_unknown_model_is_refused_with_the_names_there_are(served: Served) -> None:
    reply = served.chat(model="defualt")

    assert reply.status == 404
    assert reply.error["code"] == "model_not_found"
    assert "'default'" in reply.error["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    reply = served.ask(method, CHAT)

    assert reply.status == 405
    assert reply.headers["allow"] == "POST"


def test_a_request_id_is_given_and_answered(served: Served) -> None:
    first, second = (served.chat().headers["x-spillover-request-id"] for _ in range(2))

    assert first < second


@pytest.mark.parametrize("header", ["x_request_id", "x_spillover_request_id"])
def test_a_clients_own_request_id_is_kept(served: Served, header: str) -> None:
    reply = served.post(CHAT, HELLO, **{header: "my-request_1.2"})

    assert reply.headers["x-spillover-request-id"] == "my-request_1.2"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ä", "a;b"])
def test_an_id_that_can_not_stand_in_a_log_is_not_kept(served: Served, given: str) -> None:
    reply = served.post(CHAT, HELLO, x_request_id=given)

    assert reply.headers["x-spillover-request-id"] != given
    assert reply.status == 200


def test_everything_spent_is_429_with_the_time_to_wait() -> None:
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, limits={"requests_per_minute": 1})) as served,
    ):
        served.chat()
        reply = served.chat()

    assert reply.status == 429
    assert reply.error["code"] == "all_exhausted"
    assert 1 <= int(reply.headers["retry-after"]) <= 61
    assert reply.error["profiles"][0]["reason"] == "limit"


def test_everything_failed_is_503(
    served: Served, one: SimulatedProvider, two: SimulatedProvider
) -> None:
    one.script("overloaded", times=None)
    two.script("overloaded", times=None)

    reply = served.chat()

    assert reply.status == 503
    assert reply.error["code"] == "all_failed"
    assert reply.headers["x-spillover-trail"] == "one:overloaded,two:overloaded"


def test_the_providers_own_word_on_a_bad_request_is_handed_on(
    served: Served, one: SimulatedProvider
) -> None:
    one.script("content_filter")

    reply = served.chat()

    assert reply.status == 400
    assert reply.headers["x-spillover-profile"] == "one"


# --- clients that are slow, lie, or leave ---


def test_a_body_over_the_limit_is_refused_before_it_is_sent() -> None:
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, server={"max_body": "1MB"})) as served,
        served.connect() as connection,
    ):
        connection.sendall(
            f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2000000\r\n\r\n".encode()
        )
        answer = read_until(connection, b"body_too_large")

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer


def test_a_client_that_sends_its_too_large_body_first_still_reads_the_refusal() -> None:
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, server={"max_body": "1MB"})) as served,
    ):
        reply = served.post(CHAT, b"x" * 20_000_000)
        packed = served.post(CHAT, gzip.compress(b"x" * 20_000_000), content_encoding="gzip")

    assert reply.status == packed.status == 413
    assert reply.error["code"] == "body_too_large"


def test_a_body_that_is_longer_than_it_says_is_no_second_request(
    served: Served, one: SimulatedProvider
) -> None:
    body = json.dumps(HELLO).encode()
    request = post_bytes(CHAT, body).replace(
        b"content-length: %d" % len(body), b"content-length: %d" % (len(body) - 1)
    )

    answer = served.raw(request)

    assert answer.startswith(b"HTTP/1.1 400")
    assert one.records == ()


def test_a_client_that_leaves_with_half_a_body_sent_leaves_nothing_behind(
    served: Served, one: SimulatedProvider
) -> None:
    with served.connect() as connection:
        connection.sendall(post_bytes(CHAT, b"{" * 100)[:-50])

    assert served.chat().status == 200
    assert len(one.records) == 1


def test_a_client_that_leaves_before_the_answer_cancels_the_upstream_and_is_settled(
    served: Served, one: SimulatedProvider
) -> None:
    one.script("silence")
    with served.connect() as connection:
        connection.sendall(post_bytes(CHAT, json.dumps(HELLO).encode()))
        wait_until(lambda: one.records)

    wait_until(lambda: served.engine.in_flight == 0)
    wait_until(lambda: one.connections == 0)
    minute = served.get("/api/status").json["profiles"]["one"]
    assert minute["usage"]["minute"]["requests"] == 1
    assert minute["limits"][0]["reserved"] == 0
    assert minute["status"] == "active"


def test_a_client_that_leaves_in_mid_stream_cancels_the_upstream_and_is_settled() -> None:
    spec = ProviderSpec(events=100_000, events_per_s=200)
    with running(spec) as (provider,), serving(document_for(provider)) as served:
        with served.connect() as connection:
            connection.sendall(post_bytes(CHAT, json.dumps(STREAM).encode()))
            read_until(connection, b"delta")

        wait_until(lambda: served.engine.in_flight == 0)
        wait_until(lambda: provider.records[0].outcome is Outcome.ABANDONED)
        usage = served.get("/api/status").json["profiles"]["one"]["usage"]["minute"]
        ended = served.get("/api/events/recent").json["events"][-1]

    assert usage["requests"] == 1
    assert usage["output_tokens"] > 0
    assert ended["outcome"] == "cancelled"


def test_a_slow_reader_gets_its_whole_stream() -> None:
    spec = ProviderSpec(events=3_000, answer="x" * 1_000)
    with (
        running(spec) as (provider,),
        serving(document_for(provider)) as served,
        served.connect() as connection,
    ):
        connection.sendall(post_bytes(CHAT, json.dumps(STREAM).encode(), "connection: close"))
        read_until(connection, b"delta")
        threading.Event().wait(0.3)  # it reads nothing meanwhile
        answer = read_all(connection)

    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_requests_on_one_connection_are_answered_in_turn(served: Served) -> None:
    request = post_bytes(CHAT, json.dumps(HELLO).encode())
    last = post_bytes(CHAT, json.dumps(HELLO).encode(), "connection: close")

    answer = served.raw(request + request + last)

    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_a_client_that_never_sends_its_body_is_given_up(served: Served) -> None:
    served.gateway._proxy._dawdle_s = 0.1
    with served.connect() as connection:
        connection.sendall(post_bytes(CHAT, b"x" * 100)[:-50])
        answer = read_all(connection)
    served.gateway._proxy._dawdle_s = DAWDLE_S

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive" in answer


def test_a_client_may_ask_before_it_sends_its_body(served: Served) -> None:
    body = json.dumps(HELLO).encode()
    whole = post_bytes(CHAT, body, "expect: 100-continue", "connection: close")
    with served.connect() as connection:
        connection.sendall(whole.removesuffix(body))
        go_on = read_until(connection, b"\r\n\r\n")
        connection.sendall(body)
        answer = read_all(connection)

    assert go_on.startswith(b"HTTP/1.1 100 ")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_offers_http_2_is_answered_in_http_1(served: Served) -> None:
    # Java's own client offers it with every request.
    offer = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAAAA")
    body = json.dumps(HELLO).encode()

    with served.connect() as connection:
        for _ in range(2):
            connection.sendall(post_bytes(CHAT, body, *offer))
            head = read_until(connection, b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            if b'"usage"' not in head:
                read_until(connection, b'"usage"')


# --- what a request asks the engine for ---


def test_headers_narrow_the_routing() -> None:
    call = read_call(
        json.dumps(HELLO).encode(),
        Operation.CHAT,
        {
            b"x-spillover-session": b"s1",
            b"x-spillover-policy": b"Local-Only",
            b"x-spillover-spend": b"Yes",
        },
        request_id="r1",
    )

    assert (call.session, call.policy, call.spend) == ("s1", RoutingPolicy.LOCAL_ONLY, True)


def test_without_headers_nothing_is_narrowed() -> None:
    call = read_call(json.dumps(HELLO).encode(), Operation.CHAT, {}, request_id="r1")

    assert (call.session, call.policy, call.spend) == (None, None, False)
    assert call.passed_headers == {}


@pytest.mark.parametrize("value", [b"no", b"", b"true", b"1"])
def test_only_a_clear_yes_agrees_to_spend(value: bytes) -> None:
    body = json.dumps(HELLO).encode()

    assert not read_call(body, Operation.CHAT, {b"x-spillover-spend": value}, request_id="r").spend


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RequestError, match="free-tier"):
        read_call(
            json.dumps(HELLO).encode(),
            Operation.CHAT,
            {b"x-spillover-policy": b"no"},
            request_id="r",
        )


def test_a_policy_that_nobody_meets_abstains(served: Served) -> None:
    reply = served.post(CHAT, HELLO, x_spillover_policy="free-tier", x_spillover_session="abc")
    refused = served.post(CHAT, HELLO, x_spillover_policy="local-only")

    assert reply.status == 200
    assert refused.status in {200, 403}

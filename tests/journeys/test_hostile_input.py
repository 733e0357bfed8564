"""Whatever comes in, from clients or from upstreams, is answered with one clear error."""

from __future__ import annotations

import json
import re
import socket
import zlib
from typing import TYPE_CHECKING, Any

import openai
import pytest

from spillover.simulator import FAULTS
from tests.cli.terminal import spillover
from tests.journeys.processes import (
    ASKED,
    SECONDS,
    assert_discreet,
    document,
    gateway,
    key_of,
    write,
)
from tests.serving import CHAT, post_bytes, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider
    from tests.serving import Reply

MEBIBYTE = 1 << 20
GARBAGE = (
    "not_http malformed_json html_200 html_520 empty_200 no_choices error_in_200 "  # noqa: SIM905
    "close_before_head reset_before_head".split()
)
RETRIED_LITTLE = {"retries": {"server_error": 0, "network": 0}}


@pytest.fixture(name="served", scope="module")
def _served(
    tmp_path_factory: pytest.TempPathFactory, free_provider: Provider, paid_provider: Provider
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("hostile")
    written = document(free_provider, paid_provider, aliases={"gpt-*": "default"})
    written["chains"]["default"] |= RETRIED_LITTLE
    written["chains"]["alone"] = {"profiles": ["first"], **RETRIED_LITTLE}
    path = write(folder / "spillover.yaml", written)
    with gateway(path, SPILLOVER_STATE_DIR=str(folder / "state")) as served:
        yield served


def assert_openai_error(reply: Reply, status: int, code: str) -> str:
    """Assert that a reply is one error as OpenAI's clients know them; return its message."""
    assert (reply.status, reply.error["code"]) == (status, code), reply.body
    assert reply.json.keys() == {"error"}
    assert reply.error.keys() >= {"message", "type", "param", "code"}
    message: str = reply.error["message"]
    assert message
    assert_discreet(reply.body.decode())
    return message


BODIES: dict[str, bytes | object] = {
    "empty": b"",
    "not JSON": b'{"model": "default", "messages": [',
    "not UTF-8": b'{"model": "\xff\xfe"}',
    "a list": [],
    "a number": 42,
    "null": None,
    "no messages": {"model": "default"},
    "messages of the wrong kind": {"model": "default", "messages": "hello"},
    "a model of the wrong kind": {"model": 5, "messages": ASKED},
    "a stream of the wrong kind": {"model": "default", "messages": ASKED, "stream": "yes"},
    "an n of the wrong kind": {"model": "default", "messages": ASKED, "n": 0},
    "nested beyond reason": b'{"model": "default", "messages": ' + b"[" * 100_000,
    "a number beyond reason": b'{"model": "default", "messages": [], "n": 1' + b"0" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_request_is_one_clear_error(
    served: Gateway, first: Provider, second: Provider, body: object
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    reply = served.post(CHAT, sent, content_type="application/json")

    assert_openai_error(reply, 400, "invalid_request")
    assert first.counters()["received"] == second.counters()["received"] == 0


def test_bytes_that_are_no_http_do_no_harm(served: Gateway) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\nx: \x00\r\n\r\n",
    ):
        answer = served.raw(nonsense)

        assert not answer or answer.startswith(b"HTTP/1.1 4")
    assert served.get("/health/live").status == 200


def test_a_body_of_70_mb_is_refused_to_a_client_that_can_read_why(
    served: Gateway, first: Provider
) -> None:
    body = b'{"model": "default", "messages": "' + b"x" * (70 * MEBIBYTE) + b'"}'

    reply = served.post(CHAT, body, content_type="application/json")

    message = assert_openai_error(reply, 413, "body_too_large")
    assert "server.max_body" in message
    assert first.counters()["received"] == 0


def test_a_small_body_that_unpacks_to_70_mb_is_refused_too(
    served: Gateway, first: Provider
) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = b"".join(packer.compress(b" " * MEBIBYTE) for _ in range(70)) + packer.flush()

    reply = served.post(CHAT, packed, content_encoding="gzip")

    assert len(packed) < MEBIBYTE
    assert_openai_error(reply, 413, "body_too_large")
    assert first.counters()["received"] == 0


def test_a_body_that_stops_coming_when_the_client_leaves_is_no_request(
    served: Gateway, first: Provider
) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS) as connection:
        whole = post_bytes(CHAT, json.dumps({"model": "default", "messages": ASKED}).encode())
        connection.sendall(whole[:-10])
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)

    assert not answer or answer.startswith(b"HTTP/1.1 4")
    assert first.counters()["received"] == 0


def test_an_unknown_model_is_answered_with_what_there_is_and_what_is_nearest(
    served: Gateway, first: Provider
) -> None:
    with served.client() as client, pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="defualt", messages=ASKED)

    reply = served.chat(model="secnd")
    message = assert_openai_error(reply, 404, "model_not_found")
    assert "did you mean 'second'?" in message
    assert unknown.value.code == "model_not_found"
    assert "did you mean 'default'?" in unknown.value.message
    assert all(name in unknown.value.message for name in ("alone", "first", "second"))
    assert first.counters()["received"] == 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", GARBAGE)
def test_garbage_from_an_upstream_is_fallen_back_from_and_alone_one_clear_error(
    served: Gateway, first: Provider, second: Provider, fault: str, *, stream: bool
) -> None:
    assert fault in FAULTS
    if stream and fault == "malformed_json":
        fault = "empty_stream"
    first.script(fault, times=None)
    served.post("/api/usage/clear", {})
    served.post("/api/profiles/first/enable")

    behind = served.chat(messages=ASKED, stream=stream)
    served.post("/api/profiles/first/enable")
    alone = served.chat(model="alone", messages=ASKED, stream=stream)

    assert behind.status == 200
    assert (b"[DONE]" in behind.body) is stream
    assert second.accepted == 1
    limited = fault == "error_in_200"
    assert_openai_error(alone, *((429, "all_exhausted") if limited else (503, "all_failed")))


def test_a_profile_whose_key_is_missing_does_not_keep_the_rest_from_serving(
    config: Path, first: Provider, second: Provider
) -> None:
    written: dict[str, Any] = document(first, second)
    written["profiles"]["first"]["api_key"] = "${KEY_THAT_NOBODY_SET}"
    write(config, written)

    checked = spillover("check", "--config", config)
    with gateway(config) as served:
        answered = served.served_by()
        alone = served.chat(model="first", messages=ASKED)
        status = served.profile()

    assert checked.returncode == 1
    [problem] = checked.stdout.splitlines()
    assert re.match(rf"{re.escape(str(config))}:\d+:profiles\.first\.api_key: found ", problem)
    assert "KEY_THAT_NOBODY_SET" in problem
    assert "KEY_THAT_NOBODY_SET" in served.text
    assert answered == "second"
    assert (status["status"], status["reason"]) == ("failed", "key_missing")
    assert_openai_error(alone, 503, "all_failed")
    assert key_of("second") not in checked.stdout

"""Large and packed bodies pass untouched, and a client that leaves costs no more than it got."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.processes import (
    ANSWER,
    ASKED,
    document,
    gateway,
    write,
)
from tests.serving import CHAT
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider

MODEL = "model-of-first"
"""The name of a profile that is also its upstream's: nothing of such a request need be changed."""
IMAGES_BYTES = 20 << 20


@pytest.fixture(name="served")
def _served(config: Path, first: Provider, second: Provider) -> Iterator[Gateway]:
    written = document(first, second, limits={"tokens_per_hour": 1_000_000, "concurrency": 10})
    written["aliases"] = {MODEL: "first"}
    write(config, written)
    with gateway(config) as served:
        yield served


def body_with(parts: list[dict[str, Any]]) -> bytes:
    asked = {"model": MODEL, "messages": [{"role": "user", "content": parts}]}
    return json.dumps(asked, separators=(",", ":")).encode()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_20_mb_of_images_reach_the_provider_untouched_and_are_reserved_as_images(
    served: Gateway, first: Provider
) -> None:
    chance = random.Random(4)
    urls = [
        "data:image/png;base64," + base64.b64encode(chance.randbytes(5 << 20)).decode()
        for _ in range(3)
    ]
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    body = body_with([{"type": "text", "text": "what is it?"}, *parts])

    explained = served.post("/api/explain", body).json
    reply = served.post(CHAT, body, content_type="application/json")

    assert len(body) > IMAGES_BYTES
    assert reply.status == 200
    assert reply.text == ANSWER
    assert first.last()["digest"] == digest(body)
    assert 3 * 1_600 <= explained["estimate"]["input_tokens"] < 4 * 1_600


def test_a_packed_body_reaches_the_provider_unpacked_and_otherwise_untouched(
    served: Gateway, first: Provider
) -> None:
    body = body_with([{"type": "text", "text": "tell me " * 20_000}])

    reply = served.post(
        CHAT, gzip.compress(body), content_type="application/json", content_encoding="gzip"
    )

    sent = first.last()
    assert reply.status == 200
    assert sent["digest"] == digest(body)
    assert "content-encoding" not in sent["headers"]


def test_a_client_that_leaves_a_stream_ends_the_upstreams_and_is_settled(
    served: Gateway, first: Provider
) -> None:
    first.change(events=100_000, events_per_s=50)
    with served.client() as client:
        stream = client.chat.completions.create(model="default", messages=ASKED, stream=True)
        for _ in range(5):
            next(stream)
        before = first.counters()["in_flight"]
        stream.close()

        wait_until(lambda: first.counters()["in_flight"] == 0)
        wait_until(lambda: served.rests)

    profile, outcomes = served.profile(), first.counters()["outcomes"]
    used = profile["usage"]["hour"]
    assert (before, outcomes) == (1, {"abandoned": 1})
    assert used["requests"] == 1
    assert used["input_tokens"] > 0
    assert 0 < used["output_tokens"] < 100
    assert profile["estimated_calls"] == 1
    assert profile["status"] == "active"


def test_a_client_that_leaves_before_the_answer_began_is_settled_too(
    served: Gateway, first: Provider
) -> None:
    first.change(delay_s=600)
    with served.connect() as connection:
        asked = json.dumps({"model": "default", "messages": ASKED}).encode()
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(asked) + asked
        )
        wait_until(lambda: first.counters()["in_flight"] == 1)

    wait_until(lambda: first.counters()["in_flight"] == 0)
    wait_until(lambda: served.rests)

    assert served.used()["requests"] == 1

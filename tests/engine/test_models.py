"""A provider is asked which models a key opens, at its own address."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.secrets import Secret
from spillover.core.values import Protocol
from spillover.engine.models import list_models, own_upstream
from spillover.upstream import HttpUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.engine.models import Listed


class Shelf(ThreadingHTTPServer):
    """Answers `status` and `body` to everything, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body: bytes = b"{}"
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Shelf

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers))
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.body)))
        if self.server.status == 302:
            self.send_header("location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@contextmanager
def shelf() -> Iterator[Shelf]:
    with Shelf() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[Shelf]:
    with shelf() as found:
        yield found


def listed(
    server: Shelf,
    body: object,
    *,
    status: int = 200,
    protocol: Protocol = Protocol.OPENAI,
    path: str = "/models",
) -> Listed:
    known = load_catalogue()
    entry = msgspec.structs.replace(known.providers["groq"], models_path=path)
    own = msgspec.structs.replace(own_upstream(entry, known, {}), entry=entry)
    far = msgspec.structs.replace(own, base_url=server.url, protocol=protocol)
    server.status, server.asked = status, []
    server.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def ask() -> Listed:
        way = HttpUpstream()
        try:
            return await list_models(way, far, Secret("the-key-0123456789"))
        finally:
            await way.close()

    return asyncio.run(ask())


def test_a_list_is_read_with_the_key(server: Shelf) -> None:
    found = listed(server, {"data": [{"id": "a"}, {"id": "b"}]})

    assert (found.models, found.problem) == (("a", "b"), None)
    assert server.asked[0][0] == "/v1/models"
    assert server.asked[0][1]["authorization"] == "Bearer the-key-0123456789"


@pytest.mark.parametrize(
    ("path", "protocol", "asked"),
    [
        ("/catalog/models?type=chat", Protocol.OPENAI, "/v1/catalog/models?type=chat"),
        ("/models", Protocol.GEMINI, "/v1/models?pageSize=1000"),
    ],
)
def test_it_is_asked_for_where_the_catalogue_says_and_whole(
    server: Shelf, path: str, protocol: Protocol, asked: str
) -> None:
    listed(server, {"data": []}, path=path, protocol=protocol)

    assert [found for found, _ in server.asked] == [asked]


def test_anthropics_list_is_asked_for_whole(server: Shelf) -> None:
    listed(server, {"data": []}, protocol=Protocol.ANTHROPIC)

    path, headers = server.asked[0]
    assert path == "/v1/models?limit=1000"
    assert headers["x-api-key"] == "the-key-0123456789"
    assert headers["anthropic-version"]


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (401, {"error": {"message": "no such key"}}, "no such key"),
        (403, {"message": "not you"}, "not you"),
        (404, {"error": "nothing"}, "nothing"),
        (500, b"\xff", "answered 500"),
        (503, {"error": {}}, "answered 503"),
        (200, b"<html>", "the answer is no list of models"),
        (200, {"data": {}}, "the answer is no list of models"),
    ],
    ids=str,
)
def test_a_refusal_is_told(server: Shelf, status: int, body: object, problem: str) -> None:
    found = listed(server, body, status=status)

    assert (found.models, found.status, found.problem) == ((), status, problem)


def test_nobody_is_followed_elsewhere_with_the_key(server: Shelf) -> None:
    found = listed(server, {"data": [{"id": "a"}]}, status=302)

    assert found.status == 302
    assert [path for path, _ in server.asked] == ["/v1/models"]


def test_a_provider_that_can_not_be_reached_is_told() -> None:
    with shelf() as gone:
        pass

    found = listed(gone, {})

    assert found.status is None
    assert found.problem

"""Asks a simulated provider, with sockets and without, and takes its answers apart."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spillover.simulator.exchange import Request
from spillover.simulator.provider import Provider
from spillover.simulator.spec import ProviderSpec

if TYPE_CHECKING:
    from spillover.simulator.hosting import SimulatedProvider

SECONDS = 60.0
KEY = "sk-sim-0123456789"
NOON = 1_795_176_000.0
"""2026-11-20T12:00:00Z, a Friday."""


class Clock:
    """A clock that the test moves."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """An answer taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """Every event's data that is JSON."""
        lines = self.body.decode().splitlines()
        found = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        return [json.loads(one) for one in found if one.startswith("{")]

    @property
    def text(self) -> str:
        """The content of a stream's first choice."""
        deltas = [event["choices"][0]["delta"] for event in self.events if event.get("choices")]
        return "".join(delta.get("content") or "" for delta in deltas)


def chat(text: str = "hello", **fields: Any) -> dict[str, Any]:
    """Make the body of a chat request."""
    return {"model": "m", "messages": [{"role": "user", "content": text}], **fields}


def a_request(body: Any = None, path: str = "/v1/chat/completions", **fields: Any) -> Request:
    """Make a request with the right key, unless other headers are given."""
    headers = fields.pop("headers", (("authorization", f"Bearer {KEY}"),))
    sent = (
        body if isinstance(body, bytes) else json.dumps(chat() if body is None else body).encode()
    )
    return Request(
        method=fields.pop("method", "POST"), target=path, headers=headers, body=sent, **fields
    )


def taken_apart(raw: bytes) -> Got:
    """Read status, headers and the body, chunked or not, of one whole answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    if headers.get("transfer-encoding") == "chunked":
        body = dechunked(body)
    return Got(status=int(first.split()[1]), headers=headers, body=body)


def dechunked(body: bytes) -> bytes:
    """Join the chunks of a body, whole or cut."""
    joined = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        joined, body = joined + rest[:length], rest[length + 2 :]
    return joined


def perform(provider: Provider, request: Request) -> Got:
    """Have a provider answer without a socket, to the end and at once."""
    done = provider.handle(request)
    raw, chars = b"", 0
    for step in done.play.steps:
        raw += step.data
        chars += step.chars
    provider.finish(done, performed=True, chars=chars)
    return taken_apart(raw)


def ask(provider: Provider, text: str = "hello", **fields: Any) -> Got:
    """Send a chat request without a socket, to wherever the flavour wants it."""
    path = f"{provider.base_path}/chat/completions"
    body = chat(text, **fields)
    headers: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {KEY}"),)
    match provider.spec.flavour:
        case "anthropic":
            path = f"{provider.base_path}/messages"
            headers = (("x-api-key", KEY), ("anthropic-version", "2023-06-01"))
            body = {"max_tokens": 1_000, **body}
        case "gemini-native":
            path = f"{provider.base_path}/models/m:generateContent"
            body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        case _:
            pass
    return perform(provider, a_request(body, path, headers=headers))


def get(provider: Provider, path: str) -> Got:
    """Get a path, from the root, without a socket."""
    return perform(provider, a_request(b"", path, method="GET"))


def a_provider(clock: Clock | None = None, **fields: Any) -> Provider:
    """Make a provider that needs no socket; `generic` unless said."""
    return Provider(ProviderSpec(**fields), clock or Clock())


def fetch(
    provider: SimulatedProvider, path: str = "/chat/completions", body: Any = None, **fields: Any
) -> Got:
    """Send a request over a socket and a connection of its own, and read the whole answer."""
    at = urlsplit(provider.origin if path.startswith("/_") else provider.base_url)
    method = fields.pop("method", "GET" if body is None else "POST")
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=SECONDS)
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request(method, at.path + path, sent, {"authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Got(status=answer.status, headers=headers, body=answer.read())
    finally:
        connection.close()

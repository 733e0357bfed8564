"""A gateway on a real socket, in a thread of its own, with simulated providers behind it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from spillover.config.loader import load_document
from spillover.engine import EngineOptions, open_engine
from spillover.gateway.app import Gateway
from spillover.gateway.ports import listen, url_of
from spillover.gateway.serve import ServeOptions, serve
from spillover.gateway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from spillover.config.loader import LoadedConfig
    from spillover.engine import Engine
    from spillover.simulator import SimulatedProvider

T = TypeVar("T")

START_S = 60.0
CHAT = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hello"}]}


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def text(self) -> str:
        """What a chat answer says."""
        text: str = self.json["choices"][0]["message"]["content"]
        return text


class Reachable:
    """Whatever listens at `address`, and how a client reaches it."""

    address: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request on a connection of its own; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """GET; a header's underscores stand for hyphens."""
        return self.ask("GET", path, headers=_headers(headers))

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        """POST likewise."""
        return self.ask("POST", path, body, headers=_headers(headers))

    def chat(self, **fields: object) -> Reply:
        """Ask for a chat answer."""
        return self.post(CHAT, {**HELLO, **fields})

    def connect(self) -> socket.socket:
        """Open a bare connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=START_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def raw(self, request: bytes) -> bytes:
        """Send bytes, and return what comes until the gateway closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)


@dataclass
class Served(Reachable):
    """A gateway that runs."""

    gateway: Gateway
    address: str
    loop: asyncio.AbstractEventLoop
    stopped: threading.Event = field(default_factory=threading.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def engine(self) -> Engine:
        return self.gateway.engine

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(START_S)

    def stop(self) -> None:
        """Tell it to stop, with grace; returns at once."""
        if not self.stopped.is_set():
            self.loop.call_soon_threadsafe(self._stop.set)


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}


def read_all(connection: socket.socket) -> bytes:
    """Return what comes on a connection until it is closed."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    """Return what comes on a connection up to and beyond a mark."""
    found = b""
    while mark not in found:
        part = connection.recv(65_536)
        assert part, f"closed without {mark!r} after {found!r}"
        found += part
    return found


def post_bytes(path: str, body: bytes, *headers: str) -> bytes:
    """Return a POST as it stands on the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def document_for(
    *providers: SimulatedProvider, limits: Mapping[str, object] | None = None, **more: object
) -> dict[str, Any]:
    """Return a configuration with a profile for each provider: `one`, `two` …, in one chain.

    `limits` are those of the first profile.
    """
    names = ("one", "two", "three", "four")
    profiles: dict[str, dict[str, object]] = {
        name: {"base_url": provider.base_url, "model": f"model-{name}", "api_key": f"key-of-{name}"}
        for name, provider in zip(names, providers, strict=False)
    }
    if limits is not None:
        profiles["one"]["limits"] = dict(limits)
    return {
        "storage": "memory",
        "profiles": profiles,
        "chains": {"default": list(profiles)},
        **more,
    }


@contextmanager
def serving(
    document: dict[str, Any] | LoadedConfig, *, grace_s: int = 30, follow: bool = False
) -> Iterator[Served]:
    """Serve a configuration from a thread while the context lasts."""
    loaded = load_document(document, environ={}) if isinstance(document, dict) else document
    ready: list[Served] = []
    failed: list[BaseException] = []
    begun = threading.Event()

    async def main() -> None:
        engine = await open_engine(loaded, EngineOptions())
        try:
            gateway = Gateway(engine, Settings.of(loaded.config.server, port=0))
            listening = listen("127.0.0.1", 0)
            served = Served(gateway, url_of(listening), asyncio.get_running_loop())
            ready.append(served)
            options = ServeOptions(
                grace_s=grace_s, environ={}, on_ready=lambda _engine, _address: begun.set()
            )
            task = asyncio.create_task(
                serve(gateway, listening, followed=loaded if follow else None, options=options)
            )
            stop = asyncio.create_task(served._stop.wait())
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            task.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)
        finally:
            await engine.close(grace_s=0.0)
            for served in ready:
                served.stopped.set()

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            failed.append(error)
        finally:
            begun.set()

    thread = threading.Thread(target=work, name="gateway", daemon=True)
    thread.start()
    assert begun.wait(START_S)
    if failed:
        raise failed[0]
    try:
        yield ready[0]
    finally:
        ready[0].stop()
        thread.join(START_S + grace_s)
        assert not thread.is_alive()

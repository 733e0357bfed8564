"""A place that notices are sent to: a real HTTP server on loopback."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Receiver:
    """What came, and how it is answered."""

    port: int
    status: int = 200
    open: threading.Event = field(default_factory=threading.Event)
    """Not set: requests are not answered."""
    received: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Its address as Apprise spells it, with a token."""
        return f"json://user-name:the-token-0001@127.0.0.1:{self.port}/hooked-path"

    @property
    def texts(self) -> list[str]:
        return [each["message"] for each in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive until the end of the context."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.open.wait()
            receiver.received.append(json.loads(body))
            self.send_response(receiver.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    receiver = Receiver(server.server_address[1])
    receiver.open.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.open.set()
        server.shutdown()
        thread.join()
        server.server_close()

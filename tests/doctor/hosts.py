"""Hosts on loopback that show a certificate, or say something that is no TLS, from a thread."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS = Path(__file__).parent / "tls"
DAY_S = 86_400.0


@contextmanager
def host(certificate: str | None, greeting: bytes = b"") -> Iterator[int]:
    """Serve while the context lasts; yield the port.

    With a certificate every request is answered as by a clock that is a day ahead of ours.
    """
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(TLS / f"{certificate}.pem")

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10.0)
            if context is None:
                connection.sendall(greeting)
                connection.recv(4_096)
                return
            with context.wrap_socket(connection, server_side=True) as secured:
                if secured.recv(4_096):
                    date = formatdate(time.time() + DAY_S, usegmt=True)
                    secured.sendall(f"HTTP/1.1 404 None\r\nDate: {date}\r\n\r\n".encode())

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(listening.accept()[0],)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for thread in threads:
            thread.join()

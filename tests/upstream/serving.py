"""Providers, a proxy and event loops for the tests of the client: all real, all on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import inspect
import socket
import ssl
import struct
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spillover.upstream import HttpUpstream, Order, UpstreamBroken
from tests.engine.staging import LONGEST_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from spillover.upstream import Exchange

    Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
MOST = 1 << 26
SECRET = "sk-secret-0123456789"
TLS = Path(__file__).parent / "tls"
LOOPS = ["asyncio", *(["uvloop"] if importlib.util.find_spec("uvloop") else [])]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


LOOPBACKS = ["127.0.0.1", *(["::1"] if _has_ipv6() else [])]


def order(base_url: str, **more: Any) -> Order:
    fields: dict[str, Any] = {
        "url": f"{base_url}/chat/completions",
        "headers": {"content-type": "application/json", "authorization": f"Bearer {SECRET}"},
        "body": BODY,
        "connect_s": LONGEST_S,
        **more,
    }
    return Order(**fields)


def unheard() -> None:
    """Take no notice of the connection."""


async def ask(client: Any, ordered: Order) -> tuple[int, bytes]:
    """Return status and body of an answer."""
    exchange: Exchange = await client.open(ordered, unheard)
    try:
        return exchange.status, await exchange.read_all(MOST)
    finally:
        exchange.close()


async def broken(client: Any, ordered: Order) -> UpstreamBroken:
    """Return how an exchange breaks, at its head or in its body; it tells no secret."""
    with pytest.raises(UpstreamBroken) as found:
        await ask(client, ordered)
    assert SECRET not in str(found.value)
    return found.value


# Event loops.


def plays_on(*loops: str) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Any]:
    """Make a plain test of an asynchronous one, bounded in time, once for each kind of loop."""

    def decorate(test: Callable[..., Coroutine[Any, Any, None]]) -> Any:
        @functools.wraps(test)
        def run(*args: Any, new_loop: str, **named: Any) -> None:
            async def bounded() -> None:
                async with asyncio.timeout(LONGEST_S):
                    await test(*args, **named)

            factory = None
            if new_loop == "uvloop":
                factory = importlib.import_module("uvloop").new_event_loop
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(bounded())

        signature = inspect.signature(test)
        added = inspect.Parameter("new_loop", inspect.Parameter.KEYWORD_ONLY)
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*signature.parameters.values(), added]
        )
        return pytest.mark.parametrize("new_loop", loops)(run)

    return decorate


plays = plays_on("asyncio")
plays_on_both = plays_on(*LOOPS)


# Providers.


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection the hard way."""
    own = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def writing(*parts: bytes, is_reset: bool = False, then: asyncio.Event | None = None) -> Serve:
    """Return a server's answer: the parts, and the end of the connection, once `then` is set."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then is not None:
            await then.wait()
        if is_reset:
            reset(writer)

    return answer


@asynccontextmanager
async def raw_provider(
    serve: Serve, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """Serve each connection from its first byte; yield the base URL."""
    writers: list[asyncio.StreamWriter] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)

    server = await asyncio.start_server(tracked, host, 0, ssl=tls)
    shown = f"[{host}]" if ":" in host else host
    scheme = "http" if tls is None else "https"
    try:
        yield f"{scheme}://{shown}:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for _ in range(3):  # turns in which loops let go of sockets
            await asyncio.sleep(0)


def shows_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "provider.pem")
    return context


def trusts_authority() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=TLS / "authority.pem")


# Proxies.


@asynccontextmanager
async def proxy(asked: list[bytes]) -> AsyncIterator[str]:
    """Serve a proxy that forwards and tunnels to this machine, and keeps the heads it was asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head)
        method, target, _ = head.split(b" ", 2)
        tunnels = method == b"CONNECT"
        authority = target if tunnels else target.split(b"/", 3)[2]
        port = int(authority.rpartition(b":")[2])
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            writer.close()
            return
        if tunnels:
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            there = _pipe(reader, far_writer)
        else:
            there = _forward(head, reader, far_writer)
        ways = {asyncio.ensure_future(there), asyncio.ensure_future(_pipe(far_reader, writer))}
        await asyncio.wait(ways)

    async with raw_provider(serve) as base_url:
        yield base_url.removesuffix("/v1")


async def _forward(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send requests on as a provider without a proxy gets them."""
    try:
        while True:
            method, url, rest = head.split(b" ", 2)
            writer.write(b"%b /%b %b" % (method, url.split(b"/", 3)[3], rest))
            left = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0] or 0)
            while left and (data := await reader.read(min(left, 1 << 16))):
                left -= len(data)
                writer.write(data)
                await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes, then how they end, one way."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()
    except OSError:
        reset(writer)


@asynccontextmanager
async def reached(way: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpUpstream]:
    """Open a client that reaches providers so: `direct`, or `proxied`."""
    with pytest.MonkeyPatch.context() as patch:
        async with contextlib.AsyncExitStack() as stack:
            if way == "proxied":
                address = await stack.enter_async_context(proxy([]))
                patch.delenv("NO_PROXY")
                patch.setenv("ALL_PROXY", address)
            client = HttpUpstream(tls)
            stack.push_async_callback(client.close)
            yield client

"""Give SDKs an HTTP client whose requests never leave the process.

httpx and its successor httpx2 have the same doors, so each class here is made for either of them.
A request's read time limit holds, as it would over a network; other time limits have no meaning.
Refuses to know what is asked for and who answers.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

from spillover.library.exchange import App, Asking, Exchange, ExchangeBroken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from spillover.library.looping import LoopThread

_T = TypeVar("_T")

BASE_URL: Final = "http://spillover"
_INSTALL: Final = {
    "httpx": "pip install 'spillover[sdk]'",
    "httpx2": "pip install httpx2",
}


def client_library(name: str) -> Any:
    """Return the module `httpx` or `httpx2`; raises ImportError that says how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{name}_client() needs the package {name}: {_INSTALL[name]}"
        raise ImportError(message, name=name) from error


def async_client(http: Any, app: App) -> Any:
    """Return an `AsyncClient` of the module `http`, whose requests run through `app`."""

    class Body(http.AsyncByteStream):  # type: ignore[misc]  # its base comes at run time
        def __init__(self, exchange: Exchange, read_s: float | None) -> None:
            self._exchange = exchange
            self._read_s = read_s

        async def __aiter__(self) -> AsyncIterator[bytes]:
            while chunk := await _within(http, self._exchange.chunk(), self._read_s):
                yield chunk

        async def aclose(self) -> None:
            await self._exchange.aclose()

    class Transport(http.AsyncBaseTransport):  # type: ignore[misc]  # as above
        async def handle_async_request(self, request: Any) -> Any:
            exchange = Exchange(app, _asking(request, await request.aread()))
            read_s = _read_s(request)
            status, headers = await _head(http, exchange, read_s)
            return http.Response(status, headers=headers, stream=Body(exchange, read_s))

    return http.AsyncClient(transport=Transport(), base_url=BASE_URL, timeout=None, trust_env=False)


def sync_client(http: Any, app: App, loop: LoopThread) -> Any:
    """Return a `Client` of the module `http`, whose requests run through `app` on `loop`."""

    class Body(http.SyncByteStream):  # type: ignore[misc]  # its base comes at run time
        def __init__(self, exchange: Exchange, read_s: float | None) -> None:
            self._exchange = exchange
            self._read_s = read_s

        def __iter__(self) -> Iterator[bytes]:
            while chunk := loop.run(_within(http, self._exchange.chunk(), self._read_s)):
                yield chunk

        def close(self) -> None:
            loop.run(self._exchange.aclose())

    async def begin(asking: Asking, read_s: float | None) -> tuple[Exchange, int, Any]:
        exchange = Exchange(app, asking)
        return exchange, *await _head(http, exchange, read_s)

    class Transport(http.BaseTransport):  # type: ignore[misc]  # as above
        def handle_request(self, request: Any) -> Any:
            read_s = _read_s(request)
            exchange, status, headers = loop.run(begin(_asking(request, request.read()), read_s))
            return http.Response(status, headers=headers, stream=Body(exchange, read_s))

    return http.Client(transport=Transport(), base_url=BASE_URL, timeout=None, trust_env=False)


def _asking(request: Any, body: bytes) -> Asking:
    return Asking(
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers=[(name.lower(), value) for name, value in request.headers.raw],
        body=body,
    )


def _read_s(request: Any) -> float | None:
    limits: dict[str, float | None] = request.extensions.get("timeout", {})
    return limits.get("read")


async def _head(
    http: Any, exchange: Exchange, read_s: float | None
) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Return the answer's head; a caller that is cancelled meanwhile has left."""
    try:
        return await _within(http, exchange.head(), read_s)
    except BaseException:
        await exchange.aclose()
        raise


async def _within(http: Any, work: Awaitable[_T], read_s: float | None) -> _T:
    """Await `work`; what goes wrong is raised as the HTTP library's own errors."""
    try:
        async with asyncio.timeout(read_s):
            return await work
    except TimeoutError as error:
        raise http.ReadTimeout(f"nothing came for {read_s} s") from error
    except ExchangeBroken as error:
        raise http.RemoteProtocolError(str(error)) from error

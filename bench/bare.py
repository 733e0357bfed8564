"""The yardstick: a proxy of uvicorn and aiohttp that does nothing but pass requests on.

It streams, keeps connections alive, and is what Spillover would be without its purpose.
Run as `uvicorn bench.bare:app`, with the upstream's address in BENCH_UPSTREAM.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]


class Bare:
    """An ASGI application with one upstream."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None  # noqa: TID251 - a client of its own

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Pass one request on, and its answer back."""
        body = await self._body(receive)
        url = self._upstream + scope["path"]
        headers = {"content-type": "application/json", "authorization": "Bearer key"}
        async with self._client().post(url, data=body, headers=headers) as answer:
            kind = answer.headers["content-type"].encode()
            head = [(b"content-type", kind)]
            if answer.content_length is None:
                await send(
                    {"type": "http.response.start", "status": answer.status, "headers": head}
                )
                while chunk := await answer.content.readany():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
                return
            whole = await answer.read()
        head.append((b"content-length", b"%d" % len(whole)))
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        await send({"type": "http.response.body", "body": whole})

    @staticmethod
    async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            parts.append(message["body"])
            if not message["more_body"]:
                return b"".join(parts)

    def _client(self) -> aiohttp.ClientSession:  # noqa: TID251 - the same
        if self._session is None:
            self._session = aiohttp.ClientSession(  # noqa: TID251 - the same
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


app = Bare(os.environ.get("BENCH_UPSTREAM", ""))

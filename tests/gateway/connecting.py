"""An application behind one of our connections, on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

from spillover.gateway.wire import Connection
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ASKED = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


def _config(app: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        app, http=Connection, interface="asgi3", lifespan="off", proxy_headers=False
    )
    config.load()
    return config


@asynccontextmanager
async def connected(
    app: Any,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, set[Any]]]:
    """Serve an application; give a client's two ends and the server's connections."""
    config, state = _config(app), ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer, state.connections
    finally:
        writer.transport.abort()
        server.close()
        await eventually(lambda: not state.connections)


async def answering(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})

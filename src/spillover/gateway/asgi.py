"""The shapes of an ASGI conversation.

Refuses to know routes, the engine and who may call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, Protocol, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

Headers: TypeAlias = dict[bytes, bytes]
"""Names in lower case, each once."""
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

WRITER: Final = "spillover.writer"
"""Where a request's scope holds its `Writer`, if the server has one."""


class Writer(Protocol):
    """Gives and takes past `Receive` and `Send`, with no message and no coroutine for each part."""

    def body_at_hand(self, most: int) -> bytes | None:
        """Return the body, once, if all of it is here: `most` bytes or less; None: receive it."""

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Write a whole answer."""

    def write(self, body: bytes) -> bool:
        """Write a part; return whether the client keeps up."""

    async def drained(self) -> None:
        """Wait until the client has caught up."""


JSON: Final = "application/json"


class ClientLeft(Exception):
    """The client closed its connection: there is nobody to answer."""


def headers_of(scope: Scope) -> Headers:
    """Return a request's headers; the values of a repeated name are joined by a comma.

    Hence a second `Host` or `Origin` makes both of them something that no check lets pass.
    """
    raw: RawHeaders = scope["headers"]
    headers = dict(raw)
    if len(headers) != len(raw):
        headers.clear()
        for name, value in raw:
            headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


_NAMES: Final[dict[str, bytes]] = {}
"""Header names as bytes: few, and known after the first requests."""


def encoded(headers: Mapping[str, str]) -> RawHeaders:
    """Return an answer's headers as they are sent."""
    raw: RawHeaders = []
    for name, value in headers.items():
        known = _NAMES.get(name)
        if known is None:
            known = _NAMES[name] = name.lower().encode("ascii")
        raw.append((known, value.encode("latin-1", "replace")))
    return raw

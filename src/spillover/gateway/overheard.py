"""Learn what a route of `/api` would answer, for a page that shows it.

So pages show what `/api` says, by the same endpoints. Refuses to know what is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from spillover.errors import RequestError
from spillover.gateway.asgi import JSON, WRITER
from spillover.gateway.routes import Inquiry
from spillover.gateway.visit import REQUEST_ID, RequestIds, Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.gateway.asgi import Message
    from spillover.gateway.routes import Endpoint


class Overheard(Visit):
    """A request that never was on a wire; its answer is kept."""

    __slots__ = ("body",)

    def __init__(self, visit: Visit, *, query: str, body: bytes) -> None:
        """Stand beside a real request, as one of the same client."""
        self.body = b""
        """What was answered."""

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            self.body += message.get("body", b"")

        scope = {key: value for key, value in visit.scope.items() if key != WRITER}
        headers = [
            (b"content-type", JSON.encode()),
            (b"host", visit.headers.get(b"host", b"")),
            (REQUEST_ID.encode(), visit.request_id.encode()),
        ]
        scope |= {"headers": headers, "query_string": query.encode("latin-1")}
        super().__init__(scope, receive, send, ids=RequestIds(lambda: 0.0))


async def overhear(
    endpoint: Endpoint,
    inquiry: Inquiry,
    *,
    names: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: object = None,
) -> Any:
    """Return the document that an endpoint answers; raises what it raises."""
    written = "&".join(f"{key}={quote(value, safe='')}" for key, value in (query or {}).items())
    sent = b"" if body is None else msgspec.json.encode(body)
    visit = Overheard(inquiry.visit, query=written, body=sent)
    await endpoint(Inquiry(inquiry.gateway, visit, dict(names or {})))
    try:
        return msgspec.json.decode(visit.body)
    except msgspec.DecodeError:
        raise RequestError("what was asked for can't be shown") from None

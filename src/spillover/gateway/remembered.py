"""Show and forget the answers of OpenAI's Responses that are remembered, to those who got them.

Refuses to know how long that is, and who gave them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from spillover.errors import RequestError
from spillover.gateway.access import owner_of
from spillover.gateway.asgi import JSON
from spillover.gateway.visit import REQUEST_ID
from spillover.protocols.responses.recall import listed

if TYPE_CHECKING:
    from spillover.gateway.routes import Inquiry
    from spillover.protocols.responses.recall import Said

MOST_LISTED = 100
_LISTED = 20


async def answer(inquiry: Inquiry) -> None:
    """Answer a response as it was given."""
    said, visit = _found(inquiry), inquiry.visit
    if _asked(inquiry, "stream") == "true":
        raise RequestError("a remembered answer is given whole: leave out 'stream'", param="stream")
    await visit.answer(200, {"content-type": JSON, REQUEST_ID: visit.request_id}, said.answer)


async def inputs(inquiry: Inquiry) -> None:
    """Answer a page of what was said before a response, the latest first."""
    said = _found(inquiry)
    written = _asked(inquiry, "limit") or str(_LISTED)
    if not written.isascii() or not written.isdigit() or not 1 <= int(written) <= MOST_LISTED:
        raise RequestError(f"'limit' must be a number from 1 to {MOST_LISTED}", param="limit")
    page = listed(
        said,
        limit=int(written),
        after=_asked(inquiry, "after"),
        oldest_first=_asked(inquiry, "order") == "asc",
    )
    await inquiry.visit.answer_json(200, page)


async def forget(inquiry: Inquiry) -> None:
    """Forget a response: nothing goes on from it any more."""
    said = _found(inquiry)
    inquiry.gateway.recall.forget(said.id, _owner(inquiry))
    deleted = {"id": said.id, "object": "response", "deleted": True}
    await inquiry.visit.answer_json(200, deleted)


def _found(inquiry: Inquiry) -> Said:
    """Return the response that the path names; raises `RequestError`."""
    name = inquiry.names["response"]
    said = inquiry.gateway.recall.find(name, _owner(inquiry))
    if said is None:
        raise RequestError(
            f"no response {name[:80]!r} is remembered: responses are kept for an hour in this "
            "gateway's memory, for the key that got them, and not with 'store': false",
            param="response_id",
            code="response_not_found",
            status=404,
        )
    return said


def _owner(inquiry: Inquiry) -> bytes:
    return owner_of(inquiry.visit.headers, inquiry.visit.scope["query_string"])


def _asked(inquiry: Inquiry, name: str) -> str | None:
    query = parse_qs(inquiry.visit.scope["query_string"].decode("latin-1"))
    return query[name][0] if name in query else None

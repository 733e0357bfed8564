"""Write requests that ask for the same in the same way, and tell which must always be asked anew.

Rules of this file:
- Two requests are the same where all their fields are, whatever their order and spacing; only the
  model's name and how the answer is to come are left to the caller to compare.
- What may act, or depends on what a server remembers, has no such form: tools, containers,
  conversations that go on.

Refuses to know who asks, and what the form is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.protocols.openai_chat import Asked

if TYPE_CHECKING:
    from spillover.protocols.spoken import Spoken

_LEFT_OUT: Final = ("model", "stream")
_ALIVE: Final = (
    "background",
    "container",
    "context_management",
    "conversation",
    "functions",
    "mcp_servers",
    "plugins",
    "previous_response_id",
    "search_parameters",
    "tools",
    "web_search_options",
)
"""Fields whose presence has an answer depend on more than the request, or do more than answer."""
_UNSAID: Final[tuple[Any, ...]] = (None, False, "", [])
"""Values by which such a field says nothing; `{}` asks for what it names, with all as usual."""
_fields: Final = msgspec.json.Decoder(dict[str, Any])
_encode: Final = msgspec.json.Encoder().encode
_sorted: Final = msgspec.json.Encoder(order="sorted").encode


def canonical(asked: Asked | Spoken) -> bytes | None:
    """Return what a request asks for; None: its answer is good for this time alone."""
    body = _encode(asked.fields) if isinstance(asked, Asked) else asked.body
    fields = _fields.decode(body)
    if any(fields.get(name) not in _UNSAID for name in _ALIVE):
        return None
    for name in _LEFT_OUT:
        fields.pop(name, None)
    return _sorted(fields)

"""Say what is known of a failed attempt before it has a name.

A dialect fills in an `Evidence` from what it read; `failures.classify` names it.
Refuses to know bytes, headers, JSON and what a failure is called.
"""

from __future__ import annotations

from enum import StrEnum

from spillover.core.stated import Stated
from spillover.core.values import Source, Value


class TransportFault(StrEnum):
    """How an exchange broke below the level of answers."""

    REFUSED = "refused"
    DNS = "dns"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    POOL = "pool"
    """No connection of ours was free in time."""
    RESET = "reset"
    BROKEN_PIPE = "broken_pipe"
    CLOSED_BEFORE_HEAD = "closed_before_head"
    """The connection ended without an answer, as an idle one does that the server had dropped."""
    MALFORMED_HTTP = "malformed_http"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - not a secret
    STALL = "stall"
    TOTAL_TIMEOUT = "total_timeout"
    CUT = "cut"
    """The body ended before it was whole."""


class Shape(StrEnum):
    """What kind of body a failed attempt left."""

    STRUCTURED = "structured"
    """JSON that speaks of an error."""
    HTML = "html"
    PLAIN = "plain"
    NOTHING = "nothing"
    """No body at all."""
    HOLLOW = "hollow"
    """A well-formed answer with no content, no calls and no output counted."""
    GARBAGE = "garbage"
    """What should have been an answer and can't be read as one."""


class Evidence(Value, frozen=True, kw_only=True):
    """All that is known of one failed attempt."""

    provider: str = ""
    """The catalogue's id of the provider, or empty."""
    fault: TransportFault | None = None
    """Set when no complete answer was read: it then decides, whatever else is known."""
    status: int | None = None
    """HTTP status; the one stated inside the body when the answer itself came as 2xx."""
    shape: Shape = Shape.NOTHING
    codes: tuple[str, ...] = ()
    """Every code, type and reason the body states, in lower case, outermost first."""
    code: str | None = None
    """The most telling of them, as written."""
    message: str = ""
    """The provider's own words, unredacted: not to be shown or kept as they are."""
    text: str = ""
    """All its words in lower case, for patterns to look at."""
    stated_wait_s: float | None = None
    reset_at: float | None = None
    """An absolute reset of the spent metric (epoch seconds)."""
    server_at: float | None = None
    """What time it was on the clock that `reset_at` was read off; None: it is believed to be ours."""
    source: Source = Source.DEFAULT
    """Where the wait or the reset was read."""
    limits: tuple[Stated, ...] = ()
    """What the body says of the provider's limits, beside its words."""
    after_content: bool = False
    """It happened behind the commit point."""

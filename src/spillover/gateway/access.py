"""Decide whether a request may come in: by the name it was sent to, who sent it, and its key.

A browser can be made to send requests by any page it shows. So the gateway answers only under its
own names (a page whose name was re-pointed at this machine has another), only to requests that no
foreign page made, and grants no page a look at its answers. Refuses to know routes' work.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs

import msgspec

from spillover.config.addresses import WILDCARDS, address_of
from spillover.config.secrets import Secret
from spillover.gateway.asgi import Headers
from spillover.gateway.guesses import Guesses
from spillover.gateway.sessions import COOKIE, Sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.gateway.settings import Settings


class Door(Enum):
    """What a route lies behind."""

    OPEN = auto()
    """No key: whether the gateway lives."""
    PROTOCOL = auto()
    """A client key, where there are any."""
    ADMIN = auto()
    """The admin key, where there are keys."""


class Denial(NamedTuple):
    """Why a request may not come in."""

    status: int
    code: str
    message: str
    wait_s: int = 0
    """Whole seconds until it is worth another try; 0: no time mends it."""

    @property
    def headers(self) -> dict[str, str]:
        """Return what says so to a program."""
        return {"retry-after": str(self.wait_s)} if self.wait_s else {}


class Arrival(msgspec.Struct, frozen=True):
    """What of a request decides whether it may come in."""

    method: str
    headers: Headers
    query: bytes = b""
    at: float = 0.0
    """Epoch seconds; what sessions and guesses are held against."""
    address: str = ""
    """Where it came from."""


_AUTHORITY: Final = re.compile(
    rb"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>[0-9]{1,5}))?"
)
_ORIGIN: Final = re.compile(rb"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#@\s]+)")
_DEFAULT_PORTS: Final = {b"http": 80, b"https": 443}
_SAFE: Final = frozenset({"GET", "HEAD"})
_OWN_SITE: Final = frozenset({b"same-origin", b"none"})
_MOST_KNOWN: Final = 256
"""Spellings of our own names that are remembered."""


class Access:
    """The rules of one set of settings; whoever changes the settings makes another."""

    def __init__(
        self,
        settings: Settings,
        guesses: Guesses | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        """Make the rules.

        `guesses` remembers wrong keys, and `sessions` who was logged out, from one set of settings
        to the next.
        """
        self._sessions = Sessions() if sessions is None else sessions
        self._guesses = Guesses() if guesses is None else guesses
        self._allowed = {_written(name) for name in settings.allowed_hosts}
        self._names = {_plain(settings.host), *self._allowed}
        self._wildcard = not settings.host or settings.host in WILDCARDS
        self._guarded = settings.is_guarded
        self._wants_client_key = bool(settings.client_keys)
        self._client_keys = tuple(
            _digest(key) for key in settings.client_keys if isinstance(key, Secret)
        )
        admin_key = settings.admin_key
        self._admin_keys: tuple[bytes, ...] = (
            (_digest(admin_key),) if isinstance(admin_key, Secret) else ()
        )
        self._known: set[bytes] = set()

    def deny(self, arrival: Arrival, door: Door) -> Denial | None:
        """Return why a request may not pass a door; None: it may."""
        headers = arrival.headers
        host = headers.get(b"host", b"")
        if host not in self._known and not self._is_ours(host):
            return Denial(
                403,
                "host_not_allowed",
                f"this gateway does not answer under {_shown(host)}: call it as localhost or "
                "127.0.0.1, or add the name to server.allowed_hosts",
            )
        if (b"origin" in headers or b"sec-fetch-site" in headers) and self._is_foreign(arrival):
            return Denial(
                403,
                "origin_not_allowed",
                f"a page of {_shown(headers.get(b'origin', b'another site'))} may not call this "
                "gateway: use a client outside the browser, or add its host to "
                "server.allowed_hosts",
            )
        if door is Door.PROTOCOL:
            return self._deny_client(arrival) if self._wants_client_key else None
        if door is Door.ADMIN and self._guarded:
            return self._deny_admin(arrival)
        return None

    @property
    def has_admin_key(self) -> bool:
        """Whether there is a key that opens what lies behind the admin's door."""
        return bool(self._admin_keys)

    def session(self, key: str, arrival: Arrival) -> str | Denial:
        """Return the cookie for a browser that showed this key, or why it gets none."""
        denial = self._judge([key.encode()], arrival)
        return self._sessions.issue(self._admin_keys[0], arrival.at) if denial is None else denial

    def end_session(self, arrival: Arrival) -> None:
        """Let nobody in any more by the cookie that a request has."""
        cookie = cookie_of(arrival.headers, COOKIE)
        for digest in self._admin_keys if cookie is not None else ():
            self._sessions.end(cookie or "", digest, arrival.at)

    def _is_ours(self, host: bytes) -> bool:
        """Whether a `Host` header names this gateway."""
        found = _AUTHORITY.fullmatch(host)
        if found is None:
            return False
        name = _plain((found["six"] or found["name"]).decode("ascii"))
        address = address_of(name)
        ours = (
            name == "localhost"
            or name.endswith(".localhost")
            or name in self._names
            # An address can't be re-pointed; behind a wildcard any of the machine's may be meant.
            or (address is not None and (address.is_loopback or self._wildcard))
        )
        if ours and len(self._known) < _MOST_KNOWN:
            self._known.add(host)
        return ours

    def _is_foreign(self, arrival: Arrival) -> bool:
        """Whether a page of another origin made the request."""
        headers = arrival.headers
        origin = headers.get(b"origin")
        if origin is not None:
            return not self._is_own_origin(origin, headers[b"host"])
        if headers[b"sec-fetch-site"] in _OWN_SITE:
            return False
        followed_a_link = (
            headers.get(b"sec-fetch-mode") == b"navigate"
            and headers.get(b"sec-fetch-dest") == b"document"
        )
        return not (followed_a_link and arrival.method in _SAFE)

    def _is_own_origin(self, origin: bytes, host: bytes) -> bool:
        """Whether an origin is the one the request was sent to, or one that is allowed."""
        parts = _ORIGIN.fullmatch(origin)
        theirs = parts and _AUTHORITY.fullmatch(parts["authority"])
        ours = _AUTHORITY.fullmatch(host)
        if parts is None or theirs is None or ours is None:
            return False
        name = _plain((theirs["six"] or theirs["name"]).decode("ascii"))
        if name in self._allowed:
            return True
        default = _DEFAULT_PORTS.get(parts["scheme"].lower())
        if default is None:
            return False
        return name == _plain((ours["six"] or ours["name"]).decode("ascii")) and int(
            theirs["port"] or default
        ) == int(ours["port"] or default)

    def _deny_client(self, arrival: Arrival) -> Denial | None:
        presented = [*_presented(arrival.headers), *_in_query(arrival.query)]
        if _is_known(_prints(presented), self._client_keys):
            return None
        problem = "this client key is not known" if presented else "no client key was sent"
        return Denial(
            401,
            "invalid_client_key",
            f"{problem}: send one of server.client_keys as 'Authorization: Bearer ...'",
        )

    def _deny_admin(self, arrival: Arrival) -> Denial | None:
        if self._has_session(arrival):
            return None
        return self._judge(list(_presented(arrival.headers)), arrival)

    def _judge(self, presented: list[bytes], arrival: Arrival) -> Denial | None:
        """Look at what is shown as the admin key, unless its sender has guessed too often."""
        if not self._admin_keys:
            why = "this route needs server.admin_key, which is not set"
            return Denial(401, "invalid_admin_key", why)
        prints = _prints(presented)
        wait_s = self._guesses.wait_s(arrival.address, prints, arrival.at)
        if wait_s:
            why = f"too many wrong admin keys came from {arrival.address}: wait {wait_s} s"
            return Denial(429, "too_many_guesses", why, wait_s)
        if _is_known(prints, self._admin_keys):
            return None
        self._guesses.note(arrival.address, prints, arrival.at)
        problem = "this is not the admin key" if presented else "no admin key was sent"
        return Denial(
            401,
            "invalid_admin_key",
            f"{problem}: send server.admin_key as 'Authorization: Bearer ...'",
        )

    def _has_session(self, arrival: Arrival) -> bool:
        cookie = cookie_of(arrival.headers, COOKIE)
        return cookie is not None and any(
            self._sessions.is_valid(cookie, digest, arrival.at) for digest in self._admin_keys
        )


def cookie_of(headers: Headers, name: str) -> str | None:
    """Return the value of a cookie that a browser sent; of one sent twice, the first."""
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        found, _, value = part.strip().partition("=")
        if found == name:
            return value
    return None


def _prints(presented: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(key).digest() for key in presented]


def _is_known(prints: list[bytes], digests: tuple[bytes, ...]) -> bool:
    """Compare every key presented with every known one, in a time that tells nothing of them."""
    known = False
    for digest in prints:
        for each in digests:
            known |= hmac.compare_digest(digest, each)
    return known


def _presented(headers: Headers) -> Iterator[bytes]:
    authorization = headers.get(b"authorization", b"")
    if authorization[:7].lower() == b"bearer ":
        yield authorization[7:].strip()
    for name in (b"x-api-key", b"x-goog-api-key"):
        if name in headers:
            yield headers[name].strip()


def _in_query(query: bytes) -> list[bytes]:
    if b"key=" not in query:
        return []
    return [value.encode() for value in parse_qs(query.decode("latin-1")).get("key", ())[:1]]


def owner_of(headers: Headers, query: bytes) -> bytes:
    """Return a print of the keys that a client shows: what is kept for it is kept under this."""
    shown = [*_presented(headers), *_in_query(query)]
    return hashlib.sha256(b"\n".join(shown)).digest()


def _digest(key: Secret) -> bytes:
    return hashlib.sha256(key.reveal().encode()).digest()


def _plain(name: str) -> str:
    """Return a host name or address in the one way in which they are compared."""
    name = name.strip("[]").lower().removesuffix(".")
    address = address_of(name)
    return name if address is None else str(address)


def _written(name: str) -> str:
    """Return a name of the configuration likewise; a port beside it means nothing."""
    found = _AUTHORITY.fullmatch(name.encode("utf-8"))
    return _plain(name if found is None else (found["six"] or found["name"]).decode("ascii"))


def _shown(value: bytes) -> str:
    """Return a header's value as it may stand in a message: short, and printable."""
    text = value[:80].decode("ascii", "replace")
    return repr("".join(c if c.isprintable() else "?" for c in text)) if text else "no name"

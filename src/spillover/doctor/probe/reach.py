"""Go the way to a host step by step: its address, a connection, TLS; and look at what it shows.

No credential is sent. Refuses to judge.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohappyeyeballs import start_connection
from msgspec.structs import replace

from spillover.clock import SystemClock
from spillover.doctor.judge.network import Certificate, Way
from spillover.doctor.probe.files import without_login
from spillover.doctor.probe.resolver import addresses_by
from spillover.protocols.spans import http_date_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohappyeyeballs import AddrInfoType

STEP_S: Final = 3.0
"""How long one step may take."""
NEXT_ADDRESS_S: Final = 0.25
"""How long one address is tried before the next is tried beside it (RFC 8305)."""
_IGNORE_TIMES: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: an expired certificate can be read all the same."""


def proxy_of(host: str, port: int, *, secure: bool) -> str:
    """Return the proxy that requests to a host go through, login and all; empty: none."""
    found = getproxies()
    proxy = found.get("https" if secure else "http") or found.get("all") or ""
    if not proxy or proxy_bypass(f"{host}:{port}"):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


async def way_to(host: str, port: int, *, secure: bool, resolver: str = "") -> Way:
    """Return how far one gets on the way to a host."""
    proxy = proxy_of(host, port, secure=secure)
    if proxy:
        parts = urlsplit(proxy)
        usual = 443 if parts.scheme == "https" else 80
        found = Way(host=host, port=port, secure=secure, proxy=without_login(proxy))
        return (await _connected(found, parts.hostname or "", parts.port or usual))[0]
    found = Way(host=host, port=port, secure=secure)
    found, rows = await _connected(found, host, port)
    found = await _asked_elsewhere(found, resolver)
    if found.tcp_error or found.dns_error or not secure:
        return found
    return await _secured(found, rows)


async def _connected(found: Way, host: str, port: int) -> tuple[Way, list[AddrInfoType]]:
    """Look a host up and connect to it."""
    try:
        async with asyncio.timeout(STEP_S):
            rows = await _looked_up(host, port)
    except (OSError, UnicodeError) as error:
        return replace(found, dns_error=_words(error)), []
    found = replace(found, addresses=tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
    began_s = time.monotonic()
    refusal = await _tried(rows)
    if refusal:
        return replace(found, tcp_error=refusal), rows
    return replace(found, tcp_ms=(time.monotonic() - began_s) * 1_000), rows


async def _looked_up(host: str, port: int) -> list[AddrInfoType]:
    """Ask the system for a host's addresses, in a thread that nobody waits for in the end.

    A resolver that does not answer holds its thread for half a minute, which no timeout ends.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[list[AddrInfoType]] = loop.create_future()

    def tell(error: BaseException | None, rows: list[AddrInfoType]) -> None:
        if answered.done():
            return
        if error is None:
            answered.set_result(rows)
        else:
            answered.set_exception(error)

    def run() -> None:
        rows: list[AddrInfoType] = []
        failed: BaseException | None = None
        try:
            rows = [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, failed, rows)

    threading.Thread(target=run, name=f"look up {host}", daemon=True).start()
    return await answered


async def _dialled(rows: list[AddrInfoType]) -> socket.socket:
    """Return a connection to the first of the addresses that takes one, as requests get theirs."""
    loop = asyncio.get_running_loop()
    return await start_connection(
        rows, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=loop
    )


async def _tried(rows: list[AddrInfoType]) -> str:
    """Connect and leave; return why that failed, or nothing."""
    try:
        async with asyncio.timeout(STEP_S):
            connected = await _dialled(rows)
    except OSError as error:  # TimeoutError is one
        return _words(error)
    connected.close()
    return ""


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {STEP_S:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error).replace("_", " ").lower()
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


async def _asked_elsewhere(found: Way, resolver: str) -> Way:
    """Ask a second resolver, where it is allowed and the host is a name."""
    if not resolver or _is_address(found.host):
        return found
    try:
        others = await addresses_by(resolver, found.host)
    except (OSError, ValueError) as error:
        return replace(found, resolver=resolver, other_error=_words(error))
    found = replace(found, resolver=resolver, other_addresses=others)
    if not found.tcp_error or set(others) <= set(found.addresses):
        return found
    tried = [await _tried([_row(other, found.port)]) for other in others[:2]]
    return replace(found, other_works="" in tried)


def _row(address: str, port: int) -> AddrInfoType:
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _secured(found: Way, rows: list[AddrInfoType]) -> Way:
    """Agree on TLS as requests do; where that fails, look at what was shown."""
    # Reading the system's certificates takes a moment.
    trusting = await asyncio.to_thread(ssl.create_default_context)
    try:
        shown = await _shown(found, rows, trusting)
    except ssl.SSLCertVerificationError as error:
        found = replace(found, tls_error=error.verify_message, tls_code=error.verify_code)
    except (OSError, ssl.SSLError) as error:
        return replace(found, tls_error=_words(error))
    else:
        return replace(found, certificate=_certificate(shown))
    with contextlib.suppress(OSError, ssl.SSLError, ValueError):
        certificate, skew_s = await _looked_at(found, rows)
        found = replace(found, certificate=certificate, skew_s=skew_s)
    return found


async def _shown(found: Way, rows: list[AddrInfoType], context: ssl.SSLContext) -> dict[str, Any]:
    async with asyncio.timeout(STEP_S):
        _reader, writer = await asyncio.open_connection(
            sock=await _dialled(rows), ssl=context, server_hostname=found.host
        )
    try:
        shown: dict[str, Any] = writer.get_extra_info("peercert") or {}
    finally:
        writer.transport.abort()
    return shown


async def _looked_at(found: Way, rows: list[AddrInfoType]) -> tuple[Certificate, float | None]:
    """Return a certificate that is not trusted, and the clock's distance from its host's.

    It is read by trusting it alone, whatever its dates and names; nothing is sent but `HEAD /`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    skew_s = None
    async with asyncio.timeout(STEP_S):
        reader, writer = await asyncio.open_connection(
            sock=await _dialled(rows), ssl=context, server_hostname=found.host
        )
        der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.write(f"HEAD / HTTP/1.1\r\nhost: {found.host}\r\n\r\n".encode())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            skew_s = _skew(await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()
    alone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    alone.check_hostname = False
    alone.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(der))
    alone.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | _IGNORE_TIMES
    return _certificate(await _shown(found, rows, alone)), skew_s


def _skew(head: bytes) -> float | None:
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "date":
            return skew_of(value.strip())
    return None


def skew_of(date: str | None) -> float | None:
    """Return how far this machine's clock is ahead of a `Date` header."""
    told = None if date is None else http_date_of(date)
    return None if told is None else SystemClock().now() - told


def _certificate(shown: dict[str, Any]) -> Certificate:
    if not shown:
        return Certificate()
    return Certificate(
        subject=_distinguished(shown.get("subject", ())),
        issuer=_distinguished(shown.get("issuer", ())),
        names=tuple(name for _, name in shown.get("subjectAltName", ())),
        starts_at=float(ssl.cert_time_to_seconds(shown["notBefore"])),
        ends_at=float(ssl.cert_time_to_seconds(shown["notAfter"])),
    )


def _distinguished(parts: Iterable[Iterable[tuple[str, str]]]) -> str:
    found = {name: value for part in parts for name, value in part}
    names = (found.get("organizationName"), found.get("commonName"))
    return " ".join(name for name in names if name)

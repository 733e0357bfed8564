"""Judge the way to a host: its address, the connection, the certificate, the clock.

Refuses to know requests: what is answered is judged in `answers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

LATE_S: Final = 30.0
"""A clock off by more makes windows open and close at the wrong time."""
WRONG_S: Final = 300.0
SOON_S: Final = 7 * 86_400.0
_EXPIRED, _NOT_YET, _NAME = 10, 9, 62
_UNKNOWN_SIGNER: Final = frozenset({18, 19, 20, 21})
"""OpenSSL's codes (x509_vfy.h): self-signed, self-signed in the chain, no issuer, one alone."""
_INTERCEPTORS: Final = (
    # Names in the certificates of programs that look into TLS, and what they are.
    ("zscaler", "a company's proxy"),
    ("netskope", "a company's proxy"),
    ("fortinet", "a company's firewall"),
    ("fortigate", "a company's firewall"),
    ("palo alto", "a company's firewall"),
    ("blue coat", "a company's proxy"),
    ("cisco umbrella", "a company's resolver"),
    ("sophos", "a firewall or antivirus"),
    ("kaspersky", "an antivirus"),
    ("avast", "an antivirus"),
    ("avg ", "an antivirus"),
    ("eset", "an antivirus"),
    ("bitdefender", "an antivirus"),
    ("mcafee", "an antivirus"),
    ("norton", "an antivirus"),
    ("dr.web", "an antivirus"),
    ("adguard", "an ad blocker"),
    ("mitmproxy", "a debugging proxy"),
    ("charles proxy", "a debugging proxy"),
    ("fiddler", "a debugging proxy"),
    ("portswigger", "a debugging proxy"),
)


class Certificate(Value, frozen=True, kw_only=True):
    """What a host shows."""

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    starts_at: float = 0.0
    ends_at: float = 0.0


class Way(Value, frozen=True, kw_only=True):
    """How far one got on the way to a host; the first fault ends it."""

    host: str
    port: int
    secure: bool
    proxy: str = ""
    """Through which it goes; empty: straight."""
    addresses: tuple[str, ...] = ()
    dns_error: str = ""
    resolver: str = ""
    """A second one that was asked; empty: none was."""
    other_addresses: tuple[str, ...] = ()
    other_error: str = ""
    other_works: bool = False
    """A connection came about to what the second resolver said."""
    tcp_error: str = ""
    tcp_ms: float | None = None
    tls_error: str = ""
    tls_code: int = 0
    certificate: Certificate | None = None
    skew_s: float | None = None
    """How far this machine's clock is ahead of the host's, where its `Date` was heard."""

    @property
    def is_up(self) -> bool:
        """Whether requests can be sent."""
        return not (self.dns_error or self.tcp_error or self.tls_error)


def way(found: Way, system: System, now: float) -> Iterator[Finding]:
    """Yield what is wrong on the way to a host."""
    if found.proxy:
        yield from _proxied(found, system)
        return
    yield from _dns(found, system)
    if found.dns_error:
        return
    yield from _tcp(found, system)
    if found.secure and not found.tcp_error:
        yield from _tls(found, system, now)


def _proxied(found: Way, system: System) -> Iterator[Finding]:
    where = f"the proxy {found.proxy}"
    if found.is_up:
        yield Finding(check="net.tcp", about=found.host, saw=f"goes through {where}, which is up")
        return
    yield Finding(
        check="net.tcp",
        level=Level.PROBLEM,
        about=found.host,
        saw=f"goes through {where}, which can't be reached: {found.dns_error or found.tcp_error}",
        why="a proxy variable of the environment sends every remote request there",
        remedy=command(
            system,
            Act.SET_VARIABLE,
            name="NO_PROXY",
            value=f"localhost,127.0.0.1,{found.host}",
        )
        + "\nor start the proxy",
    )


def _dns(found: Way, system: System) -> Iterator[Finding]:
    flush = command(system, Act.FLUSH_DNS)
    look_up = command(system, Act.LOOK_UP, host=found.host)
    others = ", ".join(found.other_addresses[:3])
    if found.dns_error and found.other_addresses:
        yield Finding(
            check="net.dns",
            level=Level.PROBLEM,
            about=found.host,
            saw=f"{found.dns_error}; {found.resolver} has {others}",
            why="the system's resolver does not know a host that there is: its cache is stale, or it"
            " blocks the name",
            remedy=f"{flush}\nthen {look_up}",
        )
    elif found.dns_error:
        asked = f"; {found.resolver}: {found.other_error}" if found.other_error else ""
        hint = "" if found.resolver else "\nspillover doctor --resolver 1.1.1.1"
        yield Finding(
            check="net.dns",
            level=Level.PROBLEM,
            about=found.host,
            saw=f"no address: {found.dns_error}{asked}",
            why="the name is misspelt, or this machine is off the network (a VPN may hold it)",
            remedy=f"{look_up}\n{flush}{hint}",
        )
    elif found.tcp_error and found.other_works:
        yield Finding(
            check="net.dns",
            level=Level.PROBLEM,
            about=found.host,
            saw=f"{', '.join(found.addresses[:3])} does not answer; {found.resolver} says {others},"
            " which does",
            why="the system's address is stale",
            remedy=flush,
        )
    else:
        beside = f"; {found.resolver} says {others}" if others else ""
        shown = ", ".join(found.addresses[:3])
        yield Finding(check="net.dns", about=found.host, saw=f"{shown}{beside}")


def _tcp(found: Way, system: System) -> Iterator[Finding]:
    about = f"{found.host}:{found.port}"
    if not found.tcp_error:
        yield Finding(check="net.tcp", about=about, saw=f"connected in {found.tcp_ms or 0:.0f} ms")
        return
    yield Finding(
        check="net.tcp",
        level=Level.PROBLEM,
        about=about,
        saw=found.tcp_error,
        why="nothing listens there, or a firewall or VPN stands between",
        remedy=command(system, Act.TRY_PORT, host=found.host, port=found.port),
    )


def _tls(found: Way, system: System, now: float) -> Iterator[Finding]:
    certificate = found.certificate or Certificate()
    spy = _interceptor(certificate)
    if not found.tls_error:
        yield from _trusted(found, certificate, spy, now)
        return
    code = found.tls_code
    is_late = code in {_EXPIRED, _NOT_YET} and abs(found.skew_s or 0.0) > WRONG_S
    if is_late:
        yield from clock(found.host, found.skew_s, system)
        why, remedy = "this machine's clock is wrong", command(system, Act.SET_CLOCK)
    elif code == _EXPIRED:
        why = "the host's certificate has expired; that is for its owner to mend"
        remedy = f"wait, or: spillover disable PROFILE (of {found.host})"
    elif code == _NOT_YET:
        why, remedy = "the certificate begins in the future", command(system, Act.SET_CLOCK)
    elif code == _NAME:
        shown = ", ".join(certificate.names[:3]) or certificate.subject
        why = f"it is of {shown}: something else answers there, such as a captive portal"
        remedy = "check base_url, and open any page in a browser to log in to the network"
    elif spy or code in _UNKNOWN_SIGNER:
        who = (
            f"{spy} ({certificate.issuer})" if spy else f"{certificate.issuer or 'an unknown one'}"
        )
        why = f"it was signed by {who}, whom this machine does not trust: TLS is intercepted here,"
        why += " or the host signs for itself"
        remedy = command(
            system, Act.SET_VARIABLE, name="SSL_CERT_FILE", value="/path/to/its/authority.pem"
        )
    else:
        why, remedy = (
            "no secure connection comes about",
            command(system, Act.TRY_PORT, host=found.host, port=found.port),
        )
    yield Finding(
        check="net.tls",
        level=Level.PROBLEM,
        about=found.host,
        saw=found.tls_error,
        why=why,
        remedy=remedy,
    )


def _trusted(found: Way, shown: Certificate, spy: str, now: float) -> Iterator[Finding]:
    if spy:
        yield Finding(
            check="net.tls",
            level=Level.WARNING,
            about=found.host,
            saw=f"the certificate was signed by {shown.issuer}: {spy} looks into the connection",
            why="it reads keys and prompts, and often breaks or delays streams",
            remedy=f"exclude {found.host} from its inspection",
        )
    elif 0 < shown.ends_at - now < SOON_S:
        days = (shown.ends_at - now) / 86_400
        yield Finding(
            check="net.tls",
            level=Level.NOTE,
            about=found.host,
            saw=f"the certificate ends in {days:.0f} days",
        )
    else:
        yield Finding(
            check="net.tls", about=found.host, saw=f"signed by {shown.issuer or 'a trusted one'}"
        )


def _interceptor(shown: Certificate) -> str:
    issuer = shown.issuer.lower()
    return next((kind for name, kind in _INTERCEPTORS if name in issuer), "")


def clock(host: str, skew_s: float | None, system: System) -> Iterator[Finding]:
    """Yield how far this machine's clock is from a host's."""
    if skew_s is None:
        return
    off = abs(skew_s)
    said = f"{off:.0f} s {'ahead of' if skew_s > 0 else 'behind'} {host}"
    if off <= LATE_S:
        yield Finding(check="net.clock", about=host, saw=f"within {LATE_S:.0f} s of {host}")
        return
    yield Finding(
        check="net.clock",
        level=Level.PROBLEM if off > WRONG_S else Level.WARNING,
        about=host,
        saw=f"this machine's clock is {said}",
        why="waits that providers state, and windows that reset at midnight, are taken for another"
        " time; certificates may count as expired",
        remedy=command(system, Act.SET_CLOCK),
    )

"""Name what broke an exchange from the words of an exception, whichever library raised it.

Rules of this file:
- Rows are tried in order, what names a cause before what names a kind: a connect error may be a name
  that does not resolve, a certificate, a refusal.
- Names and operating systems' texts are matched in lower case, with Node's, Python's, httpx's,
  aiohttp's, requests' and the OpenAI SDK's spellings beside each other.

Refuses to know what is done about a fault, and errors that a provider answered.
"""

from __future__ import annotations

from typing import Final

from spillover.core.evidence import TransportFault
from spillover.core.signs import Phrases

_ROWS: Final = (
    (
        TransportFault.POOL,
        Phrases("pooltimeout", "pool timeout", "poolacquiretimeout", "queuepool limit"),
        "httpx and urllib3: no connection of ours was free",
    ),
    (
        TransportFault.DNS,
        Phrases(
            "enotfound",
            "eai_again",
            "eai_noname",
            "eai_nodata",
            "getaddrinfo",
            "gaierror",
            "dnserror",
            "nameresolutionerror",
            "name or service not known",
            "nodename nor servname",
            r"name[ _]resolution",
            "no address associated with hostname",
            r"could ?n[o']t resolve",
            "no such host is known",
            "no such host",
            r"\[errno -[2-5]\]",
            "winerror 11001",
        ),
        "Node's and Python's resolvers",
    ),
    (
        TransportFault.TLS,
        Phrases(
            r"\[ssl: ",
            r"\bssl\.?(?:cert|error|eof|zero|want)",
            "sslerror",
            "sslcertverificationerror",
            "certificateerror",
            "certificate verify failed",
            r"cert(?:ificate)? (?:has )?expired",
            r"cert_(?:has_expired|not_yet_valid|signature_failure|untrusted)",
            r"self[-_ ]signed[-_ ]cert",
            "unable_to_verify_leaf_signature",
            "unable to verify the first certificate",
            "unable_to_get_issuer_cert",
            "err_tls_cert_altname_invalid",
            r"\beproto\b",
            "tls handshake",
            r"ssl(?:v3)?[ _]alert",
            "wrong version number",
            "connectorsslerror",
            r"serverfingerprintmismatch",
        ),
        "OpenSSL as Python and Node tell of it",
    ),
    (
        TransportFault.REFUSED,
        Phrases(
            "econnrefused",
            r"connection ?refused",
            r"\[errno (?:111|61)\]",
            "winerror 10061",
            "connect call failed",
            "actively refused",
        ),
        "connect(2), and Windows' words",
    ),
    (
        TransportFault.UNREACHABLE,
        Phrases(
            "ehostunreach",
            "enetunreach",
            "enetdown",
            "ehostdown",
            "eaddrnotavail",
            "eaddrinuse",
            "address already in use",
            "address not available",
            "no route to host",
            r"network (?:is )?unreachable",
            "host is down",
            r"\[errno (?:98|99|101|113|48|49|51|65)\]",
            r"winerror 100(?:48|49|51|65)",
            "proxyerror",
            "proxyconnectionerror",
            "unsupportedprotocol",
            "invalidurl",
        ),
        "connect(2) and bind(2); a proxy that fails",
    ),
    (
        TransportFault.CONNECT_TIMEOUT,
        Phrases(
            r"connect(?:ion)?[ _]?timeout",
            r"\betimedout\b",
            r"connection timed out",
            r"connect(?:ing)? timed out",
            r"\[errno (?:110|60)\]",
            "winerror 10060",
            "servertimeouterror: connection",
        ),
        "connect(2), httpx, aiohttp, urllib3 and undici",
    ),
    (
        TransportFault.BROKEN_PIPE,
        Phrases(r"\bepipe\b", "broken ?pipe", r"\[errno 32\]", "err_stream_write_after_end"),
        "write(2)",
    ),
    (
        TransportFault.TOTAL_TIMEOUT,
        Phrases(
            r"time(?:d)?[ _]?out",
            r"econnaborted.{0,40}timeout",
            "esockettimedout",
            "deadline exceeded",
            "deadlineexceeded",
            "cancelled due to time",
        ),
        "read and total time-outs of httpx, aiohttp, requests, axios, undici and SDKs",
    ),
    (
        TransportFault.CLOSED_BEFORE_HEAD,
        Phrases(
            "server ?disconnected",
            "disconnected without sending",
            "remotedisconnected",
            "remote end closed connection",
            "empty reply from server",
            "badstatusline",
        ),
        "httpx, aiohttp, http.client and curl: a kept connection was stale",
    ),
    (
        TransportFault.CUT,
        Phrases(
            "without sending complete message",
            r"incomplete ?(?:read|chunked|message|body)",
            "payloaderror",
            "payload is not completed",
            "chunkedencodingerror",
            "transferencodingerror",
            "premature close",
            "premature_close",
            r"closed before a finish",
            r"stream (?:was )?(?:closed|ended|reset|terminated)",
            r"err_stream_(?:premature|destroyed)",
            "unexpected eof",
        ),
        "httpx, aiohttp, requests and Node: the body ended early",
    ),
    (
        TransportFault.RESET,
        Phrases(
            "econnreset",
            "econnaborted",
            r"connection ?(?:was )?(?:reset|aborted|closed|lost)",
            r"\[errno (?:104|103|54|53)\]",
            r"winerror 100(?:53|54)",
            r"\b(?:read|write)error\b",
            "clientoserror",
            "socket hang up",
            "und_err_socket",
            "other side closed",
            "closedresourceerror",
            "brokenresourceerror",
        ),
        "read(2), httpx, aiohttp, anyio and undici",
    ),
    (
        TransportFault.CLOSED_BEFORE_HEAD,
        Phrases("remoteprotocolerror"),
        "httpx: most often a kept connection that the server had dropped",
    ),
    (
        TransportFault.MALFORMED_HTTP,
        Phrases(
            "protocolerror",
            "clientresponseerror",
            "badhttpmessage",
            r"hpe_[a-z]",
            "decodingerror",
            "contentdecodingerror",
            "toomanyredirects",
            "invalid http",
            "illegal header",
        ),
        "httpx, aiohttp and Node: the answer is not HTTP",
    ),
    (
        TransportFault.UNREACHABLE,
        Phrases(
            r"connect(?:or|ion)?error",
            r"connection error",
            r"cannot connect",
            r"(?:failed to|could not|couldn't|can't|unable to) connect",
            r"newconnection",
            r"max retries exceeded",
            "fetch failed",
            r"network ?error",
            r"\b(?:io|os|socket)error\b",
            "transporterror",
        ),
        "kinds of several libraries that name no cause",
    ),
)
"""What words mean, each with where they are from; the more telling ones first."""


def fault_of(words: str) -> TransportFault | None:
    """Return the fault that an exception's name and text tell of; None: it tells of none."""
    text = words.lower()
    for fault, phrases, _ in _ROWS:
        if phrases.found_in(text):
            return fault
    return None

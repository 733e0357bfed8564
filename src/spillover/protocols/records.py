"""Say what one recorded exchange means: the door of classification for tools, tests and people.

Rules of this file:
- The same readers and tables serve the gateway; nothing is known here that it does not know, but one
  thing: an answer whose whole text is a relayed error is read as that error. A record is shown because
  somebody takes it for an error; in traffic the same text may be an honest answer.
- A record may hold a part of a stream: what has not ended without content has not failed yet.

Refuses to know clocks: a record says when it was made, or its `Date` header does.
"""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final, TypedDict, assert_never

import msgspec

from spillover.core.evidence import Evidence, Shape, TransportFault
from spillover.core.failures import classify as named
from spillover.core.failures import is_named
from spillover.core.values import Confidence, FailureClass, FaultScope, Operation, Source, Value
from spillover.protocols.exceptions import fault_of
from spillover.protocols.hints import read_error
from spillover.protocols.native import Kind, read_native
from spillover.protocols.openai_answers import OK, cut, hollow, read_answer
from spillover.protocols.openai_streams import StreamReader
from spillover.protocols.spans import http_date_of, instant_of
from spillover.protocols.sse import EventTooLarge, Splitter, payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.core.values import Failure


class Record(TypedDict, total=False):
    """What is known of an exchange; all of it may be missing."""

    provider: str
    """The catalogue's id of the provider, or one of its aliases."""
    status: int | None
    headers: Mapping[str, str]
    body: str | bytes
    exception: str | BaseException | None
    """What a client raised, by name and text."""
    stream: bool
    """The body is a stream of events; told from the body itself when missing."""
    now: float | str | None
    """When it was received: epoch seconds or RFC 3339."""


class Classified(Value, frozen=True, kw_only=True):
    """What an exchange means."""

    failure: bool
    """False: nothing failed, and all else says nothing."""
    class_: FailureClass | None = msgspec.field(default=None, name="class")
    scope: FaultScope | None = None
    stated_wait_s: float | None = None
    """The wait that the provider states, as far as it can be true."""
    source: Source | None = None
    confidence: Confidence | None = None
    retry_elsewhere: bool = False
    """Another provider may accept the same request."""
    quota_window: str | None = None
    """`minute`, `hour`, `day`, `week`, `month`, or `concurrency` for calls in flight."""
    permanent: bool = False
    """Waiting won't mend it."""


NO_FAILURE: Final = Classified(failure=False)


def classify(record: Mapping[str, Any] | None = None, /, **fields: Any) -> Classified:
    """Return what a recorded exchange means.

    Takes the fields of `Record` as one mapping or by name; others are passed over, and what has the
    wrong type counts as missing. Pure: the same record always means the same.
    """
    given = {**(record or {}), **fields}
    failure = failure_of(given)
    return NO_FAILURE if failure is None else _shown(failure, _at(given))


def failure_of(record: Mapping[str, Any]) -> Failure | None:
    """Return what failed in a recorded exchange as the gateway would know it; None: nothing."""
    now = _known_at(record)
    given = {**record, "headers": _headers(record.get("headers")), "now": now}
    evidence = _evidence_of(given)
    return None if evidence is None else named(evidence, now=_at(record))


def is_recognised(record: Mapping[str, Any]) -> bool:
    """Return whether anything in a record that fails is known to be an error's.

    That is a status, a body of an error's or a page's shape, or what the tables name.
    """
    evidence = _evidence_of({**record, "headers": _headers(record.get("headers")), "now": None})
    if evidence is None:
        return False
    known = evidence.status is not None or evidence.shape in {Shape.STRUCTURED, Shape.HTML}
    return known or is_named(evidence)


def _known_at(record: Mapping[str, Any]) -> float | None:
    now = _instant(record.get("now"))
    return http_date_of(_headers(record.get("headers")).get("date")) if now is None else now


def _at(record: Mapping[str, Any]) -> float:
    now = _known_at(record)
    return -inf if now is None else now


def _shown(failure: Failure, now: float) -> Classified:
    wait = failure.stated_wait_s
    if failure.reset_at is not None:
        wait = failure.reset_at - now
    window = failure.quota_window
    return Classified(
        failure=True,
        class_=failure.failure,
        scope=failure.scope,
        stated_wait_s=wait,
        source=failure.source,
        confidence=failure.confidence,
        retry_elsewhere=failure.retry_elsewhere,
        quota_window="concurrency" if failure.concurrency else window and window.value,
        permanent=failure.permanent,
    )


def _headers(given: Any) -> dict[str, str]:
    if not hasattr(given, "items"):
        return {}
    return {
        str(name).lower(): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in given.items()
        if value is not None
    }


def _instant(given: Any) -> float | None:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given) if abs(given) < _LAST_INSTANT and isfinite(given) else None
    return instant_of(given)


_LAST_INSTANT: Final = 1e11


def _status(given: Any) -> int | None:
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        return None


def _body(given: Any) -> bytes:
    if given is None:
        return b""
    if isinstance(given, str):
        return given.encode("utf-8", "surrogatepass")
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    try:
        return msgspec.json.encode(given)
    except (TypeError, ValueError, RecursionError):
        return repr(given).encode("utf-8", "replace")


def _raised(given: Any) -> str:
    """Return the name and the text of an exception and of what caused it."""
    if not isinstance(given, BaseException):
        return "" if given is None else str(given)
    words: list[str] = []
    cause: BaseException | None = given
    while cause is not None and len(words) < _MOST_CAUSES:
        words.append(f"{type(cause).__module__}.{type(cause).__qualname__}: {cause}")
        cause = cause.__cause__ or cause.__context__
    return "\n".join(words)


_MOST_CAUSES: Final = 5


def _evidence_of(given: Mapping[str, Any]) -> Evidence | None:
    """Return what is wrong with an exchange; None: nothing."""
    provider, headers = str(given.get("provider") or ""), given["headers"]
    status, body = _status(given.get("status")), _body(given.get("body"))
    raised = _raised(given.get("exception"))
    if raised:
        words = f"{raised}\n{body[:_MOST_WORDS].decode('utf-8', 'replace')}"
        # An exception's own text may stand in the body of its record.
        fault = fault_of(words if status is None else raised)
        if fault is not None:
            return Evidence(provider=provider, fault=fault, status=status, message=words.strip())
    if status is None:
        status = _told_status(f"{raised}\n{body[:_MOST_WORDS].decode('utf-8', 'replace')}")
    refused = status is not None and not OK <= status < _FIRST_REDIRECT
    if not (refused or raised):
        return _accepted(given, provider, headers, body)
    evidence = read_error(
        provider=provider,
        status=status,
        headers=headers,
        body=body or raised.encode("utf-8", "replace"),
        now=given["now"],
    )
    kind = raised.partition(":")[0].rpartition(".")[2].lower()
    return msgspec.structs.replace(evidence, codes=(*evidence.codes, kind)) if kind else evidence


_FIRST_REDIRECT: Final = 300
_MOST_WORDS: Final = 2_048


_TOLD_STATUS: Final = re.compile(
    r"(?:\bhttp(?:/[\d.]{1,3})?|\bstatus(?:[ _]?code)?|\berror(?: code)?|\bcode)[\"']?[ :=]{1,3}"
    r"[\"']?(?P<plain>[345]\d\d)\b|'(?P<quoted>[345]\d\d) [A-Z]|^(?P<leading>[345]\d\d)[ :]"
    r"|: (?P<named>[345]\d\d) [A-Z]|\[(?P<boxed>[345]\d\d)[\] ]|<(?:title|h1)>(?P<page>[345]\d\d)\b"
    r"|\A(?P<alone>[345]\d\d)\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)


def _told_status(words: str) -> int | None:
    """Return the HTTP status that a pasted error or an exception's text tells of."""
    found = _TOLD_STATUS.search(words)
    return None if found is None else int(next(filter(None, found.groups())))


def _accepted(
    given: Mapping[str, Any], provider: str, headers: Mapping[str, str], body: bytes
) -> Evidence | None:
    """Return what is wrong with an answer that came as fine."""
    is_stream = body.lstrip().startswith((b"data:", b"event:", b":", b"id:", b"retry:"))
    if is_stream or (given.get("stream") is True and not body.lstrip().startswith((b"{", b"<"))):
        return _streamed(provider, headers, body)
    native = read_native(body)
    match native:
        case Kind.WHOLE | Kind.CONTENT | Kind.PROGRESS:
            return None
        case Kind.EMPTY:
            return hollow(provider, None)
        case Kind.BLOCKED:
            return hollow(provider, "content_filter")
        case Kind.OPENAI:
            answer = read_answer(body, Operation.CHAT, provider=provider, headers=headers)
            return answer.evidence or _relayed_as_text(given, provider, body)
        case Kind.ERROR | Kind.NEITHER:
            status, now = _status(given.get("status")), given["now"]
            return read_error(provider=provider, status=status, headers=headers, body=body, now=now)
        case _:
            assert_never(native)


class _Message(msgspec.Struct):
    content: str = ""


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


_answer: Final = msgspec.json.Decoder(_Answer)
_RELAYED: Final = re.compile(
    r"\s*(?:api )?error:? [^{}]{0,60}?\(?(?P<status>[45]\d\d)\)?[^{}]{0,20}(?P<body>\{.*\})\s*",
    re.IGNORECASE | re.DOTALL,
)


def _relayed_as_text(given: Mapping[str, Any], provider: str, body: bytes) -> Evidence | None:
    """Return an error that a relay wrote into the answer's text, where the text is nothing else."""
    try:
        choices = _answer.decode(body).choices
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    found = _RELAYED.fullmatch(choices[0].message.content)
    if found is None or '"error"' not in found["body"]:
        return None
    return read_error(
        provider=provider,
        status=int(found["status"]),
        headers=given["headers"],
        body=found["body"].encode("utf-8", "surrogatepass"),
        now=given["now"],
    )


def _streamed(provider: str, headers: Mapping[str, str], body: bytes) -> Evidence | None:
    """Return what is wrong with the stream, or the part of one, in `body`."""
    reader = StreamReader(provider=provider)
    native: set[Kind] = set()
    try:
        events = Splitter().feed(body + b"\n\n")
    except EventTooLarge as error:
        return Evidence(provider=provider, fault=TransportFault.MALFORMED_HTTP, message=str(error))
    silent = True
    for event in events:
        carried = payload(event)
        if carried.data is None or not carried.data.strip():
            silent = silent and not event.lstrip().startswith((b":", b"event:"))
            continue
        silent = False
        kind = read_native(carried.data, event=carried.name)
        if kind is Kind.ERROR:
            return read_error(provider=provider, status=OK, headers=headers, body=carried.data)
        if kind is Kind.BLOCKED:
            return hollow(provider, "content_filter")
        if kind in {Kind.OPENAI, Kind.NEITHER}:
            seen = reader.feed(event)
            if seen.error is not None:
                return seen.error
        else:
            native.add(kind)
    if silent:
        return read_error(provider=provider, status=OK, headers=headers, body=body)
    if reader.has_content or reader.finished or reader.done:
        return reader.end()
    if Kind.CONTENT in native and Kind.WHOLE not in native:
        return cut(provider, after_content=True)
    return None

"""Read what a provider says of a failure: its words, its codes, and what it tells of waiting.

Rules of this file:
- Any body is read: JSON in every shape that is met in the wild, JSON inside a message, an event
  stream, HTML, plain text, nothing. Depth, breadth and length are bounded: a body may be hostile.
- Fields that echo the request (`input`) are never looked into.

Refuses to know what a failure is called and what follows from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.core.evidence import Evidence, Shape
from spillover.protocols.quota_violations import read_violations
from spillover.protocols.sse import Splitter, payload
from spillover.protocols.waits import WAIT_FIELDS, spent_metrics, stated_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_TEXT_CHARS: Final = 4_096
"""Words of one text beyond this are not looked at."""
HEAD_CHARS: Final = 768
TAIL_CHARS: Final = 256
"""What is left of all words for patterns to look at; the longest recorded error has 840."""
_MOST_JSON_BYTES: Final = 1024 * 1024
_MOST_SCANNED_BYTES: Final = 64 * 1024
_MOST_DEPTH: Final = 12
"""Google's details, relayed in the message of another error, lie ten deep."""
_MOST_NODES: Final = 128

_decode: Final[Callable[[bytes | str], Any]] = msgspec.json.Decoder().decode


def read_error(
    *,
    provider: str,
    status: int | None,
    headers: Mapping[str, str],
    body: bytes,
    now: float | None = None,
) -> Evidence:
    """Return what a failed answer says.

    `headers` are looked up by lower-case names. `status` is the HTTP status, None where there is
    none; one stated in the body stands in for it when the answer came as 2xx. `now` is for waits
    that are told as a time of day.
    """
    shape, facts = _read_body(body)
    if headers:
        _read_headers(headers, facts)
    text = _ends("\n".join(dict.fromkeys(facts.words)).lower().replace("\u2019", "'"))
    wait = stated_wait(headers, facts.fields, text, provider=provider, now=now)
    if status is None or status < _FIRST_REFUSAL:
        status = facts.status or status
    return Evidence(
        provider=provider,
        status=status,
        shape=shape,
        codes=tuple(dict.fromkeys([code.lower() for code in facts.codes])),
        code=_telling(facts.codes),
        message=": ".join(dict.fromkeys(facts.messages))[:MOST_TEXT_CHARS],
        text=text,
        stated_wait_s=wait.seconds,
        reset_at=wait.reset_at,
        server_at=wait.server_at,
        source=wait.source,
        limits=read_violations(facts.violations) if facts.violations else (),
    )


_FIRST_REFUSAL: Final = 300


def _ends(text: str) -> str:
    """Return a text without its middle if it is long: causes stand at its start, waits at its end."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


_HEADER_CODE: Final = "x-amzn-errortype"
"""AWS names the error here alone, with an address behind a colon."""
_HEADER_WORDS: Final = ("x-error-message", "x-ratelimit-type")
"""Hugging Face repeats the message here, GitHub names the quota."""


def _read_headers(headers: Mapping[str, str], facts: _Facts) -> None:
    """Take what headers say of the error: its name, its message, the metrics that are spent."""
    code = headers.get(_HEADER_CODE)
    if code:
        facts.codes.append(code.partition(":")[0].rpartition("#")[2][:_LONGEST_CODE])
    for name in _HEADER_WORDS:
        words = headers.get(name)
        if words:
            facts.words.append(words)
            if not facts.messages and name == _HEADER_WORDS[0]:
                facts.messages.append(words)
    facts.words += spent_metrics(headers)


def _telling(codes: list[str]) -> str | None:
    """Return the code that says most: a word rather than a number."""
    return next((code for code in codes if not code.isdigit()), codes[0] if codes else None)


@dataclass(slots=True)
class _Facts:
    """What was found in a body so far, in the order it was met."""

    messages: list[str] = field(default_factory=list)
    """For people."""
    words: list[str] = field(default_factory=list)
    """For patterns: the messages, and the names of quotas."""
    codes: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields that state a wait, by lower-case name."""
    violations: list[Any] = field(default_factory=list)
    """What Google's errors say of quotas."""
    status: int | None = None
    nodes: int = 0


_MESSAGES: Final = frozenset(
    "message msg detail details error error_description title status_msg raw error_msg errmsg "  # noqa: SIM905 - read as words
    "error_message errormessage faultstring exception reason_phrase".split()
)
"""Fields whose text is for people; where it holds JSON, that is read instead."""
_INNER: Final = _MESSAGES | frozenset(
    "errors violations metadata base_resp headers promptfeedback cause choices x_groq response "  # noqa: SIM905 - read as words
    "innererror inner_error fault upstream_error provider_error result delta".split()
)
"""Fields that are looked into."""
_CODES: Final = frozenset(
    "code type status reason status_code statuscode error_code error_type blockreason __type "  # noqa: SIM905 - read as words
    "errorcode errcode err_code".split()
)
_NAMES: Final = frozenset({"quotaid", "limit_source", "quota_limit", "quota_unit"})
"""Fields that name the quota that is spent."""
_WAITS: Final = WAIT_FIELDS | frozenset({"x-ratelimit-reset", "x-ratelimit-remaining"})
_LONGEST_CODE: Final = 64


def _read_body(body: bytes) -> tuple[Shape, _Facts]:
    facts = _Facts()
    body = body.strip()
    if body.startswith((b"data:", b"event:", b":")):
        body = _first_data(body)
    if not body:
        return Shape.NOTHING, facts
    if body[0] in b'{["':
        if _walk_json(body, facts, _MOST_DEPTH):
            return Shape.STRUCTURED, facts
        _scan(body[:_MOST_SCANNED_BYTES], facts)
        return Shape.GARBAGE, facts
    text = body[:_MOST_SCANNED_BYTES].decode("utf-8", "replace")
    shape = Shape.PLAIN
    if body[0] == ord("<"):
        shape, text = Shape.HTML, _title(text)
        _say(_neat(text), facts)
    else:
        _read_text(text, facts, _MOST_DEPTH)
    return shape, facts


def _first_data(body: bytes) -> bytes:
    """Return the data of the first event in `body` that has any."""
    for event in Splitter().feed(body[:_MOST_JSON_BYTES] + b"\n\n"):
        data = payload(event).data
        if data:
            return data.strip()
    return b""


_TITLE: Final = re.compile(r"<(?:title|h1)[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)


def _title(page: str) -> str:
    found = _TITLE.search(page)
    return unescape(found[1]) if found else "an HTML page"


_PAIR: Final = re.compile(
    rb'"([a-z_]{3,20})"\s{0,8}:\s{0,8}("(?:[^"\\]|\\.){0,2000}"|\d{1,9})', re.IGNORECASE
)


def _scan(body: bytes, facts: _Facts) -> None:
    """Read what can be read of JSON that is cut off or broken: plain fields that tell something."""
    for match in _PAIR.finditer(body):
        name = match[1].decode().lower()
        if name in _MESSAGES | _CODES:
            part = _Facts()
            if _walk_json(b"{%b:%b}" % (b'"' + match[1] + b'"', match[2]), part, 2):
                facts.messages += part.messages
                facts.words += part.words
                facts.codes += part.codes
                facts.status = facts.status or part.status


def _walk_json(body: bytes | str, facts: _Facts, depth: int) -> bool:
    """Walk `body` if it is JSON of a bearable size; return whether it is."""
    if len(body) > _MOST_JSON_BYTES:
        return False
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    _walk(value, facts, depth)
    return True


def _walk(value: Any, facts: _Facts, depth: int) -> None:
    facts.nodes += 1
    if depth == 0 or facts.nodes > _MOST_NODES:
        return
    match value:
        case str():
            _read_text(value, facts, depth)
        case list():
            for item in value:
                _walk(item, facts, depth - 1)
        case dict():
            names = {name.lower(): item for name, item in value.items()}
            for name, item in names.items():
                _note(name, item, facts)
            place = names.get("loc")
            if isinstance(place, list) and isinstance(names.get("msg"), str):
                names["msg"] = f"{'.'.join(map(str, place))}: {names['msg']}"
            for name, item in names.items():
                if name in _INNER:
                    _walk(item, facts, depth - 1)
        case _:
            pass


def _note(name: str, item: Any, facts: _Facts) -> None:
    """Keep a field that holds a code, names a quota or states a wait."""
    if name == "violations" and isinstance(item, list):
        facts.violations += item
    elif name in _WAITS:
        facts.fields.setdefault(name, item)
    elif name in _NAMES and isinstance(item, str):
        facts.words.append(item)
    elif name in _CODES and isinstance(item, str | int):
        code = str(item)
        if _STATUS.fullmatch(code):
            facts.status = facts.status or int(code)
        if name == "__type":
            code = code.rpartition("#")[2]
        if " " in code or len(code) > _LONGEST_CODE:
            facts.words.append(code)
        elif code not in _BLAND:
            facts.codes.append(code)
        if name == "blockreason":
            facts.codes.append("prompt_blocked")


_STATUS: Final = re.compile(r"[345][0-9]{2}")
_BLAND: Final = frozenset({"", "0", "error", "True", "False"})
"""Values of code fields that say nothing."""


def _read_text(text: str, facts: _Facts, depth: int) -> None:
    """Read a text for people, or the JSON that it holds; what leads it in is said before it."""
    place = len(facts.messages)
    start = text.find("{")
    if start >= 0:
        inner = text[start : text.rfind("}") + 1]
        if _walk_json(inner, facts, depth - 1) or _walk_python(inner, facts, depth - 1):
            text = text[:start].rstrip(" :-")
    _say(_neat(text[:MOST_TEXT_CHARS]), facts, place)


def _neat(text: str) -> str:
    """Return a text on one line, with single blanks; most are so, which is told faster than made."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(text.split())


def _say(text: str, facts: _Facts, place: int | None = None) -> None:
    if text:
        facts.messages.insert(len(facts.messages) if place is None else place, text)
        facts.words.append(text)


_LITERAL: Final = re.compile(
    r"'(?P<single>(?:[^'\\]|\\.)*+)'|\"(?:[^\"\\]|\\.)*+\"|\b(?:None|True|False)\b"
)


def _walk_python(text: str, facts: _Facts, depth: int) -> bool:
    """Walk a Python object's text, as clients in Python quote an upstream's error in theirs."""
    if not text.startswith("{'") or len(text) > MOST_TEXT_CHARS:
        return False
    return _walk_json(_LITERAL.sub(_in_json, text), facts, depth)


def _in_json(literal: re.Match[str]) -> str:
    single = literal["single"]
    if single is not None:
        return '"' + single.replace('"', '\\"').replace("\\'", "'") + '"'
    return literal[0] if literal[0][0] == '"' else "null"

"""Recognise an error that a gateway tells as the assistant's own words, inside an answer of 200.

Rules of this file:
- All of the text must be the error, from its first character on: a model may well speak of rate
  limits, and an answer that is lost weighs more than an error that is relayed.
- One choice, and nothing beside its text: whoever calls tools has been served.

Sources: a recorded answer (liuw1535/antigravity2api-nodejs issue 44), and what OpenAI's Python client
and axios word their errors like, which relays pass on.
Refuses to know who asked for this to be looked for, and what follows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.protocols.conversation.answers import Begin, Delta, End, Finish, Spent, TextDelta
from spillover.protocols.conversation.fields import Malformed
from spillover.protocols.conversation.requests import Text
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.hints import read_error
from spillover.protocols.judging import READ_ANSWER, STREAM_READERS
from spillover.protocols.sse import Splitter, payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spillover.core.evidence import Evidence

MOST_CHARS: Final = 2_000
"""Errors are short."""

_ERROR: Final = r"(?:\[?(?:ERROR|Error)\]?:? )"


def _sign(status: int, *pattern: str) -> tuple[re.Pattern[str], int]:
    return re.compile("".join(pattern), re.DOTALL), status


_SIGNS: Final = (
    # `Error: API request failed (429): {…}`, `Error: Request failed with status code 503`
    _sign(
        500,
        _ERROR,
        r"(?:API )?[Rr]equest failed (?:with status(?: code)? )?",
        r"\(?(?P<status>[45]\d\d)\)?(?:[:.].*)?",
    ),
    # `Error code: 429 - {'error': {…}}`
    _sign(500, r"(?:Error: )?Error code: (?P<status>[45]\d\d) - \{.*\}"),
    _sign(
        429,
        _ERROR,
        r"?[Rr]ate limit (?:exceeded|reached)[.!]?",
        r"(?:[.:,]? (?:[Pp]lease )?(?:[Tt]ry again|[Rr]etry|[Ss]low down",
        r"|[Ww]ait (?:\d|a |for |before |until ))[^\n]{0,120})?",
    ),
    _sign(429, r"Rate limit reached for (?:model )?\S{1,100} in organization [^\n]{1,400}"),
    _sign(
        429,
        r"You(?:'ve| have) (?:exceeded|reached|hit) your (?:current |daily |monthly )?",
        r"(?:quota|rate limit|usage limit)[,.:] (?:[Pp]lease |[Uu]pgrade )[^\n]{1,200}",
    ),
    _sign(
        503,
        r"(?:The )?(?:[Mm]odel|[Ss]erver|[Ss]ervice) is (?:currently |temporarily )?overloaded",
        r"[.,] [Pp]lease (?:try again|retry)(?: later)?[.!]?",
    ),
    _sign(
        502,
        r"(?:\[ERROR\]:?|Error:|ERROR:) (?:[Uu]pstream|[Pp]rovider) ",
        r"(?:error|returned|request|timed out|unavailable|failed)\b[^\n]{0,300}",
    ),
    _sign(500, r"\[ERROR\]:? [^\n]{1,300}"),
)
"""What all of such a text looks like, and the status that it stands for unless it names one."""


def read_spoken(text: str, *, provider: str, headers: Mapping[str, str]) -> Evidence | None:
    """Return what a text says if all of it is an error; None: it is an answer."""
    text = text.strip()
    if not text or len(text) > MOST_CHARS:
        return None
    for pattern, usual in _SIGNS:
        found = pattern.fullmatch(text)
        if found is not None:
            stated = found.groupdict().get("status")
            status = usual if stated is None else int(stated)
            return read_error(provider=provider, status=status, headers=headers, body=text.encode())
    return None


def spoken_in(
    body: bytes, dialect: Dialect, *, provider: str, headers: Mapping[str, str]
) -> Evidence | None:
    """Return the error that a whole answer tells as its text; it is as a client of `dialect` gets it."""
    if dialect is Dialect.CHAT:
        text = _text_of_chat([body])
    else:
        try:
            choices = READ_ANSWER[dialect](body).choices
        except Malformed:
            return None
        parts = choices[0].parts if len(choices) == 1 else ()
        said = [part.text for part in parts if isinstance(part, Text)]
        text = "".join(said) if len(said) == len(parts) else None
    return None if text is None else read_spoken(text, provider=provider, headers=headers)


def spoken_in_stream(
    events: Iterable[bytes], dialect: Dialect, *, provider: str, headers: Mapping[str, str]
) -> Evidence | None:
    """Return the error that the beginning of a stream tells as its text, likewise.

    For a client of Gemini's the events may be those of one JSON array.
    """
    if dialect is Dialect.CHAT:
        found = ((payload(event).data or b"").strip() for event in events)
        text = _text_of_chat([data for data in found if data])
    else:
        text = _text_of_deltas(map(_event, events), dialect)
    return None if text is None else read_spoken(text, provider=provider, headers=headers)


_ARRAY: Final = b"[,\r\n"


def _event(written: bytes) -> bytes:
    """Return an event, which may have been written as an element of an array."""
    return written if written[:1] not in {b"[", b","} else b"data: %b\n\n" % written.lstrip(_ARRAY)


def _text_of_deltas(events: Iterable[bytes], dialect: Dialect) -> str | None:
    """Return the words of a stream; None where there is anything beside them."""
    reader, said = STREAM_READERS[dialect](""), []
    for event in Splitter().feed(b"".join(events)):
        try:
            deltas: list[Delta] = reader.feed(event)
        except Malformed:
            return None
        for delta in deltas:
            if isinstance(delta, TextDelta) and not delta.choice:
                said.append(delta.text)
            elif not isinstance(delta, Begin | Spent | Finish | End):
                return None
    return "".join(said)


class _Words(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: msgspec.Raw | None = None
    function_call: msgspec.Raw | None = None

    def text(self) -> str | None:
        """Return the words; None where there is anything beside them."""
        beside = self.reasoning_content or self.reasoning or self.tool_calls or self.function_call
        return None if beside else self.content or ""


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Words | None = None
    delta: _Words | None = None
    text: str | None = None

    def words(self) -> str | None:
        said = self.message or self.delta
        return (self.text or "") if said is None else said.text()


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []


_answer: Final = msgspec.json.Decoder(_Answer)


def _text_of_chat(documents: Iterable[bytes]) -> str | None:
    """Return the words of OpenAI's answer, or of its chunks; None where there is anything beside."""
    said: list[str] = []
    for document in documents:
        try:
            choices = _answer.decode(document).choices
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        words = [choice.words() for choice in choices]
        if len(words) > 1 or None in words or any(choice.index for choice in choices):
            return None
        said += [each for each in words if each]
    return "".join(said)

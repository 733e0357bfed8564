"""Read OpenAI's whole answers: are they valid, what did they use, is it an error after all.

Rules of this file:
- Bytes are looked at, never changed; they are parsed no further than they must be.
- An error inside 200 is an error; an answer with nothing in it is a failure like any other.

Refuses to know what a failure is called, and who reads the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.evidence import Evidence, Shape, TransportFault
from spillover.core.values import Operation, Usage, Value
from spillover.protocols.hints import read_error
from spillover.protocols.measure import measure_raw
from spillover.protocols.openai_usage import read_usage
from spillover.protocols.surrogates import whole_characters

if TYPE_CHECKING:
    from collections.abc import Mapping

NULL: Final = msgspec.Raw(b"null")
OK: Final = 200


def holds(raw: msgspec.Raw) -> bool:
    """Return whether a value is there and is not null, an empty string, list or object."""
    return len(raw) > 2 and raw != NULL  # noqa: PLR2004 - two quotes or brackets


class WholeAnswer(Value, frozen=True, kw_only=True):
    """What an unstreamed answer is."""

    evidence: Evidence | None = None
    """None: it is valid and whole."""
    usage: Usage | None = None
    """As reported; None: nothing was."""
    chars: int = 0
    """Of its content, counted where no usage is reported."""
    wide_chars: int = 0


class _Message(msgspec.Struct):
    content: msgspec.Raw = NULL
    reasoning_content: msgspec.Raw = NULL
    reasoning: msgspec.Raw = NULL
    refusal: msgspec.Raw = NULL
    audio: msgspec.Raw = NULL
    tool_calls: msgspec.Raw = NULL
    function_call: msgspec.Raw = NULL

    def parts(self) -> list[msgspec.Raw]:
        """Return what there is of content of any kind."""
        kinds = (
            self.content,
            self.reasoning_content,
            self.reasoning,
            self.refusal,
            self.audio,
            self.tool_calls,
            self.function_call,
        )
        return [kind for kind in kinds if holds(kind)]


class _Choice(msgspec.Struct):
    message: _Message | None = None
    text: msgspec.Raw = NULL
    finish_reason: str | None = None
    error: msgspec.Raw = NULL

    def parts(self) -> list[msgspec.Raw]:
        if self.message is not None:
            return self.message.parts()
        return [self.text] if holds(self.text) else []


class _Answer(msgspec.Struct):
    choices: list[_Choice] | None = None
    data: list[msgspec.Raw] | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer: Final = msgspec.json.Decoder(_Answer)


def read_answer(
    body: bytes, operation: Operation, *, provider: str = "", headers: Mapping[str, str]
) -> WholeAnswer:
    """Return what the body of a 2xx answer is; `headers` are looked up by lower-case names."""
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        mended = whole_characters(body)
        if mended is not None:
            return read_answer(mended, operation, provider=provider, headers=headers)
        return WholeAnswer(evidence=_refused(provider, headers, body))
    usage = read_usage(answer.usage)
    if operation is Operation.EMBEDDINGS:
        if answer.data:
            return WholeAnswer(usage=usage)
        return WholeAnswer(evidence=_refused(provider, headers, body), usage=usage)
    choices = answer.choices
    if choices is None or holds(answer.error):
        return WholeAnswer(evidence=_refused(provider, headers, body), usage=usage)
    for choice in choices:
        if choice.finish_reason == "error" or holds(choice.error):
            return WholeAnswer(evidence=_refused(provider, headers, body), usage=usage)
    if choices and usage is not None and usage.output_tokens > 0:
        return WholeAnswer(usage=usage)  # as mostly
    parts = [part for choice in choices for part in choice.parts()]
    if not parts:
        reason = choices[0].finish_reason if choices else None
        return WholeAnswer(evidence=hollow(provider, reason), usage=usage)
    if usage is not None:
        return WholeAnswer(usage=usage)
    sizes = [measure_raw(part) for part in parts]
    return WholeAnswer(chars=sum(s[0] for s in sizes), wide_chars=sum(s[1] for s in sizes))


def _refused(provider: str, headers: Mapping[str, str], body: bytes) -> Evidence:
    return read_error(provider=provider, status=OK, headers=headers, body=body)


def hollow(provider: str, reason: str | None) -> Evidence:
    """Return the evidence of a well-formed answer with nothing in it."""
    message = _WITHHELD if reason == "content_filter" else "the answer is empty"
    return Evidence(
        provider=provider,
        status=OK,
        shape=Shape.HOLLOW,
        codes=(reason.lower(),) if reason else (),
        code=reason,
        message=message,
        text=message,
    )


_WITHHELD: Final = "the answer is empty: the provider's content filter withheld it"


def cut(provider: str, *, after_content: bool) -> Evidence:
    """Return the evidence of a stream that ended before its end."""
    return Evidence(
        provider=provider,
        fault=TransportFault.CUT,
        status=OK,
        message="the stream ended without a finish reason",
        after_content=after_content,
    )

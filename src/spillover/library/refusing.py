"""Turn an engine's answer that is no answer into the error that a library's user can act on.

Refuses to know how a request was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

import msgspec

from spillover.core.refusals import Code, Ending, EndKind, Refusal
from spillover.errors import (
    AllAttemptsFailed,
    LedgerError,
    NoProfileAvailable,
    RequestError,
    SpilloverError,
    StreamInterrupted,
    Told,
)
from spillover.library.answers import sent

if TYPE_CHECKING:
    from spillover.engine import Answer


def error_of(answer: Answer) -> SpilloverError:
    """Return the error behind an answer whose status is not 200."""
    ending = answer.ending
    message = message_of(answer.body or b"")
    if ending is None:
        return RequestError(message, status=answer.status)
    match ending.kind:
        case EndKind.REFUSED if ending.refusal is not None:
            return _refused(ending.refusal, ending, answer.headers.get("retry-after"))
        case EndKind.BROKEN:
            return interrupted(ending)
        case EndKind.PROVIDER_ERROR | EndKind.REFUSED | EndKind.CANCELLED | EndKind.SERVED:
            failure = ending.failure
            code = None if failure is None else failure.failure.value
            return RequestError(message, code=code, status=answer.status)
        case _:
            assert_never(ending.kind)


def _refused(refusal: Refusal, ending: Ending, retry_after: str | None) -> SpilloverError:
    code, status = refusal.code.value, refusal.status
    if refusal.code is Code.LEDGER_UNAVAILABLE:
        return LedgerError(refusal.message)
    if refusal.code in {Code.MODEL_NOT_FOUND, Code.INVALID_REQUEST}:
        return RequestError(refusal.message, code=code, status=status)
    wait_s = None if retry_after is None else float(retry_after)
    told = Told(code=code, status=status, message=refusal.message)
    if ending.trail:
        return AllAttemptsFailed(
            sent(ending.trail), profiles=refusal.obstacles, retry_after=wait_s, told=told
        )
    return NoProfileAvailable(refusal.obstacles, wait_s, told=told)


def interrupted(ending: Ending | None) -> StreamInterrupted:
    """Return the error of an answer that broke off behind its first content."""
    failure = None if ending is None else ending.failure
    profile = (ending.profile if ending is not None else None) or "?"
    if failure is None:
        return StreamInterrupted(profile, cause="unknown")
    return StreamInterrupted(profile, cause=failure.failure.value, message=failure.message)


def message_of(body: bytes) -> str:
    """Return the message of an error body in OpenAI's shape; the body itself where it is none."""
    try:
        error: Any = msgspec.json.decode(body)["error"]
        return str(error["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body.decode("utf-8", "replace")

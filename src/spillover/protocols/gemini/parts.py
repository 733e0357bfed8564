"""Read and write the parts of Gemini's contents.

Rules of this file:
- A signature stands on the part that follows the thought it seals, as Gemini puts it; where none
  follows, on an empty text.
- Calls may come without ids: they get some, and results find them by name, in order.

Refuses to know roles, and what stands around the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.protocols.conversation.fields import Fields, encode, object_in
from spillover.protocols.conversation.requests import (
    Media,
    Medium,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from spillover.protocols.conversation.seals import Dialect, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Ids:
    """Names the calls of one conversation that have no id."""

    __slots__ = ("_count", "_open", "_seed")

    def __init__(self, seed: str) -> None:
        """Make ids of `seed`, which sets them apart from those of other answers."""
        self._seed = seed
        self._count = 0
        self._open: list[tuple[str, str, bool]] = []
        """Of each call that has no result yet: name, id, and whether the id was made here."""

    def of_call(self, name: str, given: str | None) -> str:
        """Return the id of a call."""
        made = given or f"call_{self._seed}_{self._count}"
        self._count += 1
        self._open.append((name, made, not given))
        return made

    def of_result(self, name: str, given: str | None) -> str:
        """Return the id of the call that a result answers: the first of its name that is open.

        Clients name calls that came without ids themselves, and only in the results (Gemini CLI).
        """
        named = [each for each in self._open if each[1] == given]
        alike = [each for each in self._open if each[0] == name and (given is None or each[2])]
        for found in (*named, *alike):
            self._open.remove(found)
            return found[1]
        return given or f"call_{self._seed}_{name}"


_OUTPUT: Final = ("output", "result")
"""Fields whose text alone is a function's output; `output` is what Google recommends."""


def read_part(part: Fields, ids: Ids) -> Iterator[Part] | None:
    """Yield what a part holds, its signature first; None: it is of a kind that no other protocol has."""
    kinds = [kind for kind in _KINDS if kind in part]
    unknown = [name for name in _LACKING if name in part]
    if unknown or not (kinds or "thoughtSignature" in part):
        return None
    return _read(part, kinds, ids)


def _read(part: Fields, kinds: list[str], ids: Ids) -> Iterator[Part]:
    signature, thought = part.text("thoughtSignature"), part.flag("thought")
    seal = None if signature is None else unmarked(signature, Dialect.GEMINI)
    if thought:
        yield Thinking(text=part.text("text") or "", seal=seal)
        return
    if seal is not None:
        yield Thinking(seal=seal)
    for kind in kinds:
        if kind == "text":
            text = part.text("text")
            if text:
                yield Text(text=text)
        elif kind == "functionCall":
            call = part.fields(kind) or Fields({})
            name = call.needed("name")
            arguments = call.arguments("args") or "{}"
            yield ToolCall(id=ids.of_call(name, call.text("id")), name=name, arguments=arguments)
        elif kind == "functionResponse":
            yield _read_result(part.fields(kind) or Fields({}), ids)
        else:
            yield _read_media(part.fields(kind) or Fields({}))


_KINDS: Final = ("text", "inlineData", "fileData", "functionCall", "functionResponse")
_LACKING: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")


def _read_result(result: Fields, ids: Ids) -> ToolResult:
    name = result.needed("name")
    response = result.plain("response") or {}
    only = next(iter(response), None) if len(response) == 1 else None
    value = response[only] if only is not None else None
    failed = only == "error"
    if isinstance(value, str) and (failed or only in _OUTPUT):
        content: list[Text | Media] = [Text(text=value)] if value else []
    else:
        content = [Text(text=encode(response).decode())]
    for part in result.objects("parts"):
        content += [
            _read_media(inner)
            for kind in ("inlineData", "fileData")
            if (inner := part.fields(kind)) is not None
        ]
    identity = ids.of_result(name, result.text("id"))
    return ToolResult(id=identity, content=tuple(content), is_error=failed)


def _read_media(blob: Fields) -> Media:
    mime, name = blob.text("mimeType"), blob.text("displayName")
    kind = (mime or "").partition("/")[0]
    medium = Medium(kind) if kind in {"image", "audio", "video"} else Medium.FILE
    url = blob.text("fileUri")
    if url is None:
        return Media(medium=medium, mime=mime, data=blob.needed("data"), name=name)
    if url.startswith(_UPLOADED):
        return Media(medium=medium, mime=mime, file_id=url, name=name)
    return Media(medium=medium, mime=mime, url=url, name=name)


_UPLOADED: Final = ("https://generativelanguage.googleapis.com/", "gs://", "files/")
"""What only Google can look up."""


def joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield parts, the pieces of one thought put together and its seal put on it."""
    thought: Thinking | None = None
    for part in parts:
        if isinstance(part, Thinking):
            text = part.text if thought is None else thought.text + part.text
            thought = Thinking(text=text, seal=part.seal)
            if part.seal is None:
                continue
        if thought is not None:
            yield thought
            thought = None
        if not isinstance(part, Thinking):
            yield part
    if thought is not None:
        yield thought


class PartWriter:
    """Writes parts in order; `keep` in each call says how a seal is written."""

    __slots__ = ("_signature",)

    def __init__(self) -> None:
        self._signature: str | None = None

    def sealed(self, signature: str) -> list[dict[str, Any]]:
        """Hold a signature for the part that follows; return the one that was held, on nothing."""
        before, self._signature = self.rest(), signature
        return before

    def signed(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return a part with the signature that was held for it."""
        if self._signature is None:
            return part
        signature, self._signature = self._signature, None
        return {**part, "thoughtSignature": signature}

    def rest(self) -> list[dict[str, Any]]:
        """Return a part for the signature that nothing has followed."""
        return [] if self._signature is None else [self.signed({"text": ""})]


def write_call(identity: str, name: str, arguments: str) -> dict[str, Any]:
    """Return a call as a part; broken arguments stand whole in one field."""
    found = object_in(arguments)
    args = {"arguments": arguments} if found is None else found
    return {"functionCall": {"id": identity, "name": name, "args": args}}


def write_result(result: ToolResult, name: str, media: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a tool's result as a part; `name` is the tool's."""
    text = "\n".join([part.text for part in result.content if isinstance(part, Text)])
    found = object_in(text) if text.strip() else None
    if result.is_error:
        response: dict[str, Any] = {"error": text}
    elif found is None or found.keys() <= {"error", *_OUTPUT}:
        response = {"output": text}
    else:
        response = found
    written: dict[str, Any] = {"id": result.id, "name": name, "response": response}
    if media:
        written["parts"] = media
    return {"functionResponse": written}


def write_text(part: Text | Refusal) -> dict[str, Any]:
    """Return text as a part."""
    return {"text": part.text}

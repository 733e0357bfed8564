r"""Split a byte stream into server-sent events, and read one event.

Rules of this file:
- Bytes are never changed: the events and what is left, joined, are what was fed.
- Lines end in LF, CRLF or CR, mixed as one likes; an event ends with an empty line.
- What is held is bounded: an event that never ends is an error, not a memory leak.

Refuses to know what events mean.
"""

from __future__ import annotations

import re
from typing import Final

from spillover.core.values import Value

MOST_EVENT_BYTES: Final = 16 * 1024 * 1024
"""An event longer than this raises `EventTooLarge`."""

_EMPTY_LINE: Final = re.compile(rb"\n(?:\n|\r\n|\r(?=[^\n]))|\r\r\n?")
r"""The end of a line and the empty line after it; its first byte ends the event's last line.

After CRLF a CR that ends the bytes at hand waits for its LF; after a bare CR it does not, or an
event of a CR-only stream would be held until the next one. An LF that then follows leads the next.
"""
_BOM: Final = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event passed `MOST_EVENT_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"an event is longer than {MOST_EVENT_BYTES} bytes")


class Splitter:
    """Cuts what it is fed into whole events; one for each stream."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def rest(self) -> bytes:
        """The bytes after the last whole event."""
        return bytes(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the events that `chunk` completes, each with the empty line that ends it.

        Raises `EventTooLarge`; what was held is then lost.
        """
        held = self._held
        if held:
            # The end may straddle the border: CR LF | CR LF.
            start = max(0, len(held) - 3)
            held += chunk
            found = _EMPTY_LINE.search(held, start)
            if found is None:
                self._check(len(held))
                return []
            first, chunk = bytes(held[: found.end()]), bytes(held[found.end() :])
            held.clear()
            self._check(len(first))
            return [first, *self._cut(chunk)]
        if chunk[-2:] == b"\n\n" and chunk.find(b"\n\n") == len(chunk) - 2 and b"\r" not in chunk:
            # One whole event, as most servers write them.
            self._check(len(chunk))
            return [chunk]
        return self._cut(chunk)

    def _cut(self, chunk: bytes) -> list[bytes]:
        if b"\r" in chunk:
            ends = [match.end() for match in _EMPTY_LINE.finditer(chunk)]
            starts = [0, *ends]
            events = [chunk[a:b] for a, b in zip(starts, ends, strict=False)]
            rest = chunk[starts[-1] :]
        else:
            *bodies, rest = chunk.split(b"\n\n")
            events = [body + b"\n\n" for body in bodies]
        if len(chunk) > MOST_EVENT_BYTES:
            self._check(max(map(len, (*events, rest))))
        self._held += rest
        return events

    def _check(self, size: int) -> None:
        if size > MOST_EVENT_BYTES:
            self._held.clear()
            raise EventTooLarge


class Payload(Value, frozen=True, kw_only=True):
    """What one event carries."""

    data: bytes | None = None
    """Its data lines joined by LF; None: it has none."""
    name: str = ""
    """The `event:` field; empty where there is none."""


def payload(event: bytes) -> Payload:
    """Return what `event` carries, as the standard reads it (ids and retry times aside)."""
    plain = data_of(event)
    if plain is not None:
        return Payload(data=plain)
    lines: list[bytes] = []
    name = ""
    for line in event.removeprefix(_BOM).splitlines():
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return Payload(data=b"\n".join(lines) if lines else None, name=name)


def data_of(event: bytes) -> bytes | None:
    """Return the data of an event that is nothing but one `data:` line; None: read it in full."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return event[6:-2]
    return None

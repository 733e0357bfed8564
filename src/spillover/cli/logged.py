"""Choose lines of the log, and tell a person of them.

Refuses to know where the log is.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.text import Text

from spillover.cli.telling import told
from spillover.core.levels import LogLevel
from spillover.events import Event, LimitReached, Notice
from spillover.events.kinds import instant

if TYPE_CHECKING:
    from collections.abc import Iterator

COLOURS: Final = {LogLevel.WARNING: "yellow", LogLevel.ERROR: "red"}
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
"""What JSON writes as it is."""
_HEAD: Final = ("at", "level", "type")
_SIDES: Final = ("profile", "from", "to")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted."""

    request: str = ""
    """Of this request, or of those whose ids begin so; empty: of all."""
    profile: str = ""
    level: LogLevel = LogLevel.DEBUG
    """This and what matters more."""
    since: float = 0.0
    """Epoch seconds."""

    @property
    def is_all(self) -> bool:
        """Whether every line is wanted."""
        return self == Choice()

    @property
    def holding(self) -> tuple[bytes, ...]:
        """Texts of which every wanted line holds one; empty: nothing is known of them."""
        if _PLAIN.fullmatch(self.request):
            return (self.request.encode(),)
        if _PLAIN.fullmatch(self.profile):
            name = self.profile.encode()
            return (b'"%s"' % name, b'"%s:' % name, b",%s:" % name)
        if self.level.number > LogLevel.INFO.number:
            wanted = (each for each in LogLevel if each.number >= self.level.number)
            return tuple(b'"%s"' % each.value.encode() for each in wanted)
        return ()

    def takes(self, line: dict[str, Any]) -> bool:
        """Return whether a line is wanted."""
        return (
            level_in(line).number >= self.level.number
            and (not self.since or at_in(line) >= self.since)
            and (not self.request or self._is_of_request(line))
            and (not self.profile or self._is_of_profile(line))
        )

    def _is_of_request(self, line: dict[str, Any]) -> bool:
        """By its own field, or by what a message says."""
        if "request_id" in line:
            return str(line["request_id"]).startswith(self.request)
        return self.request in str(line.get("message", ""))

    def _is_of_profile(self, line: dict[str, Any]) -> bool:
        if any(line.get(side) == self.profile for side in _SIDES):
            return True
        sends = str(line.get("trail", "")).split(",")
        return any(send.rpartition(":")[0] == self.profile for send in sends)


def read(line: bytes) -> dict[str, Any] | None:
    """Return a line's fields; None for what is no line of ours, as a torn one."""
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return fields if all(isinstance(fields.get(name), str) for name in _HEAD) else None


def level_in(line: dict[str, Any]) -> LogLevel:
    """Return how much a line matters; what another version calls otherwise is information."""
    known = line["level"]
    return LogLevel(known) if known in set(LogLevel) else LogLevel.INFO


def at_in(line: dict[str, Any]) -> float:
    """Return when it was, in epoch seconds; 0 for what is no instant."""
    try:
        return instant(line["at"])
    except (TypeError, ValueError):
        return 0.0


def drawn(line: dict[str, Any]) -> Text:
    """Return a line for a person: when (in local time), how bad, what, and of which request."""
    at = datetime.fromtimestamp(at_in(line)).astimezone()
    level = level_in(line)
    text = Text(f"{at:%Y-%m-%d %H:%M:%S}  ", "dim")
    text.append(f"{level.value:<7}  ", COLOURS.get(level, "dim"))
    text.append_text(_said(line))
    if "request_id" in line:
        text.append(f"  {line['request_id']}", "dim")
    return text


def _said(line: dict[str, Any]) -> Text:
    event = _event(line)
    if isinstance(event, LimitReached):
        return Text(f"{event.profile} has no room under {event.limit}")
    if isinstance(event, Notice):
        return Text(f"told: {event.text}")
    said = None if event is None else told(event)
    if said is not None:
        return said
    if line["type"] == "log":
        # What a message goes on with must not look like a line of its own.
        message = str(line.get("message", "")).replace("\n", "\n    ")
        text = Text(f"{line.get('logger', '')}: {message}")
        return text.append("".join(f"\n{each}" for each in _traceback(line)), "dim")
    rest = {name: value for name, value in line.items() if name not in _HEAD}
    fields = (f" {name}={json.dumps(value, ensure_ascii=False)}" for name, value in rest.items())
    return Text(line["type"]).append("".join(fields))


def _traceback(line: dict[str, Any]) -> Iterator[str]:
    for each in str(line.get("traceback", "")).splitlines():
        yield f"    {each}"


def _event(line: dict[str, Any]) -> Event | None:
    """Return the event that a line was made of; None: of none that is known here."""
    fields = {
        name: at_in({"at": value}) if name in {"at", "until", "available_at"} and value else value
        for name, value in line.items()
        if name != "level"
    }
    try:
        return msgspec.convert(fields, Event)  # type: ignore[no-any-return]
    except msgspec.ValidationError:
        return None

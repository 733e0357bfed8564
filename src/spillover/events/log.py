"""Log each event and each warning as a line of JSON, without ever holding up who tells it.

What is to be logged is put in a queue; a thread makes lines of it and writes them in batches. When
it can't keep up, lines are lost, and the log says how many.
No line holds a prompt, an answer or a secret: events have none, and every text is redacted.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from spillover.clock import SystemClock
from spillover.core.levels import LogLevel
from spillover.events.kinds import (
    BudgetReached,
    ConfigRejected,
    Event,
    LedgerDrift,
    LedgerTrouble,
    ProfileStatus,
    RequestDone,
    UpstreamStatus,
    iso,
    to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.events.logfile import LogFile

FILE_NAME: Final = "spillover.jsonl"
MOST: Final = 20_000
"""Lines that may wait to be written."""
BATCH_S: Final = 0.2
"""How long lines are gathered before they are written."""
LOGGER: Final = "spillover"
"""Python's logger above all of ours: its level is the log's."""

_AS_WANTED: Final = frozenset({"served", "cancelled"})
_FAILING: Final = frozenset({"waiting", "stopped"})
_OWN_ID: Final = re.compile(r"[0-9a-f]{18}")
_LEVEL_BYTES: Final = {level: level.value.encode() for level in LogLevel}
_encoder: Final = msgspec.json.Encoder()

Waiting: TypeAlias = Event | dict[str, Any]

log = logging.getLogger(__name__)
_logger: Final = logging.getLogger(LOGGER)


def set_level(level: LogLevel) -> None:
    """Log what matters at least so much, in this process."""
    _logger.setLevel(level.number)


def is_wanted(level: LogLevel) -> bool:
    """Return whether lines that matter so much are logged."""
    return _logger.isEnabledFor(level.number)


def level_of(event: Event) -> LogLevel:
    """Return how much an event matters."""
    if type(event) is RequestDone:  # asked for most, by far
        return LogLevel.INFO if event.outcome in _AS_WANTED else LogLevel.WARNING
    match event:
        case ConfigRejected() | LedgerTrouble(failing=True):
            return LogLevel.ERROR
        case LedgerTrouble() | LedgerDrift() | BudgetReached(percent=100):
            return LogLevel.WARNING
        case ProfileStatus(to="failed"):
            return LogLevel.WARNING
        case UpstreamStatus(state=state) if state in _FAILING:
            return LogLevel.WARNING
        case _:
            return LogLevel.INFO


class Log:
    """A log that is being written, from its making to `close`."""

    def __init__(self, file: LogFile, redact: Callable[[str], str], *, most: int = MOST) -> None:
        """Write to `file`; `redact` masks the secrets of a text."""
        self.lost = 0
        """Lines that could not be written, or not in time."""
        self.handler = _Records(self.put)
        """Gives the log what Python's own logging is told."""
        self._file = file
        self._redact = redact
        self._most = most
        self._waiting: deque[Waiting] = deque()
        self._told_lost = 0
        self._failing = False
        self._second = (0, b"")
        """The latest second that a line was written for, and how it is written."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def put(self, line: Waiting) -> None:
        """Have an event, or the fields of a line, logged soon; returns at once."""
        if len(self._waiting) >= self._most:
            self.lost += 1
            return
        self._waiting.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write what waits, and no more."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._closing.wait(BATCH_S)
            self._wake.clear()
            self._write()
        self._write()

    def _write(self) -> None:
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        lines = [line for each in taken if (line := self._line(each)) is not None]
        lost = self.lost
        if lost > self._told_lost and lines:
            told = {"level": "warning", "type": "log.lost", "lines": lost - self._told_lost}
            lines.append(_encoder.encode({"at": iso(SystemClock().now())} | told))
        if not lines:
            return
        try:
            self._file.append(b"\n".join([*lines, b""]))
        except OSError as error:
            self.lost += len(lines)
            if not self._failing:
                self._failing = True
                log.warning("the log can't be written: %s", error)
            return
        self._told_lost, self._failing = lost, False

    def _line(self, each: Waiting) -> bytes | None:
        """Return the line of an event or of given fields; None where it matters too little."""
        if isinstance(each, dict):
            return _encoder.encode(self._redacted(each))
        level = level_of(each)
        if not is_wanted(level):
            return None
        if type(each) is RequestDone and _OWN_ID.fullmatch(each.request_id):
            return self._of_request(each, level)
        fields = msgspec.json.decode(to_json(each))
        return _encoder.encode(
            {"at": fields.pop("at"), "level": level.value} | self._redacted(fields)
        )

    def _of_request(self, event: RequestDone, level: LogLevel) -> bytes:
        """Return the line of most requests, cheaply.

        Nothing in it is foreign but the names of the configuration: there is nothing to redact.
        """
        second, millis = divmod(int(event.at * 1_000), 1_000)
        if second != self._second[0]:
            self._second = second, iso(second).removesuffix("000Z").encode()
        _, mark, rest = _encoder.encode(event).partition(b',"request_id":')
        return b'{"at":"%s%03dZ","level":"%s","type":"request.done"%s%s' % (
            self._second[1],
            millis,
            _LEVEL_BYTES[level],
            mark,
            rest,
        )

    def _redacted(self, value: Any) -> Any:
        match value:
            case str():
                return self._redact(value)
            case dict():
                return {name: self._redacted(each) for name, each in value.items()}
            case list() | tuple():
                return [self._redacted(each) for each in value]
            case _:
                return value


class _Records(logging.Handler):
    """Hands on what Python's logging is told, from warnings on: of the rest there are events."""

    def __init__(self, put: Callable[[Waiting], None]) -> None:
        super().__init__(logging.WARNING)
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        error = record.levelno >= logging.ERROR
        line: dict[str, Any] = {
            "at": iso(record.created),
            "level": (LogLevel.ERROR if error else LogLevel.WARNING).value,
            "type": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        self._put(line)

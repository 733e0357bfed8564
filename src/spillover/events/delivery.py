"""Send notices to one place, each place on a thread of its own: the desktop, or an Apprise address.

Whoever gives a notice never waits, and a place that hangs holds up itself alone. Apprise is imported
when the first notice is sent. An address may hold a token, so neither it nor a part of it is shown.
Refuses to know which notices a place wants.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import threading
from typing import TYPE_CHECKING, Final

from spillover.core.notices import DESKTOP, GRAVE, NoticeKind
from spillover.events import desktop

if TYPE_CHECKING:
    from spillover.events.kinds import Notice

WAITING_MOST: Final = 20
"""Notices that wait for a place that is slow; more are dropped, and counted as failed."""
LEAVING_S: Final = 2.0
"""How long what waits has at the end."""
TITLE: Final = "Spillover"
_SHORTEST: Final = 4
_TELLING: Final = 200

log = logging.getLogger(__name__)


class Undelivered(Exception):
    """A place did not take a notice."""


class Courier:
    """Sends notices to one place."""

    def __init__(self, address: str) -> None:
        """Send to `desktop`, or to an address of Apprise's; nothing is done before the first notice."""
        self.address = address
        self.shown = DESKTOP if address == DESKTOP else f"{address.partition('://')[0]}://…"
        """What may be shown of the address."""
        self.sent = 0
        self.failed = 0
        self.problem: str | None = None
        """Why the latest notice did not arrive; None: it did, or there was none."""
        self._waiting: queue.Queue[Notice | None] = queue.Queue(WAITING_MOST)
        self._thread: threading.Thread | None = None

    def send(self, notice: Notice) -> None:
        """Put a notice in line; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name=f"notices to {self.shown}", daemon=True
            )
            self._thread.start()
        try:
            self._waiting.put_nowait(notice)
        except queue.Full:
            self._failed("it takes no more: too many are waiting")

    def close(self) -> None:
        """End when what is in line has gone out; returns at once."""
        with contextlib.suppress(queue.Full):  # it hangs: its thread ends with the process
            self._waiting.put_nowait(None)

    def join(self) -> None:
        """Wait until what is in line has gone out, for a moment."""
        if self._thread is not None:
            self._thread.join(LEAVING_S)

    def _work(self) -> None:
        while (notice := self._waiting.get()) is not None:
            try:
                self._deliver(notice)
            except Exception as error:  # noqa: BLE001 - of whatever kind: the next may arrive
                self._failed(str(error) or type(error).__name__)
            else:
                self.sent += 1
                self.problem = None

    def _failed(self, reason: str) -> None:
        self.failed += 1
        reason = scrubbed(reason, self.address)[:_TELLING]
        if self.problem is None:
            log.warning("notices don't arrive at %s: %s", self.shown, reason)
        self.problem = reason

    def _deliver(self, notice: Notice) -> None:
        if self.address == DESKTOP:
            desktop.show(TITLE, notice.text)
        else:
            _by_apprise(self.address, notice)


def scrubbed(text: str, address: str) -> str:
    """Return a text without any part of an address but its scheme."""
    for part in sorted(re.split(r"[/:@?&=#,\s]+", address.partition("://")[2]), key=len)[::-1]:
        if len(part) >= _SHORTEST:
            text = text.replace(part, "…")
    return text


class _Overheard(logging.Handler):
    """What Apprise says while a thread sends: it tells why in its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._thread = threading.get_ident()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is said on this thread."""
        if record.thread == self._thread:
            self.said.append(record.getMessage())


def _by_apprise(address: str, notice: Notice) -> None:
    """Send by Apprise, whose own time limits hold: some seconds to connect and to be answered."""
    try:
        import apprise  # noqa: PLC0415 - half a second, and only for those who want it
    except ImportError:
        message = "the package apprise is not installed (pip install 'spillover[notify]')"
        raise Undelivered(message) from None
    said = logging.getLogger("apprise")
    said.propagate = False  # it may name tokens
    overheard = _Overheard()
    said.addHandler(overheard)
    try:
        place = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if place is None and address.startswith(("http://", "https://")):
            # No service that is known: whoever listens there gets JSON.
            place = apprise.Apprise.instantiate("json" + address.removeprefix("http"))
        if place is None:
            message = f"this is no address that Apprise knows: {_last(overheard.said)}"
            raise Undelivered(message)
        if not place.notify(body=notice.text, title=TITLE, notify_type=_manner(notice.kind)):
            raise Undelivered(_last(overheard.said) or "it was not taken")
    finally:
        said.removeHandler(overheard)


def _last(said: list[str]) -> str:
    return said[-1] if said else ""


def _manner(kind: NoticeKind) -> str:
    """Return how Apprise colours a notice."""
    if kind is NoticeKind.RECOVERED:
        return "success"
    return "warning" if kind in GRAVE else "info"

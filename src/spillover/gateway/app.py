"""The gateway as one ASGI application: who may come in, and which part of it answers.

The proxy routes are matched first and stay lean; everything else is built when it is first asked
for. Refuses to know sockets, and owns neither the engine nor the server that runs it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from typing import TYPE_CHECKING

from spillover.core.values import Operation
from spillover.gateway.access import Access, Arrival, Door
from spillover.gateway.dialects import way_of
from spillover.gateway.guesses import Guesses
from spillover.gateway.metrics import Metrics
from spillover.gateway.notices import Notices
from spillover.gateway.proxy import OPERATIONS, Proxy, break_off
from spillover.gateway.sessions import Sessions
from spillover.gateway.visit import RequestIds, Visit, turn_away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from spillover.engine import Engine
    from spillover.gateway.asgi import Receive, Scope, Send
    from spillover.gateway.desk import Desk
    from spillover.gateway.dialects import Way
    from spillover.gateway.editing import Editing
    from spillover.gateway.recall import Recall
    from spillover.gateway.settings import Settings
    from spillover.simulator import SimulatedProvider

log = logging.getLogger(__name__)


class Gateway:
    """An engine behind HTTP.

    `redact` masks secrets in what is logged of errors that nobody foresaw.
    """

    def __init__(
        self, engine: Engine, settings: Settings, *, redact: Callable[[str], str] = str
    ) -> None:
        self.engine = engine
        self.stopping = asyncio.Event()
        """Set when no further request is wanted: readiness ends, and so do open event streams."""
        self.simulated: Mapping[str, SimulatedProvider] = {}
        """The simulated providers that a demo runs on, by profile: they can be made to fail."""
        self._settings = settings
        self._guesses = Guesses()
        self._sessions = Sessions()
        self._access = Access(settings, self._guesses, self._sessions)
        self.since = engine.clock.now()
        """Epoch seconds of the gateway's making."""
        self.boot = b"%x" % int(self.since * 1_000)
        """Tells this run's events from those of earlier ones."""
        self._ids = RequestIds(engine.clock.now)
        self._metrics = Metrics(engine)
        self.notices = Notices(engine.events, engine.clock)
        self._proxy = Proxy(engine)
        self._redact = redact
        self._desk: Desk | None = None
        self._editing: Editing | None = None
        self.environ: Mapping[str, str] = os.environ
        """What edits of the configuration are read with."""
        self.turn = asyncio.Lock()
        """Held while an edit is made or put in force: one after the other."""
        self.has_file = asyncio.Event()
        """Set when the first edit wrote the file that there was not."""
        self.rejected = False
        """The file's last edit could not be put in force."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def access(self) -> Access:
        """Who may come in."""
        return self._access

    @property
    def editing(self) -> Editing:
        """The file of the configuration, and what edits it."""
        if self._editing is None:
            from spillover.gateway.editing import Editing  # noqa: PLC0415 - seldom needed

            self._editing = Editing(self)
        return self._editing

    def close(self) -> None:
        """Leave nothing behind that was to last as long as the gateway."""
        if self._editing is not None:
            self._editing.close()

    @property
    def recall(self) -> Recall:
        """What clients of OpenAI's Responses may go on from."""
        return self._proxy.recall

    def redact(self, text: str) -> str:
        """Mask the secrets of the configuration in force."""
        return self._redact(text)

    def apply(self, settings: Settings, redact: Callable[[str], str]) -> None:
        """Put other settings in force for the requests to come; the address stays as it is."""
        self._settings = settings
        self._access = Access(settings, self._guesses, self._sessions)
        self._redact = redact

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or the server's own events."""
        kind = scope["type"]
        if kind == "lifespan":
            await _live(receive, send)
            return
        if kind != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        visit = Visit(scope, receive, send, ids=self._ids)
        try:
            operation = OPERATIONS.get(visit.path)
            if operation is not None:
                await self._served(visit, operation)
            elif (way := way_of(visit.path)) is not None:
                visit.dialect = way.dialect
                await self._served(visit, way)
            else:
                await self._others.serve(visit, self._access)
        except asyncio.CancelledError:
            if not self.stopping.is_set():
                raise
        except Exception as error:  # noqa: BLE001 - whatever it is, a client gets an answer
            await self._failed(visit, error)

    def _served(self, visit: Visit, asked: Operation | Way) -> Awaitable[None]:
        """Answer a request to a proxy route; one layer less to go through with each turn."""
        denial = self._access.deny(
            Arrival(visit.method, visit.headers, visit.scope["query_string"]), Door.PROTOCOL
        )
        if denial is not None:
            return turn_away(visit, denial)
        if visit.method != "POST":
            return visit.refuse(
                405,
                "method_not_allowed",
                f"{visit.path} takes POST, not {visit.method}",
                headers={"allow": "POST"},
            )
        return self._proxy.serve(visit, asked, most=self._settings.max_body)

    async def serve_chat(self, visit: Visit) -> None:
        """Serve a chat request whose client was let in by another door."""
        await self._proxy.serve(visit, Operation.CHAT, most=self._settings.max_body)

    @property
    def _others(self) -> Desk:
        """Everything but the proxy routes."""
        if self._desk is None:
            from spillover.gateway.desk import Desk  # noqa: PLC0415 - not needed to start

            self._desk = Desk(self, self._metrics)
        return self._desk

    async def _failed(self, visit: Visit, error: Exception) -> None:
        """Log what nobody foresaw, and end the answer as well as it can be."""
        log.error(
            "%s %s failed (request %s)\n%s",
            visit.method,
            visit.path,
            visit.request_id,
            self._redact("".join(traceback.format_exception(error))),
        )
        message = f"an internal error; the gateway's log has it under {visit.request_id}"
        await break_off(visit, 500, "internal_error", message)


async def _live(receive: Receive, send: Send) -> None:
    """Tell the server that there is nothing to wait for."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return

"""Put simulated providers on real sockets: in a running loop, or in a thread of their own.

Refuses to know what is answered.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from spillover.simulator.clock import wall_clock
from spillover.simulator.control import PREFIX, Control
from spillover.simulator.exchange import Performance, Request
from spillover.simulator.plays import Framing, reply_play
from spillover.simulator.provider import Provider
from spillover.simulator.wire import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from spillover.simulator.spec import ProviderSpec

_START_S: Final = 10.0
"""A thread that has not opened its socket by then never will."""


class SimulatedProvider(Provider):
    """A provider that listens. All of it may be used from any thread."""

    def __init__(
        self, spec: ProviderSpec, *, host: str, port: int, clock: Callable[[], float]
    ) -> None:
        """Open the socket, port 0 being any free one; OSError if it can't be."""
        super().__init__(spec, clock)
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = socket.create_server((host, port))
        self._host = host
        self._port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._control = Control(self, self.refuse)
        self._reopening: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port: `http://127.0.0.1:9001`."""
        return f"http://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        """What a client is configured with: the origin and the flavour's base path."""
        return self.origin + self.base_path

    @property
    def control_url(self) -> str:
        """Where it is scripted over HTTP."""
        return self.origin + PREFIX

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def start(self) -> None:
        """Begin to take connections; until then they wait in the socket."""
        if self._socket is not None and self._server is None:
            self._server = await self._loop.create_server(self._connect, sock=self._socket)

    def stop(self) -> None:
        """Close the socket and drop every connection."""
        if self._reopening is not None:
            self._reopening.cancel()
        self._close()
        for connection in tuple(self._connections):
            connection.abort()

    def handle(self, request: Request) -> Performance:
        """Return what to do about a request, be it for the provider or its control interface."""
        if request.path.startswith(PREFIX):
            framing = Framing(chunked=request.chunked, keep=request.keep)
            return Performance(play=reply_play(self._control.answer(request), framing))
        return super().handle(request)

    def refuse(self, for_s: float | None = None) -> None:
        """Refuse connections, for some seconds or until `accept`; idle ones are dropped.

        Answers that are under way go on.
        """
        self._in_loop(self._refuse, for_s)

    def accept(self) -> None:
        """Take connections again, on the same port."""
        self._in_loop(self._accept)

    def _refuse(self, for_s: float | None = None) -> None:
        self._close()
        for connection in tuple(self._connections):
            if connection.idle:
                connection.abort()
        if for_s is not None:
            self._reopening = self._loop.call_later(for_s, self._accept)

    def _accept(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
        if self._socket is None:
            self._socket = socket.create_server((self._host, self._port))
            self._starting = self._loop.create_task(self.start())

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._socket is not None:
            self._socket.close()
        self._server = self._socket = None

    def _in_loop(self, act: Callable[..., None], *values: float | None) -> None:
        """Act within the provider's own loop, and return when it is done."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            act(*values)
            return
        done = threading.Event()

        def perform() -> None:
            act(*values)
            done.set()

        self._loop.call_soon_threadsafe(perform)
        done.wait(_START_S)

    def _connect(self) -> Connection:
        return Connection(self, self._connections)


@asynccontextmanager
async def simulate(
    spec: ProviderSpec,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], float] = wall_clock,
) -> AsyncIterator[SimulatedProvider]:
    """Serve a provider in the running loop while the context lasts.

    `clock` gives the epoch seconds that its windows go by; its paces and delays are real time.
    """
    provider = SimulatedProvider(spec, host=host, port=port, clock=clock)
    try:
        await provider.start()
        yield provider
    finally:
        provider.stop()
        # One turn of the loop, for connections to hear that they are closed.
        await asyncio.sleep(0)


@contextmanager
def running(
    *specs: ProviderSpec, host: str = "127.0.0.1", clock: Callable[[], float] = wall_clock
) -> Iterator[tuple[SimulatedProvider, ...]]:
    """Serve providers from a thread while the context lasts, for code that is not async.

    Yields one provider for each spec, in their order.
    """
    hosted = _Hosted(specs, host, clock)
    thread = threading.Thread(target=hosted.run, name="simulated providers", daemon=True)
    thread.start()
    try:
        yield hosted.providers()
    finally:
        hosted.stop()
        thread.join(_START_S)


class _Hosted:
    """A loop in a thread, with its providers."""

    def __init__(
        self, specs: tuple[ProviderSpec, ...], host: str, clock: Callable[[], float]
    ) -> None:
        self._specs = specs
        self._host = host
        self._clock = clock
        self._ready = threading.Event()
        self._found: list[SimulatedProvider] = []
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self._failure = error
        finally:
            self._ready.set()

    def providers(self) -> tuple[SimulatedProvider, ...]:
        self._ready.wait(_START_S)
        if self._failure is not None:
            raise self._failure
        return tuple(self._found)

    def stop(self) -> None:
        if self._failure is None and self._loop is not None and self._leave is not None:
            self._loop.call_soon_threadsafe(self._leave.set)

    async def _serve(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        try:
            for spec in self._specs:
                provider = SimulatedProvider(spec, host=self._host, port=0, clock=self._clock)
                self._found.append(provider)
                await provider.start()
            self._ready.set()
            await self._leave.wait()
        finally:
            for provider in self._found:
                provider.stop()
            await asyncio.sleep(0)

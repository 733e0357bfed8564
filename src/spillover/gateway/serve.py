"""Run a gateway: take the port, serve until told to stop, follow the configuration meanwhile.

Refuses to know what is served, and what the command line shows of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spillover.engine import open_engine
from spillover.gateway.app import Gateway
from spillover.gateway.ports import listen, url_of
from spillover.gateway.settings import Settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from spillover.config.loader import LoadedConfig
    from spillover.engine import Engine, EngineOptions
    from spillover.gateway.wire import Server
    from spillover.simulator import SimulatedProvider

COLLECT_AFTER: Final = 20_000
"""Objects made and not freed before their cycles are looked for."""
GRACE_S: Final = 30
"""How long answers may go on after the first signal to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What a caller wants other than the configuration says."""

    host: str | None = None
    port: int | None = None
    engine: EngineOptions | None = None
    environ: Mapping[str, str] | None = None
    """The environment that edits are read with; None: the process's own."""
    on_ready: Callable[[Engine, str], None] | None = None
    """Called with the engine and the gateway's address once clients can connect."""
    simulated: Mapping[str, SimulatedProvider] = field(default_factory=dict)
    """By profile, the simulated providers of a demonstration: pages say so and can make them fail,
    and an edit begins a file without anything of it."""
    grace_s: int = GRACE_S


def run(loaded: LoadedConfig, options: ServeOptions | None = None) -> None:
    """Serve a configuration until a signal says to stop, and follow its file meanwhile.

    Raises `ConfigError` when others could reach the gateway without a key, `PortInUse`, and
    `LedgerError` as opening an engine does; all before anything is served.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(loaded, options or ServeOptions()))


async def _run(loaded: LoadedConfig, options: ServeOptions) -> None:
    settings = Settings.of(loaded.config.server, host=options.host, port=options.port)
    settings.check()
    with contextlib.closing(listen(settings.host, settings.port)) as listening:
        engine = await open_engine(loaded, options.engine)
        try:
            gateway = Gateway(engine, settings, redact=loaded.redactor.redact)
            await serve(gateway, listening, followed=loaded, options=options)
        finally:
            await engine.close(grace_s=0.0)


async def serve(
    gateway: Gateway,
    listening: socket.socket,
    *,
    followed: LoadedConfig | None = None,
    options: ServeOptions | None = None,
) -> None:
    """Serve a gateway until a signal says to stop, or the task is cancelled.

    Answers under way then have `grace_s`; a second signal ends them at once. The file of `followed`
    is followed, and whom it names is told of transitions. The socket is closed at the end; the engine stays open.
    """
    from spillover.gateway.wire import Server, Sweeper  # noqa: PLC0415 - the library has no server

    options = options or ServeOptions()
    if followed is not None:
        gateway.notices.adopt(followed.config.notify)
    gateway.environ = os.environ if options.environ is None else options.environ
    gateway.simulated = options.simulated
    gateway.engine.run_upstreams()
    gateway.engine.run_probes()

    def ready() -> None:
        _spare_the_collector()
        if options.on_ready is not None:
            options.on_ready(gateway.engine, url_of(listening))

    server = Server(gateway, grace_s=options.grace_s, on_ready=ready)
    beside = [asyncio.create_task(Sweeper(server.server_state.connections).run())]
    if followed is not None and not (options.engine and options.engine.in_memory):
        beside.append(asyncio.create_task(_keep_line(gateway, followed)))
        beside.append(asyncio.create_task(_keep_log(gateway)))
    if followed is not None:
        beside.append(asyncio.create_task(_follow(gateway, followed)))
    try:
        await _until_stopped(server, gateway, listening)
    finally:
        gateway.stopping.set()
        await gateway.notices.close()
        gateway.close()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def _spare_the_collector() -> None:
    """Leave what the start made out of garbage collection, and collect in larger portions.

    A request makes some hundred objects and next to no cycles; collecting every 700 of them, the
    whole heap now and then, took a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


async def _until_stopped(server: Server, gateway: Gateway, listening: socket.socket) -> None:
    def stop() -> None:
        server.stop()
        gateway.stopping.set()

    serving = asyncio.create_task(server.serve(sockets=[listening]))
    with _signals(stop):
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            stop()
            await serving
            raise


async def _follow(gateway: Gateway, loaded: LoadedConfig) -> None:
    from spillover.gateway.reload import follow  # noqa: PLC0415 - needed after the start alone

    await follow(gateway, loaded, gateway.environ)


async def _keep_line(gateway: Gateway, loaded: LoadedConfig) -> None:
    from spillover.config.locate import state_folder  # noqa: PLC0415 - needed after the start alone
    from spillover.gateway.glance import keep  # noqa: PLC0415 - the same

    await keep(gateway.engine, loaded.path, state_folder(gateway.environ))


async def _keep_log(gateway: Gateway) -> None:
    from spillover.config.locate import log_folder  # noqa: PLC0415 - needed after the start alone
    from spillover.gateway.logbook import keep  # noqa: PLC0415 - the same

    await keep(gateway, log_folder(gateway.environ))


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop`, in the loop, at each signal that asks the process to end."""
    loop = asyncio.get_running_loop()

    def heard(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(stop)

    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        wanted.append(signal.SIGBREAK)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
        wanted.append(signal.SIGHUP)
    try:
        before = {number: signal.signal(number, heard) for number in wanted}
    except ValueError:  # signals are heard in the main thread; elsewhere the task is cancelled
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's where it exists."""
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop

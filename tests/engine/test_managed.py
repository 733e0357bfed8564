"""Local servers and the profiles they serve: who rests while one is away, and what ends that."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from spillover.config.loader import load_document
from spillover.core.health import Health, subject_of_profile
from spillover.engine import EngineOptions, open_engine
from tests import own_time
from tests.upstream.commanding import command, free_port, is_alive
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spillover.config.loader import LoadedConfig
    from spillover.engine import Engine


def loaded(port: int, **settings: Any) -> LoadedConfig:
    upstream = {"command": command(port), "health": "/", "health_every": "200ms", **settings}
    upstream["command"] = list(upstream["command"])
    local = {"base_url": f"http://127.0.0.1:{port}/v1", "model": "m", "tier": "local"}
    profiles = {"local": {**local, "upstream": upstream}, "beside": local}
    return load_document({"profiles": profiles}, environ={})


@asynccontextmanager
async def opened(configuration: LoadedConfig) -> AsyncIterator[Engine]:
    engine = await open_engine(configuration, EngineOptions(in_memory=True, clock=own_time.clock()))
    try:
        yield engine
    finally:
        await engine.close(grace_s=0.0)


def server(engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = engine.status()["upstreams"]["local"]
    return found


def status(engine: Engine, profile: str = "local") -> tuple[str, str | None]:
    found = engine.status()["profiles"][profile]
    return found["status"], found["reason"]


async def running(engine: Engine, *, starts: int = 1) -> int:
    """Wait until the server serves in its nth life; return its pid."""
    await eventually(
        lambda: (
            server(engine)["starts"] >= starts
            and server(engine)["state"] == "running"
            and status(engine) == ("active", None)
        ),
    )
    pid: int = server(engine)["pid"]
    return pid


def test_nothing_is_run_before_it_is_asked_for() -> None:
    async def main() -> None:
        async with opened(loaded(free_port())) as engine:
            assert engine.status()["upstreams"] == {}
            assert status(engine) == ("active", None)

    own_time.run(main())


def test_all_profiles_at_the_port_rest_until_the_server_is_there() -> None:
    async def main() -> None:
        async with opened(loaded(free_port())) as engine:
            engine.run_upstreams()
            await eventually(
                lambda: status(engine) == status(engine, "beside") == ("cooldown", "restarting")
            )
            await running(engine)
            assert status(engine, "beside") == ("active", None)
            assert server(engine)["profiles"] == ["local", "beside"]

    own_time.run(main())


def test_a_server_is_started_anew_when_it_is_asked_for() -> None:
    async def main() -> None:
        async with opened(loaded(free_port())) as engine:
            assert engine.restart_upstreams() == []
            engine.run_upstreams()
            first = await running(engine)

            assert engine.restart_upstreams() == ["local"]

            await eventually(lambda: server(engine)["pid"] not in {None, first})
            await running(engine)
            assert not is_alive(first)

    own_time.run(main())


def test_a_server_that_keeps_failing_says_why_in_the_status() -> None:
    fails = [sys.executable, "-c", "raise SystemExit('no such model')"]

    async def main() -> None:
        async with opened(loaded(free_port(), command=fails)) as engine:
            engine.run_upstreams()
            await eventually(lambda: server(engine)["failures"] >= 2)
            assert "exited with status 1: no such model" in server(engine)["reason"]
            assert status(engine) == ("cooldown", "restarting")

    own_time.run(main())


def test_a_killed_server_is_back_and_its_profiles_with_it() -> None:
    async def main() -> None:
        async with opened(loaded(free_port())) as engine:
            engine.run_upstreams()
            first = await running(engine)
            os.kill(first, signal.SIGKILL)
            await eventually(lambda: status(engine) == ("cooldown", "restarting"))
            assert await running(engine, starts=2) != first

    own_time.run(main())


def test_another_command_takes_the_place_of_the_one_before() -> None:
    async def main() -> None:
        port = free_port()
        async with opened(loaded(port)) as engine:
            engine.run_upstreams()
            first = await running(engine)
            await engine.reload(loaded(port, command=[*command(port), "--say", "anew"]))
            await eventually(lambda: not is_alive(first))
            second = await running(engine)
            await engine.reload(loaded(port, command=[*command(port), "--say", "anew"]))
            assert await running(engine) == second

    own_time.run(main())


def test_failures_of_other_profiles_are_none_of_its_business() -> None:
    async def main() -> None:
        async with opened(loaded(free_port())) as engine:
            crew = engine._world.crew
            crew.learned({subject_of_profile("local"): Health()})
            engine.run_upstreams()
            pid = await running(engine)
            crew.learned({subject_of_profile("other"): Health()})
            assert server(engine)["pid"] == pid

    own_time.run(main())


def test_the_engines_end_is_the_servers_end() -> None:
    async def main() -> int:
        async with opened(loaded(free_port())) as engine:
            engine.run_upstreams()
            return await running(engine)

    assert not is_alive(own_time.run(main()))

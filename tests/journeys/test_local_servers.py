"""Local servers behind a gateway: killed, hung and renewed under load, and no client notices."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.processes import KEYMARK, SECONDS, Gateway, document, gateway, write
from tests.upstream.commanding import command, free_port, is_alive
from tests.upstream.local_server import ANSWER
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.journeys.processes import Provider

CLIENTS = 6
HELLO = [{"role": "user", "content": "hi"}]


def with_local(
    *providers: Provider, arguments: tuple[object, ...] = (), **settings: Any
) -> dict[str, Any]:
    """Return a configuration whose first profile is a local server of the gateway's."""
    port = free_port()
    server = {
        "command": command(port, *arguments),
        "env": {"LOCAL_SECRET": f"of-the-server-{KEYMARK}"},
        "health": "/health",
        "health_every": "200ms",
        **settings,
    }
    written = document(*providers)
    local = {"base_url": f"http://127.0.0.1:{port}/v1", "model": "m", "tier": "local"}
    written["profiles"] = {
        "local": {**local, "upstream": server},
        "local-too": {**local, "model": "m2"},
        **written["profiles"],
    }
    written["chains"]["default"]["profiles"].insert(0, "local")
    return written


def server_of(found: Gateway) -> dict[str, Any]:
    (server,) = found.status()["upstreams"].values()
    return dict(server)


def running(found: Gateway, *, starts: int = 1) -> int:
    """Wait until the server serves in its nth life; return its pid."""

    def serves() -> int:
        server = server_of(found)
        ready = server["state"] == "running" and server["starts"] >= starts
        return server["pid"] if ready and found.profile("local")["status"] == "active" else 0

    return wait_until(serves)


@dataclass
class Load:
    """Clients that ask without pause, and who answered them."""

    gateway: Gateway
    stop: threading.Event = field(default_factory=threading.Event)
    served: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    errors: list[Any] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Load]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            workers = [pool.submit(self._work) for _ in range(CLIENTS)]
            try:
                yield self
            finally:
                self.stop.set()
            for each in workers:
                each.result()

    def _work(self) -> None:
        while not self.stop.is_set():
            reply = self.gateway.chat(messages=HELLO)
            if reply.status == 200:
                self.served.append(reply.headers["x-spillover-profile"])
                self.said.add(reply.text)
            else:
                self.errors.append(reply.body)

    def more(self, profile: str) -> None:
        """Wait for another ten answers of a profile."""
        wanted = self.served.count(profile) + 10
        wait_until(lambda: self.served.count(profile) >= wanted)


def test_no_client_notices_that_the_local_server_is_killed(config: Path, first: Provider) -> None:
    write(config, with_local(first, arguments=("--delay", 0.02)))

    with gateway(config) as found:
        pid = running(found)
        with Load(found).running() as load:
            load.more("local")
            os.kill(pid, signal.SIGKILL)
            load.more("first")
            again = running(found, starts=2)
            load.more("local")

    assert again != pid
    assert load.errors == []


def test_who_has_nothing_else_waits_for_the_local_server(config: Path) -> None:
    written = with_local(arguments=("--delay", 0.02))
    written["chains"]["default"]["when_exhausted"] = {"wait": "50s"}
    write(config, written)

    with gateway(config) as found:
        pid = running(found)
        with Load(found).running() as load:
            load.more("local")
            os.kill(pid, signal.SIGKILL)
            running(found, starts=2)
            load.more("local")

    assert load.errors == []


def test_no_client_notices_that_the_local_server_is_recycled(config: Path, first: Provider) -> None:
    write(config, with_local(first, arguments=("--delay", 0.02), max_age="1500ms"))

    with gateway(config) as found:
        running(found)
        with Load(found).running() as load:
            load.more("local")
        running(found, starts=2)
        told = [event["state"] for event in found.told("upstream.status")]

    assert ANSWER in load.said
    assert load.errors == []
    assert {"starting", "running", "recycling"} <= set(told)
    assert "waiting" not in told


def test_patience_waits_for_the_local_server(config: Path, first: Provider) -> None:
    written = with_local(first)
    written["chains"]["default"]["patience"] = "20s"
    write(config, written)

    with gateway(config) as found:
        served = found.served_by()

    assert served == "local"


def test_profiles_at_one_port_share_the_server(config: Path, first: Provider) -> None:
    write(config, with_local(first))

    with gateway(config) as found:
        running(found)
        served = found.served_by(model="local-too")
        server = server_of(found)

    assert served == "local-too"
    assert server["profiles"] == ["local", "local-too"]
    assert server["starts"] == 1


def test_an_edit_of_the_command_replaces_the_server(config: Path, first: Provider) -> None:
    written = with_local(first)
    write(config, written)

    with gateway(config) as found:
        pid = running(found)
        upstream = written["profiles"]["local"]["upstream"]
        upstream["command"] = (*upstream["command"], "--say", "anew")
        write(config, written)
        wait_until(lambda: not is_alive(pid))
        again = running(found)

    assert again != pid


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill -9"])
def test_no_process_outlives_the_gateway(
    config: Path, first: Provider, tmp_path: Path, number: signal.Signals
) -> None:
    child = tmp_path / "child"
    write(config, with_local(first, arguments=("--child", child)))

    with gateway(config) as found:
        pid = running(found)
        found.process.send_signal(number)
        found.process.wait(SECONDS)
        wait_until(lambda: not is_alive(pid))
        wait_until(lambda: not is_alive(int(child.read_text())))

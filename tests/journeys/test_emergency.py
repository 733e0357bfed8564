"""The emergency sequence, as the page of recipes has it: proxy, restart, next, next, network, again."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from spillover.simulator import ProviderSpec, running
from tests.journeys.processes import ANSWER, ASKED, SECONDS, Gateway, gateway, key_of, write
from tests.journeys.recipes import pointed, recipe
from tests.upstream.commanding import free_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.simulator import SimulatedProvider

PROXY = """\
import pathlib, runpy, sys
if pathlib.Path(sys.argv.pop(1)).exists():
    sys.exit("litellm: the config is broken")
runpy.run_module("spillover.simulator", run_name="__main__")
"""
"""A proxy that does not start while a file exists."""


@dataclass
class Site:
    """A gateway, the proxy that it runs, and the two providers behind it."""

    gateway: Gateway
    kilo: SimulatedProvider
    openrouter: SimulatedProvider
    port: int
    broken: Path

    def server(self) -> dict[str, Any]:
        (server,) = self.gateway.status()["upstreams"].values()
        return dict(server)

    def proxy(self, *, starts: int) -> int:
        """Wait until the proxy serves in a life of its own from the nth on; return its pid."""

        def serves() -> int:
            server = self.server()
            ready = server["state"] == "running" and server["starts"] >= starts
            active = self.gateway.profile("litellm")["status"] == "active"
            return server["pid"] if ready and active else 0

        return wait_until(serves, within_s=SECONDS)

    def renewed(self) -> bool:
        """Whether the proxy is in its third life, or on its way there."""
        server = self.server()
        return bool(server["starts"] >= 3 or server["state"] == "recycling")

    def fail(self, fault: str, times: int | None) -> None:
        """Have the proxy answer so; None: for the rest of its life."""
        body = json.dumps({"fault": fault, "times": times}).encode()
        url = f"http://127.0.0.1:{self.port}/_control/faults"
        urllib.request.urlopen(urllib.request.Request(url, body), timeout=SECONDS).close()

    def trail(self) -> str:
        reply = self.gateway.chat(messages=ASKED)
        assert reply.status == 200, reply.body
        return reply.headers["x-spillover-trail"]

    def is_cut_off(self) -> bool:
        """Ask; return whether nobody could serve."""
        return self.gateway.chat(messages=ASKED).status == HTTPStatus.SERVICE_UNAVAILABLE

    def comes_to(self, profile: str) -> None:
        """Ask until a profile serves; one that rests, or is tested in vain, may come between."""
        wait_until(
            lambda: self.gateway.chat(messages=ASKED).headers.get("x-spillover-profile") == profile,
            within_s=SECONDS,
        )


@contextmanager
def emergency(config: Path) -> Iterator[Site]:
    port, broken = free_port(), config.with_name("broken")
    names = ("kilo", "openrouter")
    specs = [
        ProviderSpec(name=name, keys=frozenset({key_of(name)}), answer=ANSWER) for name in names
    ]
    with running(*specs) as (kilo, openrouter):
        places = {
            "litellm": (f"http://127.0.0.1:{port}/v1", key_of("litellm")),
            "kilo": (kilo.base_url, key_of("kilo")),
            "openrouter": (openrouter.base_url, key_of("openrouter")),
        }
        written = pointed(recipe("the emergency sequence"), places)
        options = ("--port", str(port), "--answer", ANSWER, "--key", key_of("litellm"))
        # The recipe's own server, but for the program and how often it is looked at.
        written["profiles"]["litellm"]["upstream"] |= {
            "command": [sys.executable, "-c", PROXY, str(broken), *options],
            "health": "/v1/models",
            "health_every": "200ms",
        }
        written["chains"]["default"]["cooldown"] = {"network": "1s"}
        with gateway(write(config, written)) as found:
            yield Site(found, kilo, openrouter, port, broken)


def test_the_emergency_sequence_runs_by_itself_to_its_end_and_back(config: Path) -> None:
    with emergency(config) as site:
        pid = site.proxy(starts=1)
        assert site.trail() == "litellm:ok"

        # The proxy dies: whoever asks meanwhile is served, and it is started again.
        os.kill(pid, signal.SIGKILL)
        assert site.trail().endswith(("kilo:ok", "litellm:ok"))
        again = site.proxy(starts=2)
        assert again != pid
        assert site.trail() == "litellm:ok"

        # It can't reach its own upstream: two sends, the next one serves, it is recycled.
        site.fail("html_502", times=None)
        assert site.trail() == "litellm:bad_gateway,litellm:bad_gateway,kilo:ok"
        # One just started is not blamed for what a request to the one before it met.
        wait_until(lambda: site.trail() and site.renewed(), within_s=SECONDS)
        pid = site.proxy(starts=3)

        # The restart fails: the next one serves as long as that lasts.
        site.broken.touch()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: "the config is broken" in (site.server()["reason"] or ""), within_s=SECONDS
        )
        assert site.trail() == "kilo:ok"

        # Kilo fails too: the last one serves, in the same request.
        site.kilo.refuse()
        # Whether its kept connection had ended is noticed before or by the first send.
        assert site.trail() in {
            "kilo:network,openrouter:ok",
            "kilo:network,kilo:network,openrouter:ok",
        }

        # All fail: the error says who, why, what to do and when to come again.
        site.openrouter.refuse()
        wait_until(site.is_cut_off, within_s=SECONDS)
        refused = site.gateway.chat(messages=ASKED)
        assert (refused.status, refused.error["code"]) == (503, "all_failed")
        for part in ("litellm (cooldown: restarting", "kilo (", "openrouter (", "check this"):
            assert part in refused.error["message"]
        assert int(refused.headers["retry-after"]) >= 1
        assert site.gateway.get("/health").status == 503

        # The network is back: each serves again, the first of all as soon as it is healthy.
        site.openrouter.accept()
        site.comes_to("openrouter")
        site.kilo.accept()
        site.comes_to("kilo")
        site.broken.unlink()
        site.proxy(starts=4)
        assert site.trail() == "litellm:ok"


def test_a_network_that_is_back_is_found_by_the_first_request_after_its_rest(config: Path) -> None:
    with emergency(config) as site:
        site.proxy(starts=1)
        site.broken.touch()
        os.kill(site.server()["pid"], signal.SIGKILL)
        site.kilo.refuse()
        site.openrouter.refuse()
        wait_until(site.is_cut_off, within_s=SECONDS)
        site.kilo.accept()

        # One rest of a second, and the restart of nobody, lie between.
        def tested() -> bool:
            reply = site.gateway.chat(messages=ASKED)
            assert reply.status == 200 or "check this machine's network" in reply.error["message"]
            return reply.status == 200

        wait_until(tested, within_s=SECONDS)
        assert site.gateway.profile("kilo")["status"] == "active"
        assert site.trail() == "kilo:ok"

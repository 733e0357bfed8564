"""A real LiteLLM proxy that Spillover runs is killed under load, and no client notices.

`python -m tests.clients.litellm_proxy LITELLM`, with the path of LiteLLM's program in an environment
of its own. Its models answer by themselves (`mock_response`): nothing leaves the machine.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.cli import terminal
from tests.serving import Reachable
from tests.upstream.commanding import free_port, is_alive
from tests.waiting import wait_until

CLIENTS = 4
START_S = 90.0
HELLO = [{"role": "user", "content": "hi"}]
MODELS = """\
model_list:
  - model_name: mock
    litellm_params: {model: openai/mock, api_key: none, mock_response: hello from litellm}
"""


class Gateway(Reachable):
    """The gateway under test."""

    def __init__(self, address: str) -> None:
        self.address = address

    def server(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/api/status").json["upstreams"]["proxy"]
        return found

    def running(self, *, starts: int) -> int:
        """Wait until the proxy serves in its nth life; return its pid."""

        def serves() -> int:
            server = self.server()
            active = self.get("/api/status").json["profiles"]["proxy"]["status"] == "active"
            ready = active and server["state"] == "running" and server["starts"] >= starts
            return server["pid"] if ready else 0

        return wait_until(serves, within_s=START_S)


def configuration(program: Path, folder: Path) -> dict[str, Any]:
    """Return a chain of two LiteLLM proxies: the one that is killed, and the one to fall back to."""
    (folder / "models.yaml").write_text(MODELS, "utf-8")
    profiles = {}
    for name in ("proxy", "spare"):
        port = free_port()
        options = ("--config", "models.yaml", "--host", "127.0.0.1", "--telemetry", "False")
        profiles[name] = {
            "base_url": f"http://127.0.0.1:{port}/v1",
            "model": "mock",
            "tier": "local",
            "upstream": {
                "command": [str(program), *options, "--port", str(port)],
                "env": {
                    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
                },
                "health": "/health/liveliness",
                "health_every": "1s",
                "start_within": f"{START_S:g}s",
            },
        }
    return {"profiles": profiles, "chains": {"default": list(profiles)}}


def main(program: Path) -> None:
    """Kill the proxy under load; say what clients saw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "spillover.yaml"
        config.write_text(json.dumps(configuration(program, folder)), "utf-8")
        state = str(folder / "state")
        with terminal.serving(
            "serve", "--port", 0, "--config", config, SPILLOVER_STATE_DIR=state
        ) as serving:
            gateway = Gateway(serving.address)
            first = gateway.running(starts=1)
            wait_until(
                lambda: gateway.get("/api/status").json["upstreams"]["spare"]["state"] == "running",
                within_s=START_S,
            )
            served, errors, away_s = under_load(gateway, first)
            last = gateway.server()["pid"]
        assert not is_alive(last), "the proxy outlived the gateway"
    told = {name: served.count(name) for name in sorted(set(served))}
    print(f"LiteLLM killed under load: {told}, {len(errors)} errors, back after {away_s:.1f} s")
    assert not errors, errors[:3]
    assert {"proxy", "spare"} == set(told)


def under_load(gateway: Gateway, pid: int) -> tuple[list[str], list[bytes], float]:
    """Kill the proxy while clients ask; return who served, the errors, how long it was away."""
    served: list[str] = []
    errors: list[bytes] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            reply = gateway.chat(messages=HELLO)
            if reply.status == 200 and reply.text == "hello from litellm":
                served.append(reply.headers["x-spillover-profile"])
            else:
                errors.append(reply.body)

    with ThreadPoolExecutor(CLIENTS) as pool:
        workers = [pool.submit(work) for _ in range(CLIENTS)]
        try:
            wait_until(lambda: len(served) >= 20, within_s=START_S)
            os.kill(pid, signal.SIGKILL)
            killed_s = time.monotonic()
            gateway.running(starts=2)
            away_s = time.monotonic() - killed_s
            more = served.count("proxy") + 10
            wait_until(lambda: served.count("proxy") >= more, within_s=START_S)
        finally:
            stop.set()
        for each in workers:
            each.result()
    return served, errors, away_s


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())

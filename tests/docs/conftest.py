"""The world in which examples run: a gateway on its own port over two simulated providers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTED = ("127.0.0.1:4400", "localhost:4400")
KEY = "sk-simulated"
CONFIG = """\
server: {{port: {port}}}
profiles:
  groq:
    {{provider: groq, base_url: "{groq}", api_key: {key}, model: "{groq_model}", tier: free,
      limits: {{requests_per_minute: 2}}}}
  openai-paid:
    {{provider: openai, base_url: "{openai}", api_key: {key}, model: "{openai_model}", tier: paid}}
chains:
  default: [groq, openai-paid]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running gateway, and the environment and folder that reach it."""

    port: int
    environ: dict[str, str]
    folder: Path

    def run(self, text: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run an example's text by a command that reads it as a file."""
        for address in DOCUMENTED:
            text = text.replace(address, f"127.0.0.1:{self.port}")
        example = self.folder / "example"
        example.write_text(text, "utf-8")
        return subprocess.run(
            [*command, str(example)],
            cwd=self.folder,
            env=self.environ,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(*arguments: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the providers and the gateway, once for all examples."""
    folder = tmp_path_factory.mktemp("examples")
    config = folder / "spillover.yaml"
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SPILLOVER_CONFIG": str(config),
        "SPILLOVER_STATE_DIR": str(folder / "state"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "OPENAI_API_KEY": "-",
    }
    models = {"groq": "openai/gpt-oss-120b", "openai": "gpt-5-mini"}
    port = _free_port()
    with ExitStack() as stack:
        found = {"key": KEY, **{f"{name}_model": model for name, model in models.items()}}
        for flavour in models:
            command = ("spillover.simulator", "--flavour", flavour, "--port", "0", "--key", KEY)
            provider = stack.enter_context(_running(*command, env=environ))
            assert provider.stdout is not None
            found[flavour] = json.loads(provider.stdout.readline())["base_url"]
        config.write_text(CONFIG.format(port=port, **found), "utf-8")
        gateway = stack.enter_context(_running("spillover", "serve", env=environ))
        wait_until(
            lambda: gateway.poll() is not None or _answers(f"http://127.0.0.1:{port}/health/live")
        )
        assert gateway.poll() is None, "the gateway of the examples did not start"
        yield World(port=port, environ=environ, folder=folder)

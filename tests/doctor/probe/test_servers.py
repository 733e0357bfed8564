"""Local servers on real ports: up, ill, elsewhere, unused; measured where they are run for us."""

from __future__ import annotations

import asyncio
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from spillover.config.discovery import LocalServer
from spillover.doctor.judge.servers import Server
from spillover.doctor.probe.managed import crew
from spillover.doctor.probe.providers import ask, groups
from spillover.doctor.probe.servers import at, elsewhere, others, server, unused
from spillover.upstream import HttpUpstream
from tests.doctor.setup import set_up
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.doctor.probe.subject import Subject

import pytest


class LiteLLM(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, object]]] = {
        "/v1/models": (200, {"data": [{"id": "m"}]}),
        "/health/liveliness": (503, "not yet"),
        "/health/readiness": (200, {"litellm_version": "1.39.6"}),
    }

    def do_GET(self) -> None:
        status, body = self.answers.get(self.path, (404, {}))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(name="port", scope="module")
def _port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), LiteLLM) as http:
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield http.server_port
        http.shutdown()


def looked_at(subject: Subject) -> Server:
    async def run() -> Server:
        upstream = HttpUpstream()
        try:
            (group,) = groups(subject)
            asked, known = await ask(group, subject, upstream), await crew(subject)
            return await server(group, asked, subject, upstream, known)
        finally:
            await upstream.close()

    return asyncio.run(run())


def test_a_litellm_is_seen_with_health_models_and_version(tmp_path: Path, port: int) -> None:
    subject = set_up(
        tmp_path,
        f"profiles: {{p: {{provider: litellm, base_url: 'http://127.0.0.1:{port}/v1',"
        " model: m, api_key: k, upstream: {command: [litellm], max_age: 24h}}}\n",
    )

    found = looked_at(subject)

    assert (found.kind, found.address) == ("litellm", f"127.0.0.1:{port}")
    assert (found.health, found.models, found.version) == (503, ("m",), "1.39.6")
    assert found.post is not None
    assert (found.post.gateway, found.post.max_age_s) == (False, 86_400)
    if sys.platform == "linux":
        assert found.memory is not None
        assert found.age_s is not None


def test_a_server_of_an_unknown_kind_is_up_or_not(tmp_path: Path, port: int) -> None:
    config = f"profiles: {{p: {{base_url: 'http://localhost:{port}/v1', model: m}}}}\n"

    found = looked_at(set_up(tmp_path, config))

    assert (found.kind, found.health, found.error) == ("", None, "")


def test_a_port_that_one_program_uses_names_it(tmp_path: Path) -> None:
    config = "profiles: {p: {base_url: 'http://127.0.0.1:4000/v1', model: m}}\n"

    assert looked_at(set_up(tmp_path, config)).kind == "litellm"


def test_a_command_names_the_kind_of_a_server_at_another_port(tmp_path: Path) -> None:
    config = (
        f"profiles: {{p: {{base_url: 'http://127.0.0.1:{free_port()}/v1', model: m,"
        " upstream: {command: [bin/llama-server, -m, x.gguf]}}}\n"
    )

    assert looked_at(set_up(tmp_path, config)).kind == "llamacpp"


def test_servers_that_nobody_uses_and_that_stand_elsewhere_are_found(tmp_path: Path) -> None:
    subject = set_up(tmp_path, "profiles: {p: {base_url: 'http://localhost:11434/v1', model: m}}\n")
    used = LocalServer(provider="ollama", base_url="http://127.0.0.1:11434/v1", models=("m",))
    spare = LocalServer(provider="vllm", base_url="http://127.0.0.1:8000/v1", models=("n",))
    down = Server(kind="vllm", address="127.0.0.1:9", profiles={"p": "m"}, error="refused")

    (one,) = unused((used, spare), subject)

    assert (one.kind, one.address) == ("vllm", "127.0.0.1:8000")
    assert elsewhere(down, (used, spare)).elsewhere == "127.0.0.1:8000"
    assert elsewhere(replace(down, error=""), (used, spare)).elsewhere == ""
    assert at("http://localhost/v1") == "127.0.0.1:80"


def test_whoever_answers_at_a_usual_address_is_found(tmp_path: Path, port: int) -> None:
    subject = set_up(
        tmp_path,
        "profiles: {p: {base_url: 'https://a.example/v1', model: m}}\n",
        OLLAMA_HOST=f"127.0.0.1:{port}",
    )

    found = asyncio.run(others(subject))

    assert [each.models for each in found if each.provider == "ollama"] == [("m",)]

"""The gateway's port, tried on real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from spillover import __version__
from spillover.config.loader import load_document
from spillover.doctor.judge.ports import Bind, Port
from spillover.doctor.probe.ports import port
from spillover.doctor.probe.subject import Subject
from tests.doctor.setup import set_up
from tests.serving import serving
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = "profiles: {p: {base_url: 'https://a.example/v1', model: m}}\n"


def looked_at(folder: Path, number: int, host: str = "127.0.0.1", more: str = "") -> Port:
    config = f"server: {{port: {number}, host: '{host}'{more}}}\n{PROFILES}"
    return asyncio.run(port(set_up(folder, config)))


def test_a_free_port_is_free(tmp_path: Path) -> None:
    assert looked_at(tmp_path, free_port()).bind is Bind.FREE


def test_a_taken_port_is_told_with_its_holder_and_the_next_free_one(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        number = taken.getsockname()[1]
        found = looked_at(tmp_path, number)

    assert (found.bind, found.gateway) == (Bind.TAKEN, "")
    assert found.free is not None
    assert found.free > number
    assert found.config == tmp_path / "spillover.yaml"
    if sys.platform == "linux":
        assert f"(pid {os.getpid()})" in found.holder


def test_a_gateway_of_ours_is_known_by_its_answers(tmp_path: Path) -> None:
    document = {
        "storage": "memory",
        "server": {"admin_key": "an-admin-key-0123"},
        "profiles": {"p": {"base_url": "https://a.example/v1", "model": "m"}},
    }
    with serving(load_document(document, environ={})) as gateway:
        guarded = looked_at(tmp_path, gateway.port, more=", admin_key: an-admin-key-0123")

    assert (guarded.gateway, guarded.version) == ("healthy", __version__)


def test_an_address_of_another_machine_can_not_be_listened_on(tmp_path: Path) -> None:
    found = looked_at(tmp_path, free_port(), "192.0.2.1", ", client_keys: [k], admin_key: a")

    assert found.bind is Bind.NO_ADDRESS


def test_without_a_configuration_the_usual_port_is_meant(tmp_path: Path) -> None:
    found = asyncio.run(port(Subject.of(tmp_path / "spillover.yaml", {}, None)))

    assert (found.host, found.port, found.config) == ("127.0.0.1", 4400, None)

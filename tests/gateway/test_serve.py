"""Serving as a process: start, stop with grace, stop at once, a port that is taken."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.loader import load_document
from spillover.errors import ConfigError, PortInUse
from spillover.gateway.serve import ServeOptions, run
from spillover.simulator import ProviderSpec, running
from tests.serving import CHAT, HELLO, document_for, post_bytes, read_all, read_until, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0
STREAM = json.dumps({**HELLO, "stream": True}).encode()

PROGRAM = """
import json, sys
from spillover.config.loader import load_document
from spillover.gateway.serve import ServeOptions, run

document, grace_s = json.loads(sys.argv[1]), int(sys.argv[2])
ready = lambda engine, address: print(address, flush=True)
run(load_document(document, environ={}), ServeOptions(on_ready=ready, port=0, grace_s=grace_s))
print("ended", flush=True)
"""

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals as these tests send them")


@contextmanager
def process(
    document: dict[str, Any], *, grace_s: int = 60
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A gateway in a process of its own, and its port."""
    gateway = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(document), str(grace_s)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert gateway.stdout is not None
        address = gateway.stdout.readline()
        yield gateway, int(address.rpartition(":")[2])
    finally:
        gateway.kill()
        gateway.communicate()


def stream_from(port: int) -> socket.socket:
    """Begin a stream, and return its connection once content came."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    connection.sendall(post_bytes(CHAT, STREAM))
    read_until(connection, b"delta")
    return connection


def refuses(port: int) -> bool:
    """Return whether no new connection is taken."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    except OSError:
        return True
    return False


@posix_only
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_lets_a_stream_end(name: str) -> None:
    spec = ProviderSpec(events=30, events_per_s=30)
    with running(spec) as (provider,), process(document_for(provider)) as (gateway, port):
        with closing(stream_from(port)) as connection:
            gateway.send_signal(signal.Signals[name])
            rest = read_all(connection)
        output, _ = gateway.communicate(timeout=SECONDS)

    assert b"data: [DONE]" in rest
    assert gateway.returncode == 0
    assert output.endswith("ended\n")


@posix_only
def test_a_terminal_that_closes_ends_nothing_below_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as from nohup
    spec = ProviderSpec(events=30, events_per_s=30)
    try:
        with running(spec) as (provider,), process(document_for(provider)) as (gateway, port):
            gateway.send_signal(signal.SIGHUP)
            with closing(stream_from(port)) as connection:
                rest = read_until(connection, b"[DONE]")
            gateway.send_signal(signal.SIGTERM)
            gateway.communicate(timeout=SECONDS)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert b"data: [DONE]" in rest


@posix_only
def test_after_the_grace_a_stream_ends_in_an_error() -> None:
    spec = ProviderSpec(events=100_000, events_per_s=50)
    with (
        running(spec) as (provider,),
        process(document_for(provider), grace_s=1) as (gateway, port),
    ):
        with closing(stream_from(port)) as connection:
            gateway.send_signal(signal.SIGTERM)
            rest = read_all(connection)
        gateway.communicate(timeout=SECONDS)

    assert b"shutting_down" in rest
    assert b"[DONE]" not in rest
    assert gateway.returncode == 0


@posix_only
def test_a_second_signal_ends_at_once() -> None:
    spec = ProviderSpec(events=100_000, events_per_s=50)
    with (
        running(spec) as (provider,),
        process(document_for(provider), grace_s=600) as (gateway, port),
    ):
        with closing(stream_from(port)) as connection:
            gateway.send_signal(signal.SIGTERM)
            read_until(connection, b"delta")
            gateway.send_signal(signal.SIGTERM)
            read_all(connection)
        gateway.communicate(timeout=SECONDS)

    assert gateway.returncode == 0


@posix_only
def test_while_it_stops_no_new_connection_is_taken() -> None:
    spec = ProviderSpec(events=100_000, events_per_s=50)
    with (
        running(spec) as (provider,),
        process(document_for(provider)) as (gateway, port),
        closing(stream_from(port)) as connection,
    ):
        gateway.send_signal(signal.SIGTERM)

        wait_until(lambda: refuses(port))

        assert b"delta" in read_until(connection, b"delta"), "what it began goes on"


def test_a_port_in_use_is_an_error_before_anything_is_opened() -> None:
    with running(ProviderSpec()) as (provider,), serving(document_for(provider)) as served:
        loaded = load_document(document_for(provider), environ={})
        with pytest.raises(PortInUse) as caught:
            run(loaded, ServeOptions(port=served.port))

    assert caught.value.port == served.port


def test_an_address_that_others_reach_needs_client_keys() -> None:
    with running(ProviderSpec()) as (provider,):
        loaded = load_document(document_for(provider), environ={})
        with pytest.raises(ConfigError, match="client_keys"):
            run(loaded, ServeOptions(host="0.0.0.0", port=0))


def test_a_gateway_may_listen_on_ipv6() -> None:
    with (
        running(ProviderSpec()) as (provider,),
        process(document_for(provider, server={"host": "::1"})) as (_, port),
        socket.create_connection(("::1", port), timeout=SECONDS) as connection,
    ):
        connection.sendall(
            b"GET /health HTTP/1.1\r\nhost: [::1]:%d\r\nconnection: close\r\n\r\n" % port
        )
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 200")

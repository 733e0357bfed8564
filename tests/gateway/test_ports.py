"""Ports: taken, in use, and who has them."""

from __future__ import annotations

import os
import sys
from contextlib import closing

import pytest

from spillover.errors import ConfigError, PortInUse
from spillover.gateway.ports import listen, url_of


def test_a_free_port_is_taken() -> None:
    with closing(listen("127.0.0.1", 0)) as listening:
        address = url_of(listening)
        port = listening.getsockname()[1]

    assert address == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("host", "called"),
    [
        ("localhost", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::1", "[::1]"),
        ("::", "[::1]"),
    ],
)
def test_the_address_is_one_that_can_be_called(host: str, called: str) -> None:
    with closing(listen(host, 0)) as listening:
        address = url_of(listening)

    assert address.startswith(f"http://{called}:")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_a_port_in_use_names_who_has_it_and_a_free_one() -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            listen("127.0.0.1", port)

    error = caught.value
    assert f"(pid {os.getpid()})" in (error.holder or "")
    assert error.free is not None
    assert error.free > port
    assert str(port) in str(error)
    assert f"--port {error.free}" in str(error)


def test_the_port_that_is_offered_is_free() -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        with pytest.raises(PortInUse) as caught:
            listen("127.0.0.1", taken.getsockname()[1])

        listen("127.0.0.1", caught.value.free or 0).close()


def test_above_the_highest_port_none_is_offered() -> None:
    error = PortInUse(65_535, holder=None, free=None)

    assert "another process" in str(error)
    assert "--port" not in str(error)


def test_an_url_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"203\.0\.113\.7"):
        listen("203.0.113.7", 0)


def test_a_name_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.invalid"):
        listen("nowhere.invalid", 0)

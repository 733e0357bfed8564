"""Who listens on a port."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing

import pytest

from spillover.upstream.holder import holder


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_who_listens_on_a_port_is_named_with_its_pid() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        found = holder(server.getsockname()[1])

    assert found is not None
    assert f"(pid {os.getpid()})" in found


def test_nobody_has_a_port_that_is_free() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    assert holder(port) is None

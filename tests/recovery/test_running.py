"""A gateway is asked where the configuration says it is."""

from __future__ import annotations

import sys
from typing import Any

from spillover.config.loader import load_document
from spillover.config.schema import Server
from spillover.config.secrets import Secret
from spillover.recovery.running import Running
from tests.serving import serving
from tests.upstream.commanding import free_port

KEYED: dict[str, Any] = {
    "storage": "memory",
    "server": {"admin_key": "${ADMIN}"},
    "profiles": {
        "local": {
            "base_url": "http://127.0.0.1:1/v1",
            "model": "m",
            "upstream": {"command": [sys.executable, "-c", "raise SystemExit(1)"]},
        }
    },
}


def test_a_gateway_restarts_its_servers_for_who_has_its_key() -> None:
    with serving(load_document(KEYED, environ={"ADMIN": "key-of-admins"})) as served:
        keyed = Running(Server(admin_key=Secret("key-of-admins")), served.port)
        stranger = Running(Server(), served.port)

        assert (keyed.is_there(), stranger.is_there()) == (True, True)
        assert keyed.restart_upstreams() == ["local"]
        assert stranger.restart_upstreams() is None
        assert keyed.absent([], within_s=0.0) == []
        assert keyed.absent(["local"], within_s=0.0) == ["local"]
        assert keyed.health()["status"] in {"healthy", "degraded", "unhealthy"}


def test_where_nobody_listens_nobody_is() -> None:
    gone = Running(Server(host="0.0.0.0", port=free_port()))

    assert gone.address.startswith("http://127.0.0.1:")
    assert not gone.is_there()
    assert gone.health() == {}
    assert gone.restart_upstreams() is None

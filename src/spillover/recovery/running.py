"""Ask a gateway that runs on this machine, as the configuration says where it is.

Refuses to reach other machines, and to start one.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any, Final

from spillover.config.addresses import is_loopback_host
from spillover.config.secrets import Secret
from spillover.core.managed import ManagedState

if TYPE_CHECKING:
    from spillover.config.schema import Server

WITHIN_S: Final = 5.0
POLL_S: Final = 0.1
RUNS: Final = ManagedState.RUNNING.value
_OK: Final = range(200, 300)


class Running:
    """A gateway at its address, or nobody."""

    def __init__(self, server: Server, port: int | None = None) -> None:
        """Look for it where it is configured, or at another port that it was started with."""
        self._host = server.host if is_loopback_host(server.host) else "127.0.0.1"
        self._port = server.port if port is None else port
        self._key = server.admin_key

    @property
    def address(self) -> str:
        """Where it is looked for."""
        return f"http://{self._host}:{self._port}"

    def is_there(self) -> bool:
        """Whether a gateway answers."""
        status, document = self._asked("GET", "/health/live")
        return status in _OK and "status" in document

    def health(self, *, within_s: float = 0.0) -> dict[str, Any]:
        """Return what it says of its health, once it is healthy or that time is over.

        An idle gateway takes a moment to see what others changed in its record. Empty where nobody
        says anything.
        """
        give_up_at = time.monotonic() + within_s
        while True:
            document = self._asked("GET", "/health")[1]
            if document.get("status") in {None, "healthy"} or time.monotonic() > give_up_at:
                return document
            time.sleep(POLL_S)

    def restart_upstreams(self) -> list[str] | None:
        """Have it start its local servers anew; return their names, None: it refused."""
        status, document = self._asked("POST", "/api/upstreams/restart")
        return document.get("restarting", []) if status in _OK else None

    def absent(self, upstreams: list[str], *, within_s: float) -> list[str]:
        """Wait until its local servers run; return those that don't within that time."""
        give_up_at = time.monotonic() + within_s
        while True:
            known = self._asked("GET", "/api/status")[1].get("upstreams", {})
            absent = [name for name in upstreams if known.get(name, {}).get("state") != RUNS]
            if not absent or time.monotonic() > give_up_at:
                return absent
            time.sleep(POLL_S)

    def _asked(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """Return status and document of an answer; 0 and nothing where there is none."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=WITHIN_S)
        headers = {"content-type": "application/json"}
        if isinstance(self._key, Secret):
            headers["authorization"] = f"Bearer {self._key.reveal()}"
        try:
            connection.request(method, path, headers=headers)
            reply = connection.getresponse()
            document = json.loads(reply.read())
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()
        return reply.status, document if isinstance(document, dict) else {}

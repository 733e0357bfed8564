"""Measure unstreamed requests with wrk.

Refuses to know who answers.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.contestants import Entrant

SCRIPT: Final = Path(__file__).with_name("chat.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstreamed:
    """What came of a run."""

    requests: int
    rate: float
    """Requests a second."""
    p50_us: float
    p99_us: float
    errors: int
    cpu_us: float
    """Processor time of the contestant for each request."""


def unstreamed(entrant: Entrant, folder: Path, *, connections: int, seconds: float) -> Unstreamed:
    """Ask for whole answers over `connections` at once, for `seconds`."""
    request = entrant.request()
    body = folder / "request.json"
    body.write_bytes(request.body)
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    before = entrant.cpu_s()
    ran = subprocess.run(
        [
            *("wrk", "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{seconds:.0f}s", "--timeout", "30s", "--script", str(SCRIPT)),
            f"http://127.0.0.1:{request.port}{request.path}",
            *("--", str(body), *headers),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    used_s = entrant.cpu_s() - before
    found = json.loads(ran.stdout.strip().rpartition("\n")[2])
    requests = int(found["requests"])
    return Unstreamed(
        requests=requests,
        rate=requests / found["seconds"],
        p50_us=found["p50_us"],
        p99_us=found["p99_us"],
        errors=found["errors"],
        cpu_us=used_s * 1e6 / max(1, requests),
    )

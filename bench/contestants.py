"""Who takes part: how each is started as a process of its own, and how it is asked.

Every one of them passes the same request to the same upstream. Refuses to know what is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.peers import LITELLM, PORTKEY
from bench.processes import Command, Process, Request, await_answer, free_port, running
from bench.traffic import ANSWER, MODEL, PATH, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BIN: Final = Path(sys.executable).parent
PROJECT: Final = Path(__file__).resolve().parents[1]
KEY: Final = "sk-bench-0123456789"

DIRECT: Final = "direct"
NGINX: Final = "nginx"
BARE: Final = "uvicorn + aiohttp"
SPILLOVER: Final = "Spillover"
LITELLM_PROXY: Final = "LiteLLM proxy"
PORTKEY_GATEWAY: Final = "Portkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a contestant runs: its folder, its ports and its core."""

    folder: Path
    port: int
    upstream: int
    """The port of what it passes requests to."""
    core: int

    @property
    def upstream_url(self) -> str:
        """The upstream's address."""
        return f"http://127.0.0.1:{self.upstream}"

    def command(self, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> Command:
        """Return a command that runs here."""
        return Command(
            arguments=[str(each) for each in arguments],
            log=self.folder / "log",
            core=self.core,
            environ=environ or {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One that takes part; `command` writes its configuration and returns how to start it."""

    name: str
    command: Callable[[Place], Command] | None
    """None: the upstream itself."""
    headers: Callable[[Place], dict[str, str]] = field(default=lambda _: {})
    streams: tuple[int, ...] = (50, 300)
    """How many streams at once it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A contestant that runs and has answered."""

    name: str
    port: int
    headers: dict[str, str]
    process: Process | None
    streams: tuple[int, ...]

    def request(self, *, stream: bool = False) -> Request:
        """Return the request it is measured with."""
        return Request(port=self.port, path=PATH, body=request(stream=stream), headers=self.headers)

    def cpu_s(self) -> float:
        """Return the processor time it has used; 0 for the upstream itself."""
        return 0.0 if self.process is None else self.process.cpu_s()


@contextlib.contextmanager
def entered(contestant: Contestant, folder: Path, *, upstream: int, core: int) -> Iterator[Entrant]:
    """Start a contestant, and go on once it has passed an answer back unharmed."""
    folder.mkdir(parents=True)
    port = upstream if contestant.command is None else free_port()
    place = Place(folder=folder, port=port, upstream=upstream, core=core)
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {KEY}",
        **contestant.headers(place),
    }
    with contextlib.ExitStack() as stack:
        process = None
        if contestant.command is not None:
            process = stack.enter_context(running(contestant.command(place)))
        entrant = Entrant(
            name=contestant.name,
            port=port,
            headers=headers,
            process=process,
            streams=contestant.streams,
        )
        if process is not None:
            _check(contestant.name, await_answer(process, entrant.request()))
        yield entrant


def _check(name: str, body: bytes) -> None:
    said = json.loads(body)["choices"][0]["message"]["content"]
    if said != json.loads(ANSWER)["choices"][0]["message"]["content"]:
        raise SystemExit(f"{name} passes other answers on than it gets: {body[:300]!r}")


# ---- nginx, as a proxy and as the upstream of whole answers ----

_NGINX: Final = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path body;
  proxy_temp_path proxied;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  {servers}
}}
"""
_ANSWERING: Final = "server {{ listen 127.0.0.1:{port} backlog=2048; return 200 '{answer}'; }}"
_PROXYING: Final = """\
upstream provider {{
    server 127.0.0.1:{upstream};
    keepalive 512;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}"""


def nginx_program() -> str:
    """Return where nginx is: Debian puts it where only root looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"


def _nginx(place: Place, servers: str) -> Command:
    file = place.folder / "nginx.conf"
    file.write_text(_NGINX.format(servers=servers))
    return place.command(nginx_program(), "-p", place.folder, "-e", "stderr", "-c", file.name)


def streaming_upstream(events: int) -> Callable[[Place], Command]:
    """Return how to start the upstream whose streams have so many paced events."""

    def command(place: Place) -> Command:
        return place.command(
            *(sys.executable, "-m", "bench.upstream"),
            *("--port", str(place.port), "--events", str(events)),
            environ={"PYTHONPATH": str(PROJECT)},
        )

    return command


def answering_nginx(place: Place) -> Command:
    """Return the command of an nginx that gives every request the same answer."""
    return _nginx(place, _ANSWERING.format(port=place.port, answer=ANSWER.decode()))


def _proxying_nginx(place: Place) -> Command:
    return _nginx(place, _PROXYING.format(port=place.port, upstream=place.upstream))


# ---- Spillover, and the yardstick of its stack ----

_LIMITS: Final = [
    {"requests": "100M", "per": "minute"},
    {"requests": "1000M", "per": "day", "window": "calendar", "timezone": "America/Los_Angeles"},
    {"tokens": "100000M", "per": "minute"},
    {"tokens": "100000M", "per": "day", "window": "calendar", "timezone": "America/Los_Angeles"},
    {"tokens": "100000M", "per": "minute", "window": "refill"},
]
"""Of every profile; so large that none is ever spent."""


def spillover_document(upstream: str) -> dict[str, Any]:
    """Return a configuration with one chain of three profiles."""
    profile = {"base_url": f"{upstream}/v1", "api_key": KEY, "tier": "paid", "limits": _LIMITS}
    names = ["first", "second", "third"]
    return {
        "profiles": {name: {**profile, "model": f"bench-{name}"} for name in names},
        "chains": {MODEL: names},
    }


def _spillover(place: Place) -> Command:
    settings, state = place.folder / "config", place.folder / "state"
    settings.mkdir()
    file = settings / "spillover.yaml"
    document = {
        "server": {"port": place.port},
        "storage": f"sqlite:///{state / 'ledger.db'}",
        **spillover_document(place.upstream_url),
    }
    file.write_text(json.dumps(document, indent=1))  # JSON is YAML too
    return place.command(BIN / "spillover", "serve", "--config", file)


def _bare(place: Place) -> Command:
    options = (
        "--loop=uvloop --http=httptools --ws=none --lifespan=off --no-access-log"
        " --no-server-header --no-date-header --no-proxy-headers --log-level=warning"
    )
    return place.command(
        *(sys.executable, "-m", "uvicorn", "bench.bare:app", f"--port={place.port}"),
        *options.split(),
        environ={"BENCH_UPSTREAM": place.upstream_url, "PYTHONPATH": str(PROJECT)},
    )


# ---- peers, there after `make bench-peers` ----

_LITELLM: Final = """\
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/bench
      api_base: {upstream}/v1
      api_key: {key}
"""


def _litellm(place: Place) -> Command:
    file = place.folder / "litellm.yaml"
    file.write_text(_LITELLM.format(model=MODEL, upstream=place.upstream_url, key=KEY))
    return place.command(
        *(LITELLM, "--config", file, "--host", "127.0.0.1", "--port", str(place.port)),
        *("--num_workers", "1", "--telemetry", "False"),
        environ={
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches prices when it starts
            "LITELLM_LOG": "ERROR",
            # It takes requests without a key, as Spillover on loopback does.
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "PATH": f"{LITELLM.parent}:/usr/bin:/bin",
        },
    )


def _portkey(place: Place) -> Command:
    return place.command(
        *("node", PORTKEY, f"--port={place.port}", "--headless"),
        environ={"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
    )


def _portkey_headers(place: Place) -> dict[str, str]:
    return {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"{place.upstream_url}/v1",
    }


UPSTREAM: Final = Contestant(name="the upstream", command=answering_nginx)
SPILLOVER_ITSELF: Final = Contestant(name=SPILLOVER, command=_spillover)


def contestants() -> list[Contestant]:
    """Return all that can take part on this machine, from the fastest to the slowest."""
    found = [
        Contestant(name=DIRECT, command=None),
        Contestant(name=NGINX, command=_proxying_nginx),
        Contestant(name=BARE, command=_bare),
        SPILLOVER_ITSELF,
    ]
    if PORTKEY.is_file():
        found.append(
            Contestant(
                name=PORTKEY_GATEWAY, command=_portkey, headers=_portkey_headers, streams=(50,)
            )
        )
    if LITELLM.is_file():
        found.append(Contestant(name=LITELLM_PROXY, command=_litellm, streams=(50,)))
    return found

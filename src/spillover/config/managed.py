"""Say which local servers a configuration has the gateway run, and for which profiles.

A port is one server: whoever is at it is served by it, whether it is written there or not.
Refuses to know processes: `spillover.upstream` runs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from spillover.config.addresses import is_loopback
from spillover.config.findings import Finding, dotted
from spillover.config.routing import ManagedServer
from spillover.config.secrets import Secret
from spillover.core.managed import Managed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spillover.config.findings import KeyPath
    from spillover.config.schema import Config, LocalServer

_HTTP_PORT: Final = 80


def managed_servers(
    config: Config, base_urls: Mapping[str, str], *, folder: Path, state: Path
) -> tuple[ManagedServer, ...]:
    """Return the servers to run; `base_urls` are those of the profiles, by name.

    They run in the configuration's `folder`; their logs go to the `state` folder.
    """
    found: dict[int, ManagedServer] = {}
    for name, path, written in _written(config):
        port = _port(base_urls[name])
        if port in found:
            continue
        found[port] = ManagedServer(
            spec=_spec(str(path[1]), written, base_urls[name], folder=folder, state=state),
            env=tuple(
                (variable, value)
                for variable, value in written.env.items()
                if isinstance(value, Secret)
            ),
            profiles=tuple(
                each for each, url in base_urls.items() if is_loopback(url) and _port(url) == port
            ),
        )
    return tuple(found.values())


def findings(config: Config, base_urls: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what can't work of the servers; `base_urls` are those of the profiles, by name."""
    ports: dict[int, tuple[KeyPath, LocalServer]] = {}
    commands: dict[tuple[str, ...], tuple[KeyPath, int]] = {}
    for name, path, written in _written(config):
        url = base_urls[name]
        if not url:
            continue  # told already
        if not (is_loopback(url) and url.startswith("http://")):
            yield Finding(
                path=path,
                found=f"a server to run for {url}",
                expected="a base_url of this machine with the port that the command listens on, "
                "such as http://127.0.0.1:4000/v1",
            )
            continue
        port = _port(url)
        place, first = ports.setdefault(port, (path, written))
        if first != written:
            yield Finding(
                path=path,
                found=f"a server at port {port} unlike that of {dotted(place)}",
                expected="equal settings, or nothing: whoever is at a port shares its server",
            )
        elsewhere, other = commands.setdefault(written.command, (path, port))
        if other != port:
            yield Finding(
                path=(*path, "command"),
                found=f"the command of {dotted(elsewhere)}, which is at port {other}",
                expected="one base_url for both, or another command",
            )


def _written(config: Config) -> Iterator[tuple[str, KeyPath, LocalServer]]:
    """Yield each profile with a server to run, and where that is written."""
    for name, profile in config.profiles.items():
        account = config.accounts.get(profile.account or "")
        if profile.upstream is not None:
            yield name, ("profiles", name, "upstream"), profile.upstream
        if account is not None and account.upstream is not None:
            yield name, ("accounts", profile.account or "", "upstream"), account.upstream


def _spec(name: str, written: LocalServer, base_url: str, *, folder: Path, state: Path) -> Managed:
    log = state / "upstreams" / f"{name}.log"
    if written.log is not None:
        log = folder / Path(written.log).expanduser()
    return Managed(
        name=name,
        command=written.command,
        folder=str(folder),
        host=urlsplit(base_url).hostname or "",
        port=_port(base_url),
        health=written.health,
        restart=written.restart,
        max_memory=written.max_memory,
        max_age_s=written.max_age,
        start_within_s=written.start_within,
        health_every_s=written.health_every,
        log=str(log),
    )


def _port(base_url: str) -> int:
    return urlsplit(base_url).port or _HTTP_PORT

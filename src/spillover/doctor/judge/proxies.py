"""Judge the proxies of the environment: what goes through them, and what must not.

Refuses to know whether they answer: the network's checks do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level, SetVariable
from spillover.doctor.systems import Act, System, command

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_PROXY: Final = "NO_PROXY"
THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")
_USED: Final = frozenset({"http", "https", "all"})
_SCHEMES: Final = frozenset({"http", "https"})


class Proxies(Value, frozen=True, kw_only=True):
    """What the environment says of proxies."""

    proxies: dict[str, str] = msgspec.field(default_factory=dict)
    """Scheme and where the proxy is, without its login: `https` and `http://proxy:3128`."""
    no_proxy: str = ""
    env_no_proxy: str = ""
    """What the `.env` says."""
    env_path: Path


def leaves_out(no_proxy: str, host: str) -> bool:
    """Return whether a `NO_PROXY` leaves a host out."""
    names = [name.strip().lstrip(".").lower() for name in no_proxy.split(",")]
    return "*" in names or host in names


def proxies(found: Proxies, system: System) -> Iterator[Finding]:
    """Yield what the environment's proxies do to requests."""
    used = {scheme: url for scheme, url in found.proxies.items() if scheme in _USED}
    if not used:
        yield Finding(check="env.proxy", saw="no proxy variable is set")
        return
    shown = ", ".join(f"{scheme}_proxy={url}" for scheme, url in sorted(used.items()))
    for scheme, url in sorted(used.items()):
        kind = url.partition("://")[0] if "://" in url else "http"
        if kind not in _SCHEMES:
            yield Finding(
                check="env.proxy",
                level=Level.PROBLEM,
                about=f"{scheme}_proxy",
                saw=f"{url} is a proxy of the kind {kind}",
                why="only http and https proxies are used: every remote provider is out of reach",
                remedy=command(
                    system,
                    Act.SET_VARIABLE,
                    name=f"{scheme.upper()}_PROXY",
                    value="http://PROXY:PORT",
                ),
            )
    both = ",".join(filter(None, (found.no_proxy, found.env_no_proxy)))
    missing = [host for host in THIS_MACHINE[:2] if not leaves_out(both, host)]
    whole = ",".join(filter(None, (found.env_no_proxy or found.no_proxy, *missing)))
    session = command(system, Act.SET_VARIABLE, name=NO_PROXY, value=whole)
    if missing:
        yield Finding(
            check="env.proxy",
            level=Level.WARNING,
            about=NO_PROXY,
            saw=f"{shown}, and {NO_PROXY} does not leave out {' and '.join(missing)}",
            why="Spillover itself goes straight to this machine, but its clients, and the servers"
            " that it runs, would ask the proxy for it",
            remedy=f"{session}\n{command(system, Act.KEEP_VARIABLE, name=NO_PROXY, value=whole)}",
            fix=SetVariable(path=found.env_path, name=NO_PROXY, value=whole),
        )
    elif all(leaves_out(found.no_proxy, host) for host in THIS_MACHINE[:2]):
        yield Finding(check="env.proxy", saw=f"{shown}; this machine is left out")
    else:
        yield Finding(
            check="env.proxy",
            level=Level.NOTE,
            about=NO_PROXY,
            saw=f"{shown}; {found.env_path} leaves this machine out, this shell does not",
            why="what reads that file is served, a client started from this shell is not",
            remedy=session,
        )

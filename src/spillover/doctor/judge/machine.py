"""Judge the machine: versions, whether it may talk to itself, what watches over it.

Refuses to know how any of it is found out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spillover.config.addresses import is_loopback_host
from spillover.core.values import Value
from spillover.doctor.findings import Finding, Level
from spillover.doctor.systems import Act, System, command, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_PYTHON: Final = (3, 11)
OLDEST_SQLITE: Final = (3, 35)
"""Of 2021; older ones are not tested."""


class Machine(Value, frozen=True, kw_only=True):
    """What runs here."""

    system: System
    spillover: str
    python: tuple[int, ...]
    executable: str
    """The Python that runs."""
    sqlite: tuple[int, ...]
    openssl: str
    loopback_error: str = ""
    """Why this machine can't connect to itself; empty: it can."""
    folder: str = ""
    """Of the configuration."""


def machine(found: Machine, *, host: str, port: int) -> Iterator[Finding]:
    """Yield what is to know of the machine that the gateway listens on at `host` and `port`."""
    yield _versions(found)
    yield _loopback(found)
    yield _antivirus(found)
    yield _firewall(found, host, port)


def _versions(found: Machine) -> Finding:
    python, sqlite = (".".join(map(str, each)) for each in (found.python, found.sqlite))
    shown = f"Spillover {found.spillover}, Python {python}, SQLite {sqlite}, {found.openssl}"
    old = [
        name
        for name, version, least in (
            ("Python", found.python, OLDEST_PYTHON),
            ("SQLite", found.sqlite, OLDEST_SQLITE),
        )
        if version < least
    ]
    return Finding(
        check="system.versions",
        level=Level.WARNING if old else Level.OK,
        saw=shown,
        why=f"{' and '.join(old)} is older than what is tested" if old else "",
        remedy="install a newer Python" if old else "",
    )


def _loopback(found: Machine) -> Finding:
    if not found.loopback_error:
        return Finding(check="system.loopback", saw="this machine may talk to itself")
    return Finding(
        check="system.loopback",
        level=Level.PROBLEM,
        saw=f"a connection to this machine itself failed: {found.loopback_error}",
        why="an antivirus, a firewall or a sandbox keeps Python off the network",
        remedy=_exclusion(found),
    )


def _exclusion(found: Machine) -> str:
    program = quoted(found.system, found.executable)
    if found.system is System.WINDOWS:
        folder = quoted(found.system, found.folder or ".")
        return f"Add-MpPreference -ExclusionProcess {program}\nAdd-MpPreference -ExclusionPath {folder}"
    if found.system is System.MACOS:
        return f"/usr/libexec/ApplicationFirewall/socketfilterfw --unblockapp {program}"
    return f"allow {program} in what watches over this machine (AppArmor, SELinux, an antivirus)"


def _antivirus(found: Machine) -> Finding:
    if found.system is not System.WINDOWS:
        return Finding(check="system.antivirus", saw="nothing is known to hold Python up here")
    return Finding(
        check="system.antivirus",
        level=Level.NOTE,
        saw=f"an antivirus may hold up {found.executable}",
        why="it scans each connection and file of a program that it does not know: slow or cut streams",
        remedy=_exclusion(found),
    )


def _firewall(found: Machine, host: str, port: int) -> Finding:
    if is_loopback_host(host):
        return Finding(
            check="system.firewall", saw=f"it listens on {host}: no firewall stands between"
        )
    return Finding(
        check="system.firewall",
        level=Level.NOTE,
        about=f"{host}:{port}",
        saw="other machines are to reach the gateway",
        why="a firewall answers them with a refusal, though local clients are served",
        remedy=command(found.system, Act.ALLOW_PORT, port=port),
    )

"""Say the same thing to each system: the command that does it on Linux, macOS and Windows.

Refuses to run any of them.
"""

from __future__ import annotations

import ntpath
import shlex
from enum import StrEnum
from typing import Final


class System(StrEnum):
    """Whose commands are meant."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


class Act(StrEnum):
    """What a command does; in braces what it needs to know."""

    SET_VARIABLE = "set {name} to {value}, for this session"
    KEEP_VARIABLE = "set {name} to {value}, for good"
    ONLY_OWNER = "let its owner alone read {path}"
    FLUSH_DNS = "forget the addresses of hosts"
    LOOK_UP = "look up {host}"
    TRY_PORT = "connect to {host}:{port}"
    WHO_HAS_PORT = "name the process at {port}"
    END_PROCESS = "end {pid}"
    SET_CLOCK = "set the clock by the network"
    ALLOW_PORT = "let other machines reach {port}"
    DISK = "say how full the disk of {path} is"
    RESTART = "end a process by {pid} that leaks memory"


_COMMANDS: Final[dict[Act, tuple[str, str, str]]] = {
    # Linux, macOS, Windows (PowerShell, as administrator where the system asks for one).
    Act.SET_VARIABLE: ("export {name}={value}", "export {name}={value}", '$env:{name} = "{value}"'),
    Act.KEEP_VARIABLE: (
        "echo 'export {name}={value}' >> ~/.profile",
        "echo 'export {name}={value}' >> ~/.zprofile",
        '[Environment]::SetEnvironmentVariable("{name}", "{value}", "User")',
    ),
    Act.ONLY_OWNER: (
        "chmod go= {path}",
        "chmod go= {path}",
        'icacls {path} /inheritance:r /grant:r "$($env:USERNAME):F"',
    ),
    Act.FLUSH_DNS: (
        "resolvectl flush-caches",
        "sudo dscacheutil -flushcache && sudo killall -HUP mDNSResponder",
        "ipconfig /flushdns",
    ),
    Act.LOOK_UP: ("getent ahosts {host}", "dscacheutil -q host -a name {host}", "nslookup {host}"),
    Act.TRY_PORT: (
        "nc -vz {host} {port}",
        "nc -vz {host} {port}",
        "Test-NetConnection -ComputerName {host} -Port {port}",
    ),
    Act.WHO_HAS_PORT: (
        "ss -ltnp 'sport = :{port}'",
        "lsof -nP -iTCP:{port} -sTCP:LISTEN",
        "Get-Process -Id (Get-NetTCPConnection -LocalPort {port} -State Listen).OwningProcess",
    ),
    Act.END_PROCESS: ("kill {pid}", "kill {pid}", "taskkill /PID {pid} /F"),
    Act.RESTART: ("kill {pid}", "kill {pid}", "taskkill /PID {pid}"),
    Act.SET_CLOCK: (
        "sudo timedatectl set-ntp true",
        "sudo sntp -sS time.apple.com",
        "w32tm /resync",
    ),
    Act.ALLOW_PORT: (
        "sudo ufw allow {port}/tcp",
        "/usr/libexec/ApplicationFirewall/socketfilterfw --listapps",
        'netsh advfirewall firewall add rule name="Spillover" dir=in action=allow protocol=tcp localport={port}',
    ),
    Act.DISK: ("df -h {path}", "df -h {path}", "Get-PSDrive -PSProvider FileSystem"),
}
_ORDER: Final = (System.LINUX, System.MACOS, System.WINDOWS)


def command(system: System, act: Act, **known: object) -> str:
    """Return the command for an act; paths are quoted as the system's shell wants them."""
    if "path" in known:
        known["path"] = quoted(system, str(known["path"]))
    return _COMMANDS[act][_ORDER.index(system)].format(**known)


def quoted(system: System, path: str) -> str:
    """Return a path as it can be typed."""
    if system is System.WINDOWS:
        plain = ntpath.normpath(path)
        return f'"{plain}"' if " " in plain else plain
    return shlex.quote(path)

"""Say how the gateway runs as a service of one user: a systemd unit, a launchd agent, a task.

Keys are in none of them: a service reads the `.env` beside the configuration.
Refuses to write and to start anything.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from spillover.errors import RequestError

NAME: Final = "spillover"
LABEL: Final = "dev.spillover.gateway"
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
"""Signs that may end a line of a unit, or that no XML can hold."""


class Manager(StrEnum):
    """What starts services on a platform."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"
    TASKS = "Task Scheduler"


def manager_of(platform: str) -> Manager:
    """Return what starts services, by `sys.platform`."""
    return {"darwin": Manager.LAUNCHD, "win32": Manager.TASKS}.get(platform, Manager.SYSTEMD)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run."""

    python: str
    config: str
    home: str
    environ: Mapping[str, str] = {}
    """Variables that say where things are; none is a secret."""

    @property
    def command(self) -> list[str]:
        """Program and arguments."""
        return [self.python, "-m", "spillover", "serve", "--config", self.config]


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service's file, and what the platform is told of it."""

    path: Path
    text: str
    start: tuple[tuple[str, ...], ...]
    """Commands that take it over, and start it now and at each login."""
    stop: tuple[tuple[str, ...], ...]
    status: tuple[str, ...]
    """Succeeds while it runs."""
    forget: tuple[tuple[str, ...], ...] = ()
    """After its file is gone."""
    note: str = ""


def service(manager: Manager, wish: Wish, environ: Mapping[str, str]) -> Service:
    """Return the service of a platform."""
    match manager:
        case Manager.SYSTEMD:
            return _systemd(wish, environ)
        case Manager.LAUNCHD:
            return _launchd(wish)
        case Manager.TASKS:
            return _task(wish, environ)


def _systemd(wish: Wish, environ: Mapping[str, str]) -> Service:
    program, *arguments = wish.command  # in a program's name, $ stands for itself
    words = [_quoted(program, command=False), *map(_quoted, arguments)]
    folder = environ.get("XDG_CONFIG_HOME") or f"{wish.home}/.config"
    lines = [
        "[Unit]",
        "Description=Spillover, one endpoint over all your LLM quotas",
        "StartLimitIntervalSec=300",
        "StartLimitBurst=10",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(words)}",
        *(
            f"Environment={_quoted(f'{name}={value}', command=False)}"
            for name, value in wish.environ.items()
        ),
        "Restart=on-failure",
        "RestartSec=2",
        "TimeoutStopSec=45",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    unit = f"{NAME}.service"
    user = ("systemctl", "--user")
    return Service(
        path=Path(folder) / "systemd" / "user" / unit,
        text="\n".join(lines),
        start=((*user, "daemon-reload"), (*user, "enable", "--now", unit)),
        stop=((*user, "disable", "--now", unit),),
        status=(*user, "is-active", unit),
        forget=((*user, "daemon-reload"),),
        note="it ends with your last session, unless: loginctl enable-linger",
    )


def _quoted(word: str, *, command: bool = True) -> str:
    """Return a word as systemd reads it back (systemd.syntax(7), systemd.service(5))."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    text = _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    return f'"{text.replace("$", "$$") if command else text}"'


def _launchd(wish: Wish) -> Service:
    path = Path(wish.home) / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    log = f"{wish.home}/Library/Logs/{NAME}/console.log"
    document = {
        "Label": LABEL,
        "ProgramArguments": wish.command,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 45,
        "Umask": 0o077,
        "ProcessType": "Interactive",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    if wish.environ:
        document["EnvironmentVariables"] = dict(wish.environ)
    try:
        text = plistlib.dumps(document, sort_keys=False).decode()
    except ValueError as error:
        raise RequestError(f"no property list can name such a path: {error}") from None
    return Service(
        path=path,
        text=text,
        start=(("launchctl", "load", "-w", str(path)),),
        stop=(("launchctl", "unload", "-w", str(path)),),
        status=("launchctl", "list", LABEL),
    )


def _task(wish: Wish, environ: Mapping[str, str]) -> Service:
    folder = environ.get("LOCALAPPDATA") or f"{wish.home}\\AppData\\Local"
    path = PureWindowsPath(folder) / NAME / f"{NAME}-task.xml"
    program, *rest = wish.command
    windowless = PureWindowsPath(program)
    if windowless.name.lower() == "python.exe":  # without a console that stays open
        windowless = windowless.with_name("pythonw.exe")
    arguments = " ".join(f'"{word}"' if " " in word or not word else word for word in rest)
    settings = "".join(
        f"    <{name}>{value}</{name}>\n"
        for name, value in {
            "MultipleInstancesPolicy": "IgnoreNew",
            "DisallowStartIfOnBatteries": "false",
            "StopIfGoingOnBatteries": "false",
            "ExecutionTimeLimit": "PT0S",
            "RestartOnFailure": "<Interval>PT1M</Interval><Count>10</Count>",
        }.items()
    )
    text = f"""\
<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Spillover, one endpoint over all your LLM quotas</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Principals><Principal id="Author"><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal></Principals>
  <Settings>
{settings}  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(str(windowless))}</Command>
      <Arguments>{escape(arguments)}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
    task = ("schtasks", "/TN", NAME)
    note = ""
    if wish.environ:
        said = ", ".join(wish.environ)
        note = f"a task takes no variables: set {said} for your user (setx)"
    return Service(
        path=Path(str(path)),
        text=text,
        start=(
            (task[0], "/Create", "/F", *task[1:], "/XML", str(path)),
            (task[0], "/Run", *task[1:]),
        ),
        stop=((task[0], "/End", *task[1:]), (task[0], "/Delete", "/F", *task[1:])),
        status=(task[0], "/Query", *task[1:]),
        note=note,
    )

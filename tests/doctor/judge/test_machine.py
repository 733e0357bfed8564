"""The machine: versions, whether it may talk to itself, and what watches over it on each system."""

from __future__ import annotations

from typing import Any

from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.machine import Machine, machine
from spillover.doctor.systems import System


def found(
    system: System = System.LINUX, host: str = "127.0.0.1", **fields: Any
) -> dict[str, Finding]:
    here = Machine(
        **{
            "system": system,
            "spillover": "1.0",
            "python": (3, 12, 1),
            "executable": "/usr/bin/python3",
            "sqlite": (3, 46, 0),
            "openssl": "OpenSSL 3.0.19",
            "folder": "conf",
        }
        | fields
    )
    return {each.check: each for each in machine(here, host=host, port=4400)}


def test_a_usual_machine_is_sound() -> None:
    every = found()

    assert {each.level for each in every.values()} == {Level.OK}
    assert every["system.versions"].saw == (
        "Spillover 1.0, Python 3.12.1, SQLite 3.46.0, OpenSSL 3.0.19"
    )


def test_an_old_python_is_told() -> None:
    old = found(python=(3, 10, 0))["system.versions"]

    assert (old.level, old.why) == (Level.WARNING, "Python is older than what is tested")


def test_a_machine_that_may_not_talk_to_itself_is_told_what_to_allow() -> None:
    blocked = {
        system: found(system, loopback_error="denied")["system.loopback"] for system in System
    }

    assert {each.level for each in blocked.values()} == {Level.PROBLEM}
    assert "AppArmor" in blocked[System.LINUX].remedy
    assert "--unblockapp /usr/bin/python3" in blocked[System.MACOS].remedy
    assert "Add-MpPreference -ExclusionProcess" in blocked[System.WINDOWS].remedy


def test_windows_has_an_antivirus_to_think_of() -> None:
    advice = found(System.WINDOWS, executable="C:\\Program Files\\Python\\python.exe")

    assert advice["system.antivirus"].level is Level.NOTE
    assert '"C:\\Program Files\\Python\\python.exe"' in advice["system.antivirus"].remedy


def test_a_gateway_for_other_machines_has_a_firewall_to_open() -> None:
    windows = found(System.WINDOWS, host="0.0.0.0")["system.firewall"]
    linux = found(System.LINUX, host="0.0.0.0")["system.firewall"]

    assert "netsh advfirewall firewall add rule" in windows.remedy
    assert linux.remedy == "sudo ufw allow 4400/tcp"

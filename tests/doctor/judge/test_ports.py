"""The gateway's port: free, ours, taken or forbidden; and what the systems' programs print of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spillover.doctor.findings import Finding, Level, OtherPort
from spillover.doctor.judge.ports import (
    Bind,
    Port,
    excluded_ranges,
    lsof_holder,
    netstat_pid,
    ports,
    tasklist_holder,
)
from spillover.doctor.systems import System

CONFIG = Path("spillover.yaml")


def found(bind: Bind, system: System = System.LINUX, **fields: Any) -> list[Finding]:
    port = Port(host="127.0.0.1", port=4400, bind=bind, config=CONFIG, **fields)
    return list(ports(port, system, "1.0"))


def test_a_free_port_is_sound() -> None:
    (one,) = found(Bind.FREE)

    assert one.level is Level.OK


def test_a_taken_port_names_who_has_it_and_the_next_free_one() -> None:
    (one,) = found(Bind.TAKEN, holder="nginx (pid 12)", free=4401)

    assert one.saw == (
        "nginx (pid 12) has it, and is no gateway of ours; the next free one is 4401"
    )
    assert one.remedy == "kill 12\nor another port: spillover serve --port 4401"
    assert one.fix == OtherPort(path=CONFIG, port=4401)


def test_a_process_that_is_not_told_is_to_be_asked_for() -> None:
    (one,) = found(Bind.TAKEN, System.WINDOWS)

    assert one.remedy.startswith("Get-Process -Id (Get-NetTCPConnection -LocalPort 4400")
    assert one.fix is None


@pytest.mark.parametrize(
    ("gateway", "level"),
    [("healthy", Level.OK), ("degraded", Level.NOTE), ("unhealthy", Level.PROBLEM)],
)
def test_our_own_gateway_is_told_with_how_it_stands(gateway: str, level: Level) -> None:
    ours, running = found(Bind.TAKEN, gateway=gateway, version="1.0")

    assert ours.level is Level.OK
    assert (running.check, running.level) == ("port.running", level)


def test_a_gateway_of_before_the_upgrade_is_told() -> None:
    _, running = found(Bind.TAKEN, gateway="healthy", version="0.9")

    assert running.level is Level.WARNING
    assert "of version 0.9, this is 1.0" in running.saw


def test_a_range_that_windows_keeps_is_explained() -> None:
    (inside,) = found(Bind.DENIED, System.WINDOWS, excluded=((4391, 4490),), free=4491)
    (unknown,) = found(Bind.DENIED, System.WINDOWS)

    assert "4391–4490 for Hyper-V" in inside.why
    assert "netsh int ipv4 show excludedportrange protocol=tcp" in inside.remedy
    assert "startport=4400 numberofports=1" in inside.remedy
    assert "Hyper-V" in unknown.why


def test_a_low_port_and_a_foreign_address_are_told() -> None:
    (low,) = found(Bind.DENIED)
    (foreign,) = found(Bind.NO_ADDRESS)

    assert "administrators" in low.why
    assert foreign.remedy == "server: {host: 127.0.0.1}"


NETSH = """
Protokoll tcp Portausschlussbereiche

Startport    Endport
----------    --------
        80          80
      4391        4490
     50000       50059     *

* - Verwaltete Portausschluesse.
"""


def test_netsh_is_read_in_any_language() -> None:
    assert excluded_ranges(NETSH) == ((80, 80), (4391, 4490), (50000, 50059))


def test_lsof_netstat_and_tasklist_are_read() -> None:
    netstat = "  TCP    127.0.0.1:44000  0.0.0.0:0  LISTENING  1\r\n"
    netstat += "  TCP    127.0.0.1:4400  0.0.0.0:0  LISTENING  4711\r\n"

    assert lsof_holder("p4711\ncPython\np9\ncother\n") == "Python (pid 4711)"
    assert lsof_holder("") == ""
    assert netstat_pid(netstat, 4400) == "4711"
    assert netstat_pid("", 4400) == ""
    assert tasklist_holder('"python.exe","4711","Console","1","10,000 K"\r\n') == (
        "python.exe (pid 4711)"
    )
    assert tasklist_holder("INFO: No tasks are running") == ""

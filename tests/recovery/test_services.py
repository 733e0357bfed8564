"""A service's file starts the gateway on one configuration, and is what its platform reads."""

from __future__ import annotations

import plistlib
import shlex
import shutil
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec
import pytest

from spillover.errors import RequestError
from spillover.recovery.services import LABEL, Manager, Wish, manager_of, service

if TYPE_CHECKING:
    from pathlib import Path

ODD = '/home/you & me/50% $HOME "q" \\b/spillover.yaml'
WISH = Wish(
    python="/opt/my python/bin/python",
    config=ODD,
    home="/home/you",
    environ={"SPILLOVER_STATE_DIR": "/var/50% of it"},
)


@pytest.mark.parametrize(
    ("platform", "manager"),
    [
        ("linux", Manager.SYSTEMD),
        ("darwin", Manager.LAUNCHD),
        ("win32", Manager.TASKS),
        ("freebsd14", Manager.SYSTEMD),
    ],
)
def test_each_platform_has_its_own(platform: str, manager: Manager) -> None:
    assert manager_of(platform) is manager


def unescaped(word: str) -> str:
    return word.replace("%%", "%").replace("$$", "$")


def test_a_unit_runs_the_command_and_comes_back_after_a_failure() -> None:
    unit = service(Manager.SYSTEMD, WISH, {})

    settings = dict(line.split("=", 1) for line in unit.text.splitlines() if "=" in line)
    words = [unescaped(word) for word in shlex.split(settings["ExecStart"])]
    assert words == WISH.command
    assert (
        unescaped(shlex.split(settings["Environment"])[0]) == "SPILLOVER_STATE_DIR=/var/50% of it"
    )
    assert (settings["Restart"], settings["UMask"]) == ("on-failure", "0077")
    assert str(unit.path) == "/home/you/.config/systemd/user/spillover.service"
    assert unit.start[-1] == ("systemctl", "--user", "enable", "--now", "spillover.service")


def test_a_unit_goes_where_the_user_has_units() -> None:
    unit = service(Manager.SYSTEMD, WISH, {"XDG_CONFIG_HOME": "/cfg"})

    assert str(unit.path).startswith("/cfg/systemd/user/")


def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path) -> None:
    program = tmp_path / "py%thon $x"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    wish = Wish(python=str(program), config=ODD, home=str(tmp_path), environ=WISH.environ)
    path = tmp_path / "spillover.service"
    path.write_text(service(Manager.SYSTEMD, wish, {}).text)
    analyze = shutil.which("systemd-analyze") or "true"  # elsewhere the tests above must do

    done = subprocess.run(
        [analyze, "verify", "--user", path],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@pytest.mark.parametrize("sign", ["\n", "\r", "\r\n", "\t", "\x0b", "\x7f"])
def test_no_sign_in_a_path_begins_a_line_of_a_unit(sign: str) -> None:
    config = f"/cfg/a{sign}ExecStartPre=evil"
    unit = service(Manager.SYSTEMD, msgspec.structs.replace(WISH, config=config), {})

    lines = unit.text.splitlines()
    assert len(lines) == len(service(Manager.SYSTEMD, WISH, {}).text.splitlines())
    assert not any(line.startswith("ExecStartPre") for line in lines)
    escaped = "".join(f"\\x{ord(each):02x}" for each in sign)
    assert f'"/cfg/a{escaped}ExecStartPre=evil"' in unit.text


def test_a_path_that_no_agent_can_name_is_refused() -> None:
    with pytest.raises(RequestError, match="no property list"):
        service(Manager.LAUNCHD, msgspec.structs.replace(WISH, config="/cfg/\x1b[2J"), {})


def test_an_agent_is_a_property_list_of_the_same() -> None:
    agent = service(Manager.LAUNCHD, WISH, {})

    document = plistlib.loads(agent.text.encode())
    assert (document["Label"], document["ProgramArguments"]) == (LABEL, WISH.command)
    assert document["KeepAlive"] == {"SuccessfulExit": False}
    assert document["EnvironmentVariables"] == dict(WISH.environ)
    assert PurePosixPath(str(agent.path)).parts[-3:] == (
        "Library", "LaunchAgents", f"{LABEL}.plist"
    )  # fmt: skip


def test_a_task_starts_at_logon_without_a_console() -> None:
    wish = Wish(
        python="C:\\Python\\python.exe", config="C:\\my & yours\\s.yaml", home="C:\\Users\\you"
    )
    task = service(Manager.TASKS, wish, {"LOCALAPPDATA": "C:\\Local"})

    root = ET.fromstring(task.text)  # noqa: S314 - a text of ours
    found = {each.tag.rpartition("}")[2]: each.text for each in root.iter()}
    assert found["Command"] == "C:\\Python\\pythonw.exe"
    assert found["Arguments"] == '-m spillover serve --config "C:\\my & yours\\s.yaml"'
    assert found["RunLevel"] == "LeastPrivilege"
    assert str(task.path) == "C:\\Local\\spillover\\spillover-task.xml"
    assert (task.start[0][:2], task.note) == (("schtasks", "/Create"), "")
    assert "SPILLOVER_STATE_DIR" in service(Manager.TASKS, WISH, {}).note

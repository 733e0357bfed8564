"""Each act has a command on each system."""

from __future__ import annotations

import pytest

from spillover.doctor.systems import Act, System, command, quoted

KNOWN = {"name": "N", "value": "v", "path": "a b", "host": "h", "port": 1, "pid": 2}


@pytest.mark.parametrize("system", System)
@pytest.mark.parametrize("act", Act)
def test_every_act_has_a_command_on_every_system(act: Act, system: System) -> None:
    found = command(system, act, **KNOWN)

    assert found
    assert "{path}" not in found


def test_paths_are_quoted_as_the_shell_wants_them() -> None:
    assert quoted(System.LINUX, "/a b/c") == "'/a b/c'"
    assert quoted(System.WINDOWS, "C:/a b/c") == '"C:\\a b\\c"'
    assert quoted(System.WINDOWS, "C:/a/c") == "C:\\a\\c"

"""The application is put together from the commands that are asked for."""

from __future__ import annotations

from typer.testing import CliRunner

from spillover.cli import switch, usage
from spillover.cli.app import build


def test_only_the_commands_that_are_asked_for_are_there() -> None:
    shown = CliRunner().invoke(build([switch]), ["--help"])

    assert "enable" in shown.output
    assert "disable" in shown.output
    assert "usage" not in shown.output


def test_a_group_stands_below_its_name() -> None:
    shown = CliRunner().invoke(build([usage]), ["usage", "--help"])

    assert shown.exit_code == 0
    assert "clear" in shown.output

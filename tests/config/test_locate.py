"""Where configuration, state and variables are found, and where not looked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from spillover.config.locate import config_path, env_path, is_named, read_env, state_folder

if TYPE_CHECKING:
    import pytest


def test_the_named_file_comes_first_then_the_variable_then_the_users_own() -> None:
    environ = {"SPILLOVER_CONFIG": "/from/variable.yaml"}

    assert config_path("/named.yaml", environ) == Path("/named.yaml")
    assert config_path(None, environ) == Path("/from/variable.yaml")
    assert config_path(None, {}) == platformdirs.user_config_path("spillover") / "spillover.yaml"


def test_the_working_folder_is_never_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spillover.yaml").write_text("profiles: {}")
    monkeypatch.chdir(tmp_path)

    assert config_path(None, {}) != tmp_path / "spillover.yaml"
    assert not config_path(None, {}).exists()


def test_a_home_sign_is_understood() -> None:
    assert config_path("~/x.yaml", {}) == Path("~/x.yaml").expanduser()


def test_somebody_must_have_asked_for_a_file_that_must_exist() -> None:
    assert is_named("x.yaml", {})
    assert is_named(None, {"SPILLOVER_CONFIG": "x.yaml"})
    assert not is_named(None, {"SPILLOVER_CONFIG": ""})


def test_the_state_folder_is_the_variables_or_the_users_own() -> None:
    assert state_folder({"SPILLOVER_STATE_DIR": "/state"}) == Path("/state")
    assert state_folder({}) == platformdirs.user_state_path("spillover")
    assert os.environ["SPILLOVER_STATE_DIR"] == str(state_folder(os.environ))


def test_variables_stand_beside_the_configuration() -> None:
    assert env_path(Path("/etc/x/spillover.yaml")) == Path("/etc/x/.env")


def test_a_file_of_variables_is_read_as_shells_do(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "\ufeff# a comment\n"
        "PLAIN=value\n"
        "export EXPORTED=value2\n"
        "SINGLE='with # and ${NO} expansion'\n"
        'DOUBLE="two\\nlines and a \\"quote\\""\n'
        "SPACED = around # a comment\n"
        "HASH=a#b\n"
        "EMPTY=\n"
        "EQUALS=a=b==\n"
        "  INDENTED=yes\n"
        "not a variable\n"
        "9WRONG=x\n"
    )

    assert read_env(file) == {
        "PLAIN": "value",
        "EXPORTED": "value2",
        "SINGLE": "with # and ${NO} expansion",
        "DOUBLE": 'two\nlines and a "quote"',
        "SPACED": "around",
        "HASH": "a#b",
        "EMPTY": "",
        "EQUALS": "a=b==",
        "INDENTED": "yes",
    }


def test_no_file_of_variables_means_no_variables(tmp_path: Path) -> None:
    assert read_env(tmp_path / ".env") == {}
    assert read_env(tmp_path) == {}

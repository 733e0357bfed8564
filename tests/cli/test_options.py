"""Options that several commands share read the same everywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from tests.library.setting import two_providers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("option", ["--config", "-c"])
def test_a_configuration_is_named_long_or_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    with two_providers(tmp_path) as setting:
        code = run(["status", "--json", option, str(setting.path)])

    assert code == 0
    assert list(json.loads(capsys.readouterr().out)["profiles"]) == ["first", "second"]


def test_a_configuration_may_come_from_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_providers(tmp_path) as setting:
        monkeypatch.setenv("SPILLOVER_CONFIG", str(setting.path))
        code = run(["usage", "--json"])

    assert code == 0
    assert list(json.loads(capsys.readouterr().out)["profiles"]) == ["first", "second"]

"""`spillover connect` prints what points a client at the gateway that is configured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spillover.catalogue.clients import load
from spillover.cli.connect import overview
from spillover.cli.entry import run

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = """\
profiles: {one: {base_url: "http://127.0.0.1:9/v1", model: m}}
chains: {coding: [one], spare: [one]}
"""
KEY = "sk-team-0123456789abcdef"


def configured(folder: Path, server: str = "") -> str:
    """Write a configuration; returns its path."""
    path = folder / "spillover.yaml"
    path.write_text(PROFILES + server, "utf-8")
    return str(path)


def connected(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what goes to standard output."""
    assert run(["connect", *arguments]) == 0
    return capsys.readouterr().out


def test_without_a_file_the_defaults_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = connected(capsys, "openai-python")

    assert 'base_url="http://127.0.0.1:4400/v1", api_key="any"' in out
    assert 'model="default"' in out


def test_the_configured_address_and_first_chain_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = configured(tmp_path, "server: {port: 4567}\n")

    out = connected(capsys, "openai-python", "--config", path)

    assert 'base_url="http://127.0.0.1:4567/v1"' in out
    assert 'model="coding"' in out


@pytest.mark.parametrize(
    ("host", "called"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("box.lan", "box.lan")],
)
def test_an_address_is_one_that_can_be_called(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, host: str, called: str
) -> None:
    guard = f'server: {{host: "{host}", client_keys: [{KEY}], admin_key: admin-0123456789}}\n'
    path = configured(tmp_path, guard)

    assert f"http://{called}:4400/v1/chat" in connected(capsys, "curl", "--config", path)


@pytest.mark.parametrize("given", ["https://llm.example.org", "https://llm.example.org/v1/"])
def test_another_address_and_model_are_told_where_they_are_given(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, given: str
) -> None:
    options = ("--config", configured(tmp_path), "--address", given, "--model", "spare")

    out = connected(capsys, "openai-python", *options)

    assert 'base_url="https://llm.example.org/v1"' in out
    assert 'model="spare"' in out


def test_a_client_key_is_named_and_written_out_only_when_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    guard = 'server: {client_keys: ["${TEAM_KEY}"], admin_key: admin-0123456789}\n'
    path = configured(tmp_path, guard)

    hidden = connected(capsys, "openai-python", "--config", path)
    shown = connected(capsys, "openai-python", "--config", path, "--show-key")

    assert 'api_key=os.environ["TEAM_KEY"]' in hidden
    assert KEY not in hidden
    assert f'api_key="{KEY}"' in shown


def test_a_key_that_is_missing_can_be_named_but_not_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    guard = 'server: {client_keys: ["${GONE_KEY}"], admin_key: admin-0123456789}\n'
    path = configured(tmp_path, guard)

    assert "os.environ" in connected(capsys, "openai-python", "--config", path, "--show-key")


def test_texts_go_to_standard_output_and_where_they_go_beside_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["connect", "codex"])

    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == 'model = "default"'
    assert printed.out.splitlines()[-1] == 'export SPILLOVER_KEY="any"'
    assert printed.err.startswith("~/.codex/config.toml\n")
    assert "then: codex" in printed.err


def test_a_client_that_needs_no_more_said_gets_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    run(["connect", "google-genai"])

    assert capsys.readouterr().err == "a program\n"


def test_all_clients_are_listed_without_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    lines = connected(capsys).splitlines()

    assert len(lines) == len(load().entries) + 1
    assert lines[1].split()[0] == "curl"
    assert max(line.cell_len for line in overview(load(), width=80)) <= 80


def test_an_unknown_client_is_answered_by_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [run(["connect", name]) for name in ("codx", "§")]

    near, none = capsys.readouterr().err.splitlines()
    assert codes == [1, 1]
    assert near == "spillover: no client is called 'codx'; did you mean 'codex'?"
    assert none.endswith("(spillover connect lists them)")


def test_an_unknown_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = run(["connect", "codex", "--model", "codng", "--config", configured(tmp_path)])

    assert code == 1
    assert "'codng'" in capsys.readouterr().err


def test_json_has_the_same_texts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    one = json.loads(connected(capsys, "codex", "--json", "--config", configured(tmp_path)))
    every = json.loads(connected(capsys, "--json"))

    assert (one["address"], one["model"], one["start"]) == (
        "http://127.0.0.1:4400",
        "coding",
        "codex",
    )
    assert one["parts"][0]["into"] == "~/.codex/config.toml"
    assert 'base_url = "http://127.0.0.1:4400/v1"' in one["parts"][0]["text"]
    assert [entry["id"] for entry in every["clients"]] == [each.id for each in load().entries]

"""`spillover check` says everything that is wrong at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema

from spillover.cli.entry import run
from tests.cli.terminal import spillover
from tests.library.setting import two_providers

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BROKEN = """\
profiles:
  a: {provider: grok, model: m}
  b: {base_url: "http://127.0.0.1:9/v1", model: m, limits: {tokens_per_fortnight: 5}}
chains:
  default: [a, c]
"""
KEYLESS = """\
profiles:
  groq: {provider: groq, api_key: "${GROQ_API_KEY}", model: openai/gpt-oss-120b}
chains: {default: [groq]}
"""


def test_a_sound_file_is_summed_up(tmp_path: Path) -> None:
    with two_providers(tmp_path) as setting:
        shown = spillover("check", "--config", setting.path)

    assert shown.returncode == 0
    assert shown.stdout.endswith(f"{setting.path}: nothing wrong; 2 profiles in 1 chain\n")


def test_the_chain_that_nobody_had_to_write_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.yaml"
    path.write_text('profiles: {p: {base_url: "http://127.0.0.1:9/v1", model: m}}', "utf-8")

    code = run(["check", "--config", str(path)])

    assert code == 0
    assert capsys.readouterr().out.endswith("1 profile in the chain 'default' of all of them\n")


FREE = "profiles: {p: {provider: groq, api_key: k, limits: free}}\n"
OLD = """\
as_of: 2020-02-02
providers: {groq: {free: [{models: ["*"], figures: [{metric: requests, amount: 7, per: day}]}]}}
"""


def test_old_free_figures_in_use_are_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(FREE, "utf-8")
    (tmp_path / "catalogue.yaml").write_text(OLD, "utf-8")

    code = run(["check", "--config", str(path)])
    told, summary = capsys.readouterr().out.splitlines()
    run(["check", "--json", "--config", str(path)])
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]

    assert code == 0
    assert told.startswith(
        f"warning: {path}:1:profiles.p.limits: found free figures of groq from 20"
    )
    assert "nothing wrong" in summary
    assert warning["key"] == "profiles.p.limits"


def test_every_problem_has_its_place_and_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, "utf-8")

    shown = spillover("check", "--config", path)

    assert shown.returncode == 1
    places = [line.split(": found ")[0] for line in shown.stdout.splitlines()]
    assert [place.removeprefix(f"{path}:") for place in places] == [
        "2:profiles.a.provider",
        "3:profiles.b.limits.tokens_per_fortnight",
        "5:chains.default[1]",
    ]


def test_a_missing_key_is_wrong_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keyless.yaml"
    path.write_text(KEYLESS, "utf-8")

    code = run(["check", "--config", str(path)])

    assert code == 1
    assert "GROQ_API_KEY" in capsys.readouterr().out


def test_problems_come_as_json_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, "utf-8")

    code = run(["check", "--json", "--config", str(path)])

    document = json.loads(capsys.readouterr().out)
    assert code == 1
    assert document["problems"][0]["nearest"] == "groq"
    assert document["problems"][0]["line"] == 2
    assert document["file"] is None


def test_a_sound_file_has_no_problems_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with two_providers(tmp_path) as setting:
        code = run(["check", "--json", "--config", str(setting.path)])

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (document["file"], document["problems"]) == (str(setting.path), [])


def test_the_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["check", "--schema"])

    schema = json.loads(capsys.readouterr().out)
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "profiles" in schema["properties"]


def test_nothing_to_check_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["check"])

    assert code == 1
    assert "spillover init" in capsys.readouterr().out

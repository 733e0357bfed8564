"""`spillover explain` says who would serve and why the others would not, and sends nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spillover.cli.entry import run
from spillover.cli.explain import lines_of
from tests.cli.documents import NOW, at
from tests.cli.terminal import spillover
from tests.library.setting import Setting, ask, two_providers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="setting")
def _setting(tmp_path: Path) -> Iterator[Setting]:
    with two_providers(tmp_path, second_limits="{requests_per_hour: 1}") as setting:
        yield setting


def test_what_a_call_would_cost_and_test_is_told() -> None:
    estimate = {"tokens": 1_500, "cost_usd": 0.02}
    document = {
        "chain": "default",
        "serves": "paid",
        "available_at": at(0),
        "waits_until": at(9),
        "refusal": None,
        "candidates": [
            {"profile": "paid", "estimate": estimate, "probe": False},
            {"profile": "back", "estimate": {"tokens": 10, "cost_usd": 0.0}, "probe": True},
        ],
        "skipped": [
            {
                "profile": "off",
                "reason": "disabled",
                "detail": "disabled",
                "available_at": None,
                "never": False,
            }
        ],
    }

    lines = [line.plain for line in lines_of(document, now=NOW, width=80)]

    assert lines[0] == "default  would be served by paid, or by one who is back in 9 s"
    assert lines[2:] == [
        "   PROFILE  VERDICT    WHY",
        "1  paid     serves     about 1,500 tokens, $0.02",
        "2  back     stands by  about 10 tokens, as the one request that tests it",
        "   off      disabled",
    ]


def test_wait_in_line_is_told_in_the_place_of_a_refusal() -> None:
    document: dict[str, Any] = {
        "chain": "default",
        "serves": None,
        "available_at": at(7),
        "waits_until": at(7),
        "refusal": None,
        "candidates": [],
        "skipped": [],
    }

    lines = [line.plain for line in lines_of(document, now=NOW, width=80)]

    assert lines[0] == (
        "default  nobody would serve it now, it would wait for one who is back in 7 s"
    )


def test_a_ladder_says_who_serves_and_who_stands_by(setting: Setting) -> None:
    shown = spillover("explain", "--config", setting.path)

    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == "default  would be served by first"
    assert [line.split()[:3] for line in lines[3:]] == [
        ["1", "first", "serves"],
        ["2", "second", "stands"],
    ]
    assert setting.first.counters().received == 0


def test_who_was_left_out_has_a_reason_and_a_time(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(setting.path, times=2)

    code = run(["explain", "--config", str(setting.path)])

    out = capsys.readouterr().out
    assert code == 0
    assert "default  would be served by second" in out
    assert "first    limit    requests per minute, back in " in out


def test_a_chain_that_cannot_serve_exits_with_1(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(setting.path, times=3)

    code = run(["explain", "--config", str(setting.path)])

    out = capsys.readouterr().out
    assert code == 1
    assert out.startswith("default  nobody would serve it now, soonest back in ")
    assert out.splitlines()[-1].startswith("- a local model has no quota: add ollama")


def test_a_request_is_read_from_a_file_or_from_standard_input(
    setting: Setting, tmp_path: Path
) -> None:
    request = {"model": "second", "max_tokens": 77, "messages": [{"role": "user", "content": "hi"}]}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request), "utf-8")

    by_file = spillover("explain", file, "--json", "--config", setting.path)
    by_input = spillover(
        "explain", "-", "--json", "--config", setting.path, given=json.dumps(request)
    )

    for shown in (by_file, by_input):
        document = json.loads(shown.stdout)
        assert document["serves"] == "second"
        assert document["estimate"]["output_tokens"] == 77


def test_the_model_may_be_named_on_the_command_line(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["explain", "--model", "second", "--json", "--config", str(setting.path)])

    assert json.loads(capsys.readouterr().out)["serves"] == "second"


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "malformed JSON"), ("{}", "'messages' is missing"), ("[]", "must be a JSON object")],
)
def test_a_request_that_is_none_is_told(
    setting: Setting, capsys: pytest.CaptureFixture[str], tmp_path: Path, *, text: str, says: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(text, "utf-8")

    code = run(["explain", str(file), "--config", str(setting.path)])

    assert code == 1
    assert says in capsys.readouterr().err


def test_a_file_that_is_not_there_is_wrong_use(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", "nowhere.json", "--config", str(setting.path)]) == 2


def test_a_request_too_large_for_a_limit_waits_in_vain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = "{tokens_per_minute: 10}"
    with two_providers(tmp_path, second_limits=limits) as setting:
        code = run(["explain", "-m", "second", "--config", str(setting.path)])

    assert code == 1
    assert "waiting won't help" in capsys.readouterr().out

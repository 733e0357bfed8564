"""`spillover catalogue` shows the providers that are known, with the sources of what is said."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from spillover import catalogue
from spillover.cli.catalogue import overview
from spillover.cli.entry import run
from tests.cli.terminal import spillover

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = list(catalogue.load().providers.values())
OWN = """\
as_of: 2020-02-02
providers:
  groq: {free: [{models: ["*"], figures: [{metric: requests, amount: 7, per: day}]}]}
"""


def with_own(folder: Path, text: str = OWN) -> str:
    """Write a catalogue of one's own; returns the path of the configuration beside it."""
    (folder / "catalogue.yaml").write_text(text, "utf-8")
    return str(folder / "spillover.yaml")


def test_every_provider_has_a_line_with_its_key_date_and_model() -> None:
    shown = spillover("catalogue")

    lines = shown.stdout.splitlines()
    groq = next(line for line in lines if line.startswith("groq "))
    assert shown.returncode == 0
    assert groq.split()[:4] == ["groq", "free", "tier", "GROQ_API_KEY"]
    assert "openai/gpt-oss-120b" in groq
    assert len(lines) == len(ENTRIES) + 3


def test_no_line_is_wider_than_the_terminal() -> None:
    lines = overview(ENTRIES, date(2026, 11, 20), width=80)

    assert max(line.cell_len for line in lines) <= 80


@pytest.mark.parametrize(
    ("today", "old"), [(date(2026, 8, 1), False), (date(2027, 1, 1), True)], ids=str
)
def test_old_evidence_is_called_old(today: date, *, old: bool) -> None:
    lines = [line.plain for line in overview(ENTRIES, today, width=None)]

    groq = next(line for line in lines if line.startswith("groq "))
    assert (" old " in groq) is old


def test_the_last_line_counts_what_is_old(capsys: pytest.CaptureFixture[str]) -> None:
    run(["catalogue"])

    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("collected 20")
    assert f"of {len(ENTRIES)} rest on evidence of more than 90 days" in last


def test_one_provider_is_shown_with_its_free_tier_and_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run(["catalogue", "groq"])

    out = capsys.readouterr().out
    assert code == 0
    assert "https://api.groq.com/openai/v1" in out
    assert "1,000 requests per day" in out
    assert "as of 20" in out


def test_a_catalogue_of_ones_own_is_laid_over_the_packaged_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["catalogue", "groq", "--config", with_own(tmp_path)])

    out = capsys.readouterr().out
    assert code == 0
    assert "7 requests per day" in out
    assert "1,000 requests per day on 2026" not in out
    assert "changed by" in out
    assert "as of 2020-02-02, " in out


def test_what_is_wrong_with_it_is_told_by_file_line_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["catalogue", "--config", with_own(tmp_path, "providers:\n  groq: {pool: sea}\n")])

    assert code == 1
    assert "catalogue.yaml:2:providers.groq.pool: found 'sea'" in capsys.readouterr().err


def test_json_is_what_the_catalogue_holds(capsys: pytest.CaptureFixture[str]) -> None:
    run(["catalogue", "--json"])
    everything = json.loads(capsys.readouterr().out)
    run(["catalogue", "groq", "--json"])
    groq = json.loads(capsys.readouterr().out)

    assert groq in everything["providers"]
    assert groq["free"][0]["source"]
    assert groq["models"]["openai/gpt-oss-120b"]["price_usd"] == [0.15, 0.6]


def test_json_says_what_is_old_and_who_changed_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["catalogue", "groq", "--json", "--config", with_own(tmp_path)])
    groq = json.loads(capsys.readouterr().out)

    assert (groq["oldest_as_of"], groq["stale"]) == ("2020-02-02", True)
    assert groq["changed_by"] == "catalogue.yaml"


def test_a_provider_that_is_none_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run(["catalogue", "grok"])

    assert code == 1
    assert "did you mean 'groq'?" in capsys.readouterr().err


def test_a_name_like_no_other_is_answered_too(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["catalogue", "zzzzzzzz"])

    assert code == 1
    assert "spillover catalogue lists them" in capsys.readouterr().err

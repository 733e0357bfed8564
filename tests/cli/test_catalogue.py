"""`spillover catalogue` shows the providers that are known, with the sources of what is said."""

from __future__ import annotations

import json

import pytest

from spillover import catalogue
from spillover.cli.catalogue import overview, portrait
from spillover.cli.entry import run
from tests.cli.terminal import spillover


def test_every_provider_has_a_line_with_its_key_and_model() -> None:
    shown = spillover("catalogue")

    lines = shown.stdout.splitlines()
    groq = next(line for line in lines if line.startswith("groq "))
    assert shown.returncode == 0
    assert groq.split() == ["groq", "free", "tier", "GROQ_API_KEY", "openai/gpt-oss-120b"]
    assert len(lines) == len(catalogue.load().providers) + 3


def test_no_line_is_wider_than_the_terminal() -> None:
    lines = overview(list(catalogue.load().providers.values()), width=80)

    assert max(line.cell_len for line in lines) <= 80


def test_one_provider_is_shown_with_its_free_tier_and_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run(["catalogue", "groq"])

    out = capsys.readouterr().out
    assert code == 0
    assert "https://api.groq.com/openai/v1" in out
    assert "1,000 requests per day" in out
    assert "as of 20" in out


@pytest.mark.parametrize("name", sorted(catalogue.load().providers))
def test_every_provider_can_be_shown(name: str) -> None:
    lines = [line.plain for line in portrait(catalogue.load().providers[name])]

    assert lines[0].endswith(name)


def test_json_is_what_the_catalogue_holds(capsys: pytest.CaptureFixture[str]) -> None:
    run(["catalogue", "--json"])
    everything = json.loads(capsys.readouterr().out)
    run(["catalogue", "groq", "--json"])
    groq = json.loads(capsys.readouterr().out)

    assert groq in everything["providers"]
    assert groq["free"][0]["source"]


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

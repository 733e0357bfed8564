"""Keys are judged by their form: blanks, quotes, length, whose they begin like; and shown masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from spillover.doctor.findings import Finding, Level, TidyVariable
from spillover.doctor.judge.keys import Key, Surroundings, form_of, keys, surroundings, tidied
from spillover.doctor.systems import System

GROQ = "gsk_" + "a1B2" * 13
AROUND = Surroundings(env_path=Path("conf/.env"), env_exists=True)


def judged(raw: str, provider: str = "groq", **more: object) -> list[Finding]:
    fields = {"variables": ("GROQ_API_KEY",), "place": "the .env", **more}
    key = Key(profile="p", provider=provider, form=form_of(raw), **fields)  # type: ignore[arg-type]
    found = list(keys((key,), AROUND, System.LINUX))
    assert raw.strip("\"' ") not in str(found)
    return [each for each in found if each.level is not Level.OK]


def test_a_sound_key_is_shown_masked_and_with_where_it_comes_from() -> None:
    key = Key(profile="p", provider="groq", variables=("GROQ_API_KEY",), form=form_of(GROQ))

    (found,) = keys((key,), AROUND, System.LINUX)

    assert found.level is Level.OK
    assert found.saw == "gsk_…a1B2, 56 characters, from GROQ_API_KEY in the environment"


@pytest.mark.parametrize(
    ("raw", "level", "saw"),
    [
        (f'"{GROQ}"', Level.PROBLEM, "has quotes in it"),
        (f"'{GROQ}", Level.PROBLEM, "has quotes in it"),
        (f"\u201c{GROQ}\u201d", Level.PROBLEM, "has quotes in it"),
        (f"{GROQ} ", Level.WARNING, "has blanks around it"),
    ],
    ids=["quotes", "one quote", "a word processor's quotes", "a blank"],
)
def test_quotes_and_blanks_around_a_key_are_mended(raw: str, level: Level, saw: str) -> None:
    (found,) = judged(raw)

    assert (found.check, found.level) == ("env.key_form", level)
    assert saw in found.saw
    assert found.fix == TidyVariable(path=Path("conf/.env"), name="GROQ_API_KEY")


def test_what_stands_in_the_environment_is_not_for_us_to_mend() -> None:
    (found,) = judged(f'"{GROQ}"', place="the environment")

    assert found.fix is None


@pytest.mark.parametrize(
    ("raw", "saw"),
    [
        (f"{GROQ[:20]} {GROQ[20:]}", "has a blank or a line break in it"),
        ("your_groq_api_key_goes_here_and_is_long_enough", "the words that stand for a key"),
        (GROQ[:30], "has 30 characters, and such keys have 40 at least"),
    ],
    ids=["a blank within", "a placeholder", "cut"],
)
def test_a_key_that_can_not_be_one_is_told(raw: str, saw: str) -> None:
    found = judged(raw)

    assert any(saw in each.saw for each in found)


@pytest.mark.parametrize(
    ("raw", "owner"),
    [
        ("sk-ant-" + "a" * 50, "anthropic"),
        ("sk-or-v1-" + "a" * 60, "openrouter"),
        ("AIza" + "a" * 35, "gemini"),
        ("sk-proj-" + "a" * 60, "openai"),
    ],
)
def test_another_providers_key_is_named_by_its_owner(raw: str, owner: str) -> None:
    (found,) = judged(raw)

    assert (found.check, found.level) == ("env.key_owner", Level.PROBLEM)
    assert f"begins like a key of {owner}" in found.saw
    assert "https://console.groq.com/keys" in found.remedy


def test_a_key_without_its_providers_beginning_is_doubtful() -> None:
    (found,) = judged("sk-" + "a" * 50)

    assert found.level is Level.WARNING
    assert "begin with gsk_" in found.saw


def test_the_forms_of_keys_are_known_at_the_providers_own_address_alone() -> None:
    assert not judged("a-proxy-key-of-mine", is_own_address=False)
    assert not judged("sk-whatever-it-is-0123456789", provider="deepseek")


def test_a_missing_key_is_a_problem_with_the_way_to_set_it() -> None:
    key = Key(
        profile="p",
        provider="groq",
        variables=("GROQ_API_KEY",),
        missing="GROQ_API_KEY is not set",
        near="GROQ_KEY",
    )

    (found,) = keys((key,), AROUND, System.WINDOWS)

    assert (found.check, found.level) == ("env.key", Level.PROBLEM)
    assert "GROQ_KEY is set: is that the one?" in found.saw
    assert '$env:GROQ_API_KEY = "…"' in found.remedy
    assert "https://console.groq.com/keys" in found.remedy


def test_a_server_that_asks_for_no_key_needs_none() -> None:
    (found,) = keys((Key(profile="p", provider="ollama"),), AROUND, System.LINUX)

    assert found.saw == "none is asked for"


def test_lines_that_say_nothing_and_values_that_are_hidden_are_told() -> None:
    around = Surroundings(
        env_path=Path(".env"), env_exists=True, odd_lines=(2, 4), shadowed=("GROQ_API_KEY",)
    )

    odd, shadowed = surroundings(around, System.LINUX)

    assert (odd.check, odd.saw) == ("env.file", "nothing can be read from line 2, 4")
    assert (shadowed.check, shadowed.level) == ("env.shadowed", Level.WARNING)
    assert shadowed.remedy.startswith("unset GROQ_API_KEY")
    (_, windows) = surroundings(around, System.WINDOWS)
    assert 'Remove-Item "Env:GROQ_API_KEY"' in windows.remedy
    (sound,) = surroundings(AROUND, System.LINUX)
    assert sound.level is Level.OK


def test_quotes_within_quotes_come_off_too() -> None:
    assert tidied(" '\"abc\"' ") == "abc"

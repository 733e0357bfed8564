"""What the gateway says, in the languages of the pages."""

from __future__ import annotations

import re

import pytest

from spillover.catalogue.clients import load
from spillover.core.refusals import Code
from spillover.dashboard.sentences import PART, sentences
from spillover.dashboard.words import FOLDER, LANGUAGES, read_catalogue
from tests.dashboard import messages
from tests.structure.project import ROOT

OTHERS = [each for each in LANGUAGES if each != "en"]
ENGLISH = re.compile(r"\b[a-z]{2,}( [a-z]{2,})+\b")
"""Words in a row: no name has them."""


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_source_is_known(language: str) -> None:
    retold = sentences(language)

    unknown = {each for each in messages.of_source() if retold(each) == each}

    assert not unknown


@pytest.mark.parametrize("language", OTHERS)
def test_every_notice_that_the_docs_show_is_known(language: str) -> None:
    page = (ROOT / "docs" / "notices.md").read_text("utf-8")
    examples = re.findall(r"^\| `\w+` \|.*\| `(.+)` \|$", page, re.MULTILINE)

    said = {each: sentences(language)(each) for each in examples}

    assert len(said) >= 9
    assert not {text for text in said.values() if ENGLISH.search(text.replace("disk full", ""))}


@pytest.mark.parametrize("language", OTHERS)
def test_what_clients_are_told_is_known(language: str) -> None:
    known = load()
    notes = {each.note for each in known.entries if each.note}
    titles = {each.title for each in known.groups}

    assert not {each for each in notes | titles if sentences(language)(each) == each}


@pytest.mark.parametrize("language", OTHERS)
def test_a_form_keeps_its_parts(language: str) -> None:
    found = read_catalogue((FOLDER / f"{language}.sentences.po").read_text("utf-8"))

    torn = [
        each for each in found if sorted(PART.findall(each)) != sorted(PART.findall(found[each]))
    ]

    assert found
    assert not torn


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "default: groq → gemini (rate limited), groq back in 49 s",
            "default：groq → gemini（请求过于频繁），groq 49 秒后恢复",
        ),
        (
            "a is back\nb: c serves again (×2)\nand 3 more",
            "a 已恢复\nb：c 重新提供服务（×2）\n另有 3 条",
        ),
        (
            (
                "the configuration could not be used so: f.yaml:3:chains.c.strategy: found 'firts', "
                "expected one of fastest, priority; did you mean 'fastest'?; f.yaml:4:patience: "
                "found nothing, expected a duration of more than 0"
            ),
            (
                "这样的配置用不了：f.yaml:3:chains.c.strategy：写的是 'firts'，应为 fastest, priority 之一；"
                "是不是想写 'fastest'？；f.yaml:4:patience：写的是 空，应为 大于 0 的时长"
            ),
        ),
        (
            (
                "every profile of 'c' is spent: one (limit: requests_per_minute, back in 2 min), "
                "two (disabled: disabled by hand); soonest is one in 2 min, at 2026-11-27 15:00:00 UTC"
            ),
            (
                "'c' 的所有配置都已用尽：one（本地限额：请求/分钟，2 分钟后恢复），two（已停用：手动停用）；"
                "最快的是 one，2 分钟后（UTC 2026-11-27 15:00:00）"
            ),
        ),
        ("change chain c: profiles, spend_gate", "修改链 c：配置，花费开关"),
    ],
)
def test_sentences_are_taken_apart_as_they_were_put_together(english: str, chinese: str) -> None:
    assert sentences("zh")(english) == chinese


@pytest.mark.parametrize(
    "theirs",
    ["Rate limit reached for model m", "quota: a (b, c", "x" * 5_000, "", "a ) b ( c; d"],
)
def test_what_has_no_known_form_stays_as_it_is(theirs: str) -> None:
    assert sentences("zh")(theirs) == theirs


def test_english_stays_as_it_is_but_for_names_of_the_record() -> None:
    assert (
        sentences("en")("no profile of 'c' can serve: a (b)")
        == "no profile of 'c' can serve: a (b)"
    )
    assert sentences("en")("rate_limited") == "too many requests for now"


def test_every_refusal_has_a_form() -> None:
    from spillover.core import refusals

    openings = {text.format(chain="c") for text in refusals._OPENING.values()}

    assert len(openings) < len(Code)
    assert not {each for each in openings if sentences("zh")(each) == each}

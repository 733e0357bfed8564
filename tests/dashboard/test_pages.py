"""Templates and what is put into them."""

from __future__ import annotations

import re

import pytest

from spillover.dashboard import overview
from spillover.dashboard.assets import FOLDER
from spillover.dashboard.pages import SCRIPT_WORDS, Look, environment, render, script_words
from tests.dashboard.test_overview import a_status


def test_names_can_not_become_markup() -> None:
    status = a_status(names=("<script>",))
    chain = overview.ladder(status, "default")

    text = render("part_card.html", Look(), {"card": chain["cards"][0]})

    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_part_speaks_the_readers_language() -> None:
    card = overview.ladder(a_status(), "default")["cards"][0]

    assert "可用" in render("part_card.html", Look(language="zh"), {"card": card})


def test_a_name_that_no_table_knows_is_shown_as_it_is() -> None:
    status = a_status()
    status["profiles"]["one"] |= {"status": "cooldown", "reason": "of_tomorrow", "source": "header"}

    text = render(
        "part_card.html", Look(), {"card": overview.ladder(status, "default")["cards"][0]}
    )

    assert "of tomorrow" in text


def test_scripts_say_nothing_that_is_not_handed_to_them() -> None:
    said = {
        found
        for path in FOLDER.glob("*.js")
        for found in re.findall(r'say\("([^"]+)"', path.read_text("utf-8"))
    }

    assert said == set(SCRIPT_WORDS)
    assert script_words(Look(language="zh"))["Undo"] == "撤销"


@pytest.mark.parametrize("kind", ["style", "onclick", "onload", "onsubmit", "onchange"])
def test_no_template_has_inline_styles_or_scripts(kind: str) -> None:
    loader = environment().loader
    assert loader is not None

    for name in environment().list_templates():
        source, _, _ = loader.get_source(environment(), name)

        assert not re.search(rf"<[^>]*\s{kind}=", source), name
        assert "<style" not in source
        assert not re.search(r"<script(?! (src|type=\"application/json\"))", source), name

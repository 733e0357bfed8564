"""Efforts and budgets of thinking stand for each other."""

from __future__ import annotations

import pytest

from spillover.protocols.conversation.requests import EFFORTS, Reasoning, budget_of, effort_of


@pytest.mark.parametrize("word", EFFORTS)
def test_an_effort_comes_back_from_its_budget(word: str) -> None:
    budget = budget_of(Reasoning(effort=word))

    assert effort_of(Reasoning(budget=budget)) == word


def test_a_budget_is_the_least_effort_that_holds_it() -> None:
    assert effort_of(Reasoning(budget=3_000)) == "medium"
    assert effort_of(Reasoning(budget=10**6)) == "max"
    assert effort_of(Reasoning(effort="low", budget=10**6)) == "low"


def test_what_is_not_stated_is_left_to_the_model() -> None:
    assert budget_of(Reasoning(shown=True)) is None
    assert effort_of(Reasoning(shown=True)) is None
    assert budget_of(Reasoning(effort="novel")) is None

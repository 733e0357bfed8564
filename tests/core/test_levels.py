"""Levels are in the order of Python's own."""

from __future__ import annotations

import logging

from spillover.core.levels import LogLevel


def test_a_level_counts_as_pythons_of_that_name() -> None:
    names = logging.getLevelNamesMapping()

    assert [level.number for level in LogLevel] == [names[level.name] for level in LogLevel]

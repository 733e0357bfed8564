"""The table of checks."""

from __future__ import annotations

from spillover.doctor.table import BY_NAME, CHECKS, page, rank


def test_every_check_has_a_name_of_its_own_and_a_place() -> None:
    assert len(BY_NAME) == len(CHECKS)
    assert rank("config.file") == 0


def test_the_page_has_a_row_for_each() -> None:
    assert all(f"| `{check.name}` | {check.looks_at} |" in page() for check in CHECKS)

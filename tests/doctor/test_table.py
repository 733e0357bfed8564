"""The table of checks."""

from __future__ import annotations

from spillover.doctor.table import BY_NAME, CHECKS, page, rank, written_into


def test_every_check_has_a_name_of_its_own_and_a_place() -> None:
    assert len(BY_NAME) == len(CHECKS)
    assert rank("config.file") == 0


def test_the_page_has_a_row_for_each() -> None:
    assert all(f"| `{check.name}` | {check.looks_at} |" in page() for check in CHECKS)


def test_the_table_takes_the_place_of_the_one_before() -> None:
    text = "a\n<!-- checks: written by make docs -->of before<!-- end of the checks -->\nb"

    once = written_into(text)

    assert once.startswith("a\n<!-- checks")
    assert once.endswith("<!-- end of the checks -->\nb")
    assert "of before" not in once
    assert written_into(once) == once

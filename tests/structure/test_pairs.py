"""Source and test files stand one to one, so that a reader knows where to look."""

from __future__ import annotations

from tests.structure.project import ROOT, SOURCE, TESTS, modules, shown

UNPAIRED_SOURCES: dict[str, str] = {}
"""Source files without a test file of their own, each with its reason."""

WITHOUT_CODE = frozenset({"__init__.py", "__main__.py"})
"""Doors: what stands behind them is tested where it is written."""

OF_THE_WHOLE = frozenset({"docs", "journeys", "structure"})
"""Folders of tests that look at the whole product, not at one module."""


def test_every_source_file_has_its_test_file() -> None:
    expected = {
        shown(path): TESTS / path.relative_to(SOURCE).with_name(f"test_{path.name}")
        for path in modules(SOURCE)
        if path.name not in WITHOUT_CODE
    }

    missing = {
        source: shown(test)
        for source, test in expected.items()
        if not test.is_file() and source not in UNPAIRED_SOURCES
    }

    assert not missing


def test_every_test_file_has_its_source_file() -> None:
    tests = [
        path
        for path in modules(TESTS)
        if path.name.startswith("test_") and path.relative_to(TESTS).parts[0] not in OF_THE_WHOLE
    ]

    orphans = [
        shown(test)
        for test in tests
        if not (
            SOURCE / test.relative_to(TESTS).with_name(test.name.removeprefix("test_"))
        ).is_file()
    ]

    assert not orphans


def test_every_exemption_is_still_needed() -> None:
    needless = [
        source
        for source in UNPAIRED_SOURCES
        if not (ROOT / source).is_file()
        or (TESTS / (ROOT / source).relative_to(SOURCE))
        .with_name(f"test_{source.rpartition('/')[2]}")
        .is_file()
    ]

    assert not needless

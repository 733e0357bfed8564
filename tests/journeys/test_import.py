"""Importing the package costs next to nothing; what is slow is loaded when it is used."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

import spillover

SLOW = {"aiohttp", "asyncio", "httpx", "httpx2", "msgspec", "pydantic", "rich", "ruamel", "typer"}
MOST_S = 0.15
"""What an import may cost beyond bare Python, on a machine that does other things too."""

LISTED = "import json, sys, spillover; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def took(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def test_nothing_slow_is_imported_with_the_package() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", LISTED], check=True, capture_output=True, text=True
    )

    assert not SLOW & set(json.loads(listed.stdout))


def test_the_import_costs_next_to_nothing() -> None:
    bare = min(took("pass") for _ in range(5))
    imported = min(took("import spillover") for _ in range(5))

    assert imported - bare < MOST_S


@pytest.mark.parametrize("name", spillover.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(spillover, name)
    assert name in dir(spillover)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        spillover.nothing_of_ours  # noqa: B018 - asking for it is the point

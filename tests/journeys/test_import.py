"""Importing the package costs next to nothing; what is slow is loaded when it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import spillover

SLOW = {"aiohttp", "asyncio", "httpx", "httpx2", "msgspec", "pydantic", "rich", "ruamel", "typer"}
MOST = 40
"""How many modules may come with the package, which has few of its own: it costs milliseconds."""
LIST = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def modules(code: str) -> set[str]:
    """Return what a process has imported that runs this."""
    listed = subprocess.run(
        [sys.executable, "-c", f"{code}; {LIST}"], check=True, capture_output=True, text=True
    )
    return set(json.loads(listed.stdout))


def test_nothing_slow_is_imported_with_the_package() -> None:
    assert not SLOW & modules("import spillover")


def test_the_import_costs_next_to_nothing() -> None:
    assert len(modules("import spillover") - modules("pass")) < MOST


@pytest.mark.parametrize("name", spillover.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(spillover, name)
    assert name in dir(spillover)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        spillover.nothing_of_ours  # noqa: B018 - asking for it is the point

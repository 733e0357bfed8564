"""The providers of all journeys, and a place for each journey's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.simulator import ProviderSpec, running
from tests.gateway.steered import steering
from tests.journeys.browsing import browsing
from tests.journeys.processes import Provider, provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from spillover.simulator import SimulatedProvider
    from tests.gateway.steered import Steered


@pytest.fixture(scope="session", name="free_provider")
def _free_provider() -> Iterator[Provider]:
    with provider("first") as found:
        yield found


@pytest.fixture(scope="session", name="paid_provider")
def _paid_provider() -> Iterator[Provider]:
    with provider("second") as found:
        yield found


@pytest.fixture
def first(free_provider: Provider) -> Provider:
    """The provider of the profile `first`, as new."""
    free_provider.make_new()
    return free_provider


@pytest.fixture
def second(paid_provider: Provider) -> Provider:
    """The provider of the profile `second`, as new."""
    paid_provider.make_new()
    return paid_provider


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where a journey's configuration is, once it is written."""
    return tmp_path / "spillover.yaml"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; a module's alone, for it keeps the thread's event loop to itself."""
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[SimulatedProvider, ...]]:
    """Two providers in this process."""
    with running(ProviderSpec(name="one"), ProviderSpec(name="two")) as found:
        yield found


@pytest.fixture
def steered(tmp_path: Path, both: tuple[SimulatedProvider, ...]) -> Iterator[Steered]:
    """A gateway over `both` and a file of its own."""
    with steering(tmp_path, both) as found:
        yield found

"""One gateway a module, with two simulated providers behind it; each test finds it as new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spillover.simulator import ProviderSpec, running
from tests.serving import Served, document_for, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[SimulatedProvider, ...]]:
    """Two providers."""
    with running(ProviderSpec(name="one"), ProviderSpec(name="two")) as providers:
        yield providers


@pytest.fixture(scope="module")
def shared(both: tuple[SimulatedProvider, ...]) -> Iterator[Served]:
    """A gateway with a chain of both."""
    document = document_for(*both, limits={"requests_per_minute": 1_000}, aliases=ALIASES)
    with serving(document) as served:
        yield served


ALIASES = {"gpt-*": "default", "plain-name": "two", "with/slash": "one"}


@pytest.fixture
def served(shared: Served, both: tuple[SimulatedProvider, ...]) -> Iterator[Served]:
    """The module's gateway, put back as it began after the test."""
    yield shared

    for provider in both:
        provider.reset()
        provider.accept()
    for name in shared.engine.routing.profiles:
        shared.run(shared.engine.set_disabled(name, disabled=False))
    shared.run(shared.engine.pin("default", None))
    shared.run(shared.engine.clear_usage(None))


@pytest.fixture
def one(both: tuple[SimulatedProvider, ...], served: Served) -> SimulatedProvider:
    """The provider of the profile `one`."""
    return both[0]


@pytest.fixture
def two(both: tuple[SimulatedProvider, ...], served: Served) -> SimulatedProvider:
    """The provider of the profile `two`."""
    return both[1]

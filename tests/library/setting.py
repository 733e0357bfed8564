"""A configuration over two simulated providers: the first with few requests a minute, and a second."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from spillover.library import Spillover
from spillover.simulator import ProviderSpec, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from spillover.simulator import SimulatedProvider

T = TypeVar("T")

FIRST = ProviderSpec(name="first")
SECOND = ProviderSpec(name="second")

CONFIG = """\
profiles:
  first: {{base_url: "{first}", model: first-model, tier: free, limits: {{requests_per_minute: {limit}}}}}
  second: {{base_url: "{second}", model: second-model, tier: paid, limits: {second_limits}}}
chains:
  default:
    profiles: [first, second]
{chain}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The file, and the providers behind it."""

    path: Path
    first: SimulatedProvider
    second: SimulatedProvider


@contextmanager
def two_providers(
    folder: Path,
    *specs: ProviderSpec,
    limit: int = 2,
    second_limits: str = "{}",
    chain: str = "",
) -> Iterator[Setting]:
    """Run the providers, and write a configuration over them."""
    with running(*(specs or (FIRST, SECOND))) as (first, second):
        path = folder / "spillover.yaml"
        text = CONFIG.format(
            first=first.base_url,
            second=second.base_url,
            limit=limit,
            second_limits=second_limits,
            chain=chain,
        )
        path.write_text(text, "utf-8")
        yield Setting(path=path, first=first, second=second)


def with_library(path: Path, use: Callable[[Spillover], Awaitable[T]]) -> T:
    """Run `use` with an open library."""

    async def run() -> T:
        async with Spillover.open(path) as llm:
            return await use(llm)

    return asyncio.run(run())


def ask(path: Path, *, times: int = 1, **fields: Any) -> list[str]:
    """Return who served each of several short chats."""

    async def run(llm: Spillover) -> list[str]:
        return [(await llm.chat("hi", **fields)).profile for _ in range(times)]

    return with_library(path, run)

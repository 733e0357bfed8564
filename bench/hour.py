"""Send an hour of a busy user's requests within minutes, over providers that fail now and then.

Whole answers and streams, clients that leave half-way, 429s, spent quotas, resets: whatever an hour
brings. Beside them readers of the live page come and go. Refuses to know what is measured meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import ClientSession  # noqa: TID251 - a client of the gateway's

from bench.contestants import PROJECT
from bench.processes import plain_environ
from bench.traffic import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT_ONCE: Final = 12
STREAMED: Final = 0.4
LEAVING: Final = 0.05
"""The share of streams whose client leaves after the first bytes."""
READERS: Final = 3
READ_S: Final = (0.5, 4.0)
FAULT_EVERY_S: Final = 15.0
"""Cooldowns last as long as in a whole hour: with more faults nobody would be left."""
FAULTS: Final[tuple[Any, ...]] = (
    "overloaded",
    {"break": "reset", "after": 3},
    {"break": "close"},
    "server_error",
    {"error": "rate_limited", "headers": {"retry-after": "2"}},
)
PROVIDERS: Final = {
    "first": ("--flavour", "groq", "--limit", "requests=60/5s"),
    "second": ("--flavour", "gemini"),
    "third": ("--flavour", "openrouter"),
    "last": ("--flavour", "ollama"),
}
_LIMITS: Final[dict[str, list[dict[str, object]]]] = {
    "second": [{"requests": 150, "per": "5s"}, {"tokens": "500M", "per": "day"}],
    "third": [{"requests": 1_000, "per": "20s"}, {"tokens": "500M", "per": "month"}],
}


@contextlib.contextmanager
def providers() -> Iterator[dict[str, dict[str, str]]]:
    """Run the simulated providers; give the addresses of each."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(_provider(options)) for name, options in PROVIDERS.items()}


@contextlib.contextmanager
def _provider(options: tuple[str, ...]) -> Iterator[dict[str, str]]:
    command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "spillover.simulator"]
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        env={**plain_environ(), "PYTHONPATH": str(PROJECT / "src")},
    )
    try:
        if process.stdout is None:
            raise AssertionError(process)
        found: dict[str, str] = json.loads(process.stdout.readline())
        yield found
    finally:
        process.terminate()
        process.wait()


def document(found: dict[str, dict[str, str]], *, port: int, ledger: Path) -> dict[str, Any]:
    """Return the configuration of a gateway over the providers."""
    profiles: dict[str, dict[str, Any]] = {
        name: {"base_url": at["base_url"], "model": f"bench-{name}", "api_key": "k", "tier": "free"}
        for name, at in found.items()
    }
    for name, limits in _LIMITS.items():
        profiles[name]["limits"] = limits
    return {
        "server": {"port": port},
        "storage": f"sqlite:///{ledger}",
        "profiles": profiles,
        "chains": {"default": list(profiles), "other": list(profiles)[::-1]},
    }


class Hour:
    """The traffic, its sums, and what still is to be sent."""

    def __init__(self, address: str, controls: list[str], *, requests: int, seconds: float) -> None:
        """Ask the gateway at an address, and spoil answers by the providers' controls."""
        self.address, self.controls = address, controls
        self.requests, self.seconds = requests, seconds
        self.sent = self.answered = self.readers = 0
        self._chance = random.Random(5)  # noqa: S311 - the same hour each time
        self._began = 0.0
        self._progress = asyncio.Condition()

    async def run(self) -> None:
        """Send everything, at an even pace."""
        self._began = asyncio.get_running_loop().time()
        connector = aiohttp.TCPConnector(limit=0)
        async with ClientSession(connector=connector) as session:
            beside = [asyncio.create_task(self._read(session)) for _ in range(READERS)]
            beside.append(asyncio.create_task(self._spoil(session)))
            try:
                await asyncio.gather(*(self._ask(session) for _ in range(AT_ONCE)))
            finally:
                for each in beside:
                    each.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def has_sent(self, requests: int) -> None:
        """Wait until so many requests were sent."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.sent >= requests)

    async def _ask(self, session: ClientSession) -> None:
        loop = asyncio.get_running_loop()
        while self.sent < self.requests:
            due = self._began + self.seconds * self.sent / self.requests
            self.sent += 1
            async with self._progress:
                self._progress.notify_all()
            await asyncio.sleep(due - loop.time())
            stream = self._chance.random() < STREAMED
            leaves = stream and self._chance.random() < LEAVING
            chain = "default" if self._chance.random() < 0.8 else "other"  # noqa: PLR2004 - a share
            asked = {"model": chain, "stream": stream, "messages": _SAID}
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(self.address + PATH, json=asked) as answer:
                    await (answer.content.readany() if leaves else answer.read())
                    self.answered += answer.ok

    async def _read(self, session: ClientSession) -> None:
        """Come to the live page and leave it, again and again."""
        while True:
            path = self._chance.choice(["/live?view=overview", "/api/events", "/live?view=notices"])
            self.readers += 1
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                async with (
                    asyncio.timeout(self._chance.uniform(*READ_S)),
                    session.get(self.address + path) as answer,
                ):
                    async for _ in answer.content.iter_any():
                        pass

    async def _spoil(self, session: ClientSession) -> None:
        """Have a provider fail now and then."""
        while True:
            await asyncio.sleep(FAULT_EVERY_S)
            wanted = {"fault": self._chance.choice(FAULTS), "times": 1}
            at = self._chance.choice(self.controls[:-1]) + "/faults"  # the last one always serves
            async with session.post(at, json=wanted) as answer:
                answer.raise_for_status()


_SAID: Final = [{"role": "user", "content": "How much is left, and who answers next? " * 8}]

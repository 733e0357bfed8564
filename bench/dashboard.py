"""Measure the dashboard in a browser: `python -m bench.dashboard`.

Three figures: what an open page costs a gateway under load, how long an event takes to the screen,
and whether gateway or page grow in an hour's traffic, which is sent within `--minutes`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import ClientSession  # noqa: TID251 - a client of the gateway's
from playwright.async_api import async_playwright

from bench import machine
from bench.contestants import PROJECT, SPILLOVER_ITSELF, UPSTREAM, entered
from bench.hour import Hour, document, providers
from bench.load import unstreamed
from bench.processes import Command, Process, Request, await_answer, free_port, running
from bench.run import say
from bench.traffic import PATH, request
from tests.journeys.browsing import CHROMIUM, FLAGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Browser, Page

    from bench.load import Unstreamed

ROUNDS: Final = 8
ROUND_S: Final = 3.0
AT_ONCE: Final = 16
PAGES: Final = 20
PROMISED: Final = 5_000
FLIPS: Final = 60
SAMPLES: Final = 10
WARM: Final = 3
"""The sample that growth is counted from: what is kept of the latest requests is full by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is held at one moment of the hour."""

    requests: int
    rss_mb: float
    heap_mb: float
    nodes: int
    listeners: int


async def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0, help="that the hour is squeezed into")
    parser.add_argument("--requests", type=int, default=100_000, help="of the hour")
    parser.add_argument("--only", choices=["cost", "pixels", "hour"], help="one figure alone")
    options = parser.parse_args()
    cores = machine.cores()
    with tempfile.TemporaryDirectory(prefix="spillover-bench-") as name:
        folder = Path(name)
        if options.only in (None, "pixels"):
            print(await pixels(folder, cores))
        if options.only in (None, "hour"):
            print(await hour(folder, cores, options.requests, options.minutes * 60))
        if options.only in (None, "cost"):
            machine.stay_on(cores.load)
            print(await cost(folder, cores))
    return 0


# ---- what an open page costs ----


async def cost(folder: Path, cores: machine.Cores) -> str:
    """Say what one open page takes of a core, beside what requests take.

    `PAGES` are open at once, so that what they cost stands out of the machine's own unrest.
    """
    say(f"what {PAGES} open pages cost")
    taken: list[float] = []
    shares: list[float] = []
    rates: list[float] = []
    with (
        entered(UPSTREAM, folder / "upstream", upstream=0, core=cores.load) as upstream,
        entered(
            SPILLOVER_ITSELF, folder / "cost", upstream=upstream.port, core=cores.proxy
        ) as gateway,
    ):

        async def ran(*, are_open: bool) -> Unstreamed:
            async with pages_at(f"http://127.0.0.1:{gateway.port}", PAGES if are_open else 0):
                found = await asyncio.to_thread(
                    unstreamed, gateway, folder, connections=AT_ONCE, seconds=ROUND_S
                )
            rates.append(found.rate)
            return found

        await ran(are_open=True)
        for number in range(ROUNDS):  # the order changes, so that a drift favours neither
            one = await ran(are_open=bool(number % 2))
            other = await ran(are_open=not number % 2)
            beside, alone = (one, other) if number % 2 else (other, one)
            a_page = (beside.cpu_us - alone.cpu_us) * beside.rate / PAGES / 1e6
            taken.append(a_page)
            shares.append(a_page / (PROMISED * alone.cpu_us / 1e6))
    return (
        f"an open page takes {statistics.median(taken):.2%} of a core"
        f" ({min(taken):.2%} to {max(taken):.2%} over {ROUNDS} rounds with {PAGES} pages,"
        f" at {statistics.median(rates):,.0f} requests/s), which is"
        f" {statistics.median(shares):.2%} of what {PROMISED:,} requests a second take"
    )


@contextlib.asynccontextmanager
async def pages_at(address: str, number: int) -> AsyncIterator[None]:
    """Be so many open overviews, as far as the gateway is concerned."""

    async def read(session: ClientSession) -> None:
        async with session.get(f"{address}/live?view=overview") as told:
            async for _ in told.content.iter_any():
                pass

    async with ClientSession() as session:
        reading = [asyncio.create_task(read(session)) for _ in range(number)]
        try:
            yield
        finally:
            for each in reading:
                each.cancel()
            await asyncio.gather(*reading, return_exceptions=True)


# ---- from an event to the screen ----

_WATCH: Final = """
window.flips = []; window.told = [];
const drawn = (flip) => requestAnimationFrame(() => setTimeout(() => flips.push([...flip, Date.now()])));
new MutationObserver((all) => all.forEach(({target, oldValue}) => {
  const [was, is] = [oldValue, target.className].map((each) => each?.split(' ').find((name) => name.startsWith('is-')));
  if (target.dataset?.profile && was !== is) drawn([target.dataset.profile, is.slice(3)]);
})).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['class'], attributeOldValue: true});
document.addEventListener('happened', ({detail}) => told.push(...detail.filter((each) => each.type === 'profile.status')));
"""
_TAKE: Final = """() => {
  let before = 0;
  return told.map((event) => {
    const at = Date.parse(event.at);
    const flip = flips.find(([profile, is, when]) => when > before && profile === event.profile && is === event.to);
    before = at;
    return flip ? Math.max(0, flip[2] - at) : null;
  });
}"""
"""Each event with the first flip after the event before it: a page that looked for another reason
may show a change a moment before the event that tells of it."""


async def pixels(folder: Path, cores: machine.Cores) -> str:
    """Time from a profile's change of status to the frame that shows it, by 429s and clearings."""
    say("from an event to the screen")
    took: list[float] = []
    with gateway_over(folder / "pixels", cores) as gateway:
        async with browsing() as browser, ClientSession() as session:
            page = await browser.new_page()
            await view(page, gateway.address, "/")
            await page.evaluate(_WATCH)
            for number in range(FLIPS):
                spoiled = {"fault": "rate_limited", "times": 1}
                async with session.post(gateway.controls[1] + "/faults", json=spoiled):
                    pass
                for path, body in (
                    (PATH, {"model": "second", "messages": [{"role": "user", "content": "hi"}]}),
                    ("/api/profiles/second/clear-cooldown", {}),
                ):
                    async with session.post(gateway.address + path, json=body):
                        pass
                    await asyncio.sleep(0.2 + 0.007 * (number % 10))  # whatever the page's rhythm
            took = [each for each in await page.evaluate(_TAKE) if each is not None]
    cuts = statistics.quantiles(took, n=20)
    return (
        f"from an event to the frame that shows it: p50 {statistics.median(took):.0f} ms,"
        f" p95 {cuts[-1]:.0f} ms, longest {max(took):.0f} ms, of {len(took)} changes of status"
    )


# ---- an hour ----


async def hour(folder: Path, cores: machine.Cores, requests: int, seconds: float) -> str:
    """Say what gateway and pages hold while an hour's traffic passes."""
    say(f"an hour's {requests:,} requests within {seconds / 60:.0f} minutes")
    samples: list[Sample] = []
    with gateway_over(folder / "hour", cores) as gateway:
        async with browsing() as browser:
            pages = [await browser.new_page() for _ in range(2)]
            for page, path in zip(pages, ("/", "/trace"), strict=True):
                await view(page, gateway.address, path)
            traffic = Hour(gateway.address, gateway.controls, requests=requests, seconds=seconds)
            sending = asyncio.create_task(traffic.run())
            for number in range(1, SAMPLES + 1):
                await traffic.has_sent(requests * number // SAMPLES)
                held = [await page_holds(page) for page in pages]
                sample = replace(_sum(held), requests=traffic.sent, rss_mb=gateway.process.rss_mb())
                say(str(sample))
                samples.append(sample)
            await sending
    head = (
        f"{traffic.answered:,} of {traffic.sent:,} requests answered, {traffic.readers:,} readers came"
        " and went\n\n| requests | gateway MB | pages' heap MB | nodes | listeners |\n"
        "| ---: | ---: | ---: | ---: | ---: |\n"
    )
    rows = [
        f"| {s.requests:,} | {s.rss_mb:.1f} | {s.heap_mb:.2f} | {s.nodes:,} | {s.listeners:,} |"
        for s in samples
    ]
    warm, last = samples[WARM - 1], samples[-1]
    return (
        f"{head}{chr(10).join(rows)}\n\ngrowth from {warm.requests:,} requests on:"
        f" gateway {last.rss_mb - warm.rss_mb:+.1f} MB, pages {last.heap_mb - warm.heap_mb:+.2f} MB"
    )


async def page_holds(page: Page) -> Sample:
    """Return what a page holds after its garbage was collected."""
    session = await page.context.new_cdp_session(page)
    try:
        await session.send("Performance.enable")
        await session.send("HeapProfiler.collectGarbage")
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
    finally:
        await session.detach()
    found = {each["name"]: each["value"] for each in metrics}
    return Sample(
        requests=0,
        rss_mb=0.0,
        heap_mb=found["JSHeapUsedSize"] / 1e6,
        nodes=int(found["Nodes"]),
        listeners=int(found["JSEventListeners"]),
    )


def _sum(held: list[Sample]) -> Sample:
    return Sample(
        requests=0,
        rss_mb=0.0,
        heap_mb=sum(each.heap_mb for each in held),
        nodes=sum(each.nodes for each in held),
        listeners=sum(each.listeners for each in held),
    )


# ---- what all of them need ----


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway over simulated providers."""

    address: str
    process: Process
    controls: list[str]
    """Where each provider is told to fail."""


@contextlib.contextmanager
def gateway_over(folder: Path, cores: machine.Cores) -> Iterator[Gateway]:
    """Run `spillover serve` over the simulated providers of `bench.hour`."""
    folder.mkdir()
    port, file = free_port(), folder / "spillover.yaml"
    with providers() as found:
        file.write_text(json.dumps(document(found, port=port, ledger=folder / "ledger.db")))
        command = Command(
            arguments=[sys.executable, "-m", "spillover", "serve", "--config", str(file)],
            log=folder / "log",
            core=cores.proxy,
            environ={"PYTHONPATH": str(PROJECT / "src")},
        )
        with running(command) as process:
            headers = {"content-type": "application/json"}
            await_answer(
                process, Request(port=port, path=PATH, body=request(stream=False), headers=headers)
            )
            yield Gateway(
                address=f"http://127.0.0.1:{port}",
                process=process,
                controls=[each["control_url"] for each in found.values()],
            )


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Run a browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def view(page: Page, address: str, path: str) -> None:
    """Go to a view and wait until it is live."""
    await page.goto(address + path)
    await page.locator("#live.on").wait_for()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""A gateway that is killed in mid-load forgets nothing that any client got, and oversends nothing."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import openai

from spillover.core.history import REQUESTS, Grain
from spillover.ledger.history import HistoryStore
from tests.journeys.processes import ASKED, SECONDS, Gateway, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai import OpenAI

    from tests.journeys.processes import Provider

LIMIT = 60
CLIENTS = 8


@dataclass
class Load:
    """Clients that ask without pause, every other one for a stream, and what they got whole."""

    gateway: Gateway
    stop: threading.Event = field(default_factory=threading.Event)
    whole: list[tuple[str, int]] = field(default_factory=list)
    """Model of the upstream, and tokens it reported."""
    broken: int = 0

    @contextmanager
    def running(self) -> Iterator[Load]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            workers = [pool.submit(self._work, number) for number in range(CLIENTS)]
            try:
                yield self
            finally:
                self.stop.set()
            for each in workers:
                each.result()

    def tokens(self, provider: Provider) -> int:
        """Return what one provider's whole answers say they used."""
        return sum(tokens for model, tokens in self.whole if model.endswith(provider.name))

    def _work(self, number: int) -> None:
        with self.gateway.client() as client:
            for turn in itertools.count(number):
                if self.stop.is_set():
                    return
                try:
                    self.whole.append(streamed(client) if turn % 2 else asked(client))
                except (openai.APIError, httpx.HTTPError):
                    self.broken += 1
                    assert self.gateway.process.poll() is not None or self.stop.wait(SECONDS)
                    return


def asked(client: OpenAI) -> tuple[str, int]:
    answer = client.chat.completions.create(model="default", messages=ASKED)
    assert answer.usage is not None
    return answer.model, answer.usage.total_tokens


def streamed(client: OpenAI) -> tuple[str, int]:
    usage: Any = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(
            model="default", messages=ASKED, stream=True, stream_options=usage
        )
    )
    assert chunks[-1].usage is not None
    return chunks[-1].model, chunks[-1].usage.total_tokens


def in_flight(gateway: Gateway) -> int:
    """Return how many calls are held on the first profile."""
    limits = gateway.profile()["limits"]
    [found] = [each["reserved"] for each in limits if each["metric"] == "concurrency"]
    count: int = found
    return count


def test_kill_9_in_mid_load_forgets_nothing_and_oversends_nothing(
    config: Path, first: Provider, second: Provider
) -> None:
    limits = {"requests_per_hour": LIMIT, "concurrency": LIMIT}
    write(config, document(first, second, limits=limits))
    first.change(delay_s=0.05, events=10, events_per_s=50)

    with gateway(config) as killed, Load(killed).running() as load:
        wait_until(lambda: len(load.whole) >= LIMIT // 3)
        wait_until(lambda: first.counters()["in_flight"] >= CLIENTS // 2)
        killed.process.kill()
        killed.process.wait()

    with gateway(config) as again:
        kept, left_open = again.used(), in_flight(again)
        with Load(again).running() as more:
            wait_until(lambda: second.accepted >= CLIENTS)
        sent = first.counters()
        wait_until(lambda: again.profile()["presumed_calls"])  # the lease of the dead one is over
        profile, used = again.profile(), again.used()

    assert load.broken > 0
    assert more.broken == 0
    assert kept["tokens"] >= load.tokens(first) > 0
    assert LIMIT - left_open <= sent["received"] <= LIMIT
    assert sent["refused"] == 0
    assert profile["presumed_calls"] == left_open > 0
    assert not any(limit["reserved"] for limit in profile["limits"])
    assert used["requests"] == LIMIT
    assert used["tokens"] > load.tokens(first) + more.tokens(first)


def test_kill_9_takes_no_more_of_the_history_than_was_not_yet_written(
    config: Path, first: Provider, second: Provider, own_folders: Path
) -> None:
    write(config, document(first, second))
    store = HistoryStore(own_folders / "ledger.db")

    def kept() -> tuple[int, int]:
        """Requests and fallbacks that are in the file."""
        sums = store.sums(Grain.DAY, 0, step_s=Grain.DAY)
        fallbacks = store.fallbacks(since=0, before=None, limit=10, wanted={})
        return sum(counts[REQUESTS] for _, counts in sums), len(fallbacks)

    with gateway(config) as killed:
        first.script("overloaded")
        served = [killed.served_by() for _ in range(3)]
        # Nobody asks for it: it is written by itself.
        wait_until(lambda: kept() == (3, 3))
        killed.served_by()
        killed.process.kill()
        killed.process.wait()

    assert served == ["second"] * 3
    assert kept() in {(3, 3), (4, 3), (4, 4)}

"""The configuration is edited while requests come without pause, and none of them is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.journeys.processes import ASKED, KEYMARK, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider

CLIENTS = 4
NEW_KEY = f"key-renewed-{KEYMARK}-renewed"


class Traffic:
    """Clients that ask without pause, and who served them."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self.served: list[str] = []

    @contextmanager
    def running(self) -> Iterator[Traffic]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            workers = [pool.submit(self._work) for _ in range(CLIENTS)]
            try:
                yield self
            finally:
                self._stop.set()
            for each in workers:
                each.result()

    def _work(self) -> None:
        with self._gateway.client() as client:
            while not self._stop.is_set():
                raw = client.chat.completions.with_raw_response.create(
                    model="default", messages=ASKED
                )
                self.served.append(raw.headers["x-spillover-profile"])

    def moves_to(self, profile: str) -> None:
        """Wait until one profile serves, and no other."""
        wait_until(lambda: set(self.served[-5 * CLIENTS :]) == {profile})


def test_edits_of_order_limits_and_key_are_taken_over_and_lose_no_request(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    write(config, written)
    chain, profile = written["chains"]["default"], written["profiles"]["first"]

    with gateway(config) as served, Traffic(served).running() as traffic:
        traffic.moves_to("first")

        chain["profiles"] = ["second", "first"]
        write(config, written)
        traffic.moves_to("second")

        chain["profiles"] = ["first", "second"]
        write(config, written)
        traffic.moves_to("first")

        profile["limits"] = {"requests_per_hour": 3}
        write(config, written)
        traffic.moves_to("second")

        del profile["limits"]
        write(config, written)
        traffic.moves_to("first")

        first.change(keys=[NEW_KEY])
        traffic.moves_to("second")
        failed = served.profile()["reason"]

        profile["api_key"] = NEW_KEY
        write(config, written)
        traffic.moves_to("first")
        reloads = served.told("config.reloaded")

    assert failed == "auth_invalid"
    assert len(reloads) == 5
    assert len(traffic.served) > 0


def test_a_broken_edit_keeps_what_runs_and_says_where_it_is_broken(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    write(config, written)

    with gateway(config) as served, Traffic(served).running() as traffic:
        write(config, {**written, "chains": {"default": ["second", "frist"]}})
        wait_until(lambda: served.told("config.rejected"))
        traffic.moves_to("first")
        [problem] = served.told("config.rejected")[0]["problems"]

        config.write_text('{"profiles": {', "utf-8")
        wait_until(lambda: len(served.told("config.rejected")) == 2)
        traffic.moves_to("first")

        write(config, {**written, "chains": {"default": ["second"]}})
        traffic.moves_to("second")

    assert problem.startswith(f"{config}:")
    assert ":chains.default[1]: found 'frist'" in problem
    assert "did you mean 'first'?" in problem
    assert "the one before stays in force" in served.text
    assert problem in served.text

"""The watch over providers, with and without a running gateway."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from spillover.core.history import REQUESTS, Grain, Key, nothing
from spillover.doctor.probe.watch import Watch
from spillover.engine import EngineOptions, open_engine
from spillover.ledger.history import Fallback, HistoryStore
from spillover.ledger.sqlite import SqliteJournal
from spillover.simulator import running
from spillover.upstream import HttpUpstream
from tests.doctor.setup import set_up
from tests.library.setting import FIRST, SECOND
from tests.serving import document_for, serving
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.doctor.judge.watch import Report
    from spillover.doctor.probe.subject import Subject


def reports(subject: Subject, times: int, *, in_memory: bool = True) -> list[Report]:
    async def run() -> list[Report]:
        assert subject.loaded is not None
        engine = await open_engine(subject.loaded, EngineOptions(in_memory=in_memory))
        upstream = HttpUpstream()
        try:
            watch = Watch(subject, engine, upstream)
            return [await watch.look() for _ in range(times)]
        finally:
            await upstream.close()
            await engine.close(grace_s=0.0)

    return asyncio.run(run())


def config(first: str, second: str, port: int) -> str:
    return (
        f"server: {{port: {port}}}\nstorage: memory\n"
        f"profiles:\n  one: {{base_url: '{first}', model: m}}\n"
        f"  two: {{base_url: '{second}', model: m}}\nchains: {{default: [one, two]}}\n"
    )


def test_who_is_down_is_seen_round_by_round(tmp_path: Path) -> None:
    with running(FIRST) as (up,):
        down = f"http://127.0.0.1:{free_port()}/v1"
        *_, last = reports(set_up(tmp_path, config(up.base_url, down, free_port())), 2)

    one, two = last.glances
    assert (one.is_up, one.uptime, one.uptime_of) == (True, 1.0, "2 checks")
    assert (two.is_up, two.uptime) == (False, 0.0)
    assert two.saw
    assert (last.gateway, last.fallbacks, last.fallbacks_of) == ("none", (), "")


def test_without_a_gateway_the_kept_history_tells(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    SqliteJournal(path).close()
    store, now = HistoryStore(path), time.time()
    minute = int(now // 60) * 60
    counts = nothing()
    counts[REQUESTS] = 2
    store.add({Key(Grain.MINUTE, minute, "default", "one"): counts})
    store.note([Fallback(now, "default", "one", "two", "overloaded", None, 0.0, "r")])
    with running(FIRST) as (up,):
        text = config(up.base_url, up.base_url, free_port()).replace("storage: memory\n", "")
        (report,) = reports(set_up(tmp_path, text), 1, in_memory=False)

    (fallback,) = report.fallbacks
    one, two = report.glances
    assert (report.gateway, report.fallbacks_of) == ("none", "the history")
    assert (fallback.source, fallback.to, fallback.cause) == ("one", "two", "overloaded")
    assert (one.uptime, one.uptime_of) == (1.0, "24 h of traffic")
    assert two.uptime_of == "1 check"


def test_a_running_gateway_tells_of_its_fallbacks(tmp_path: Path) -> None:
    with (
        running(FIRST, SECOND) as (first, second),
        serving(document_for(first, second)) as gateway,
    ):
        first.script("overloaded")
        assert gateway.chat().status == 200
        text = config(first.base_url, second.base_url, gateway.port)
        (report,) = reports(set_up(tmp_path, text), 1)

    assert report.gateway == "degraded"
    (fallback,) = report.fallbacks
    assert (fallback.source, fallback.to, fallback.cause) == ("one", "two", "overloaded")
    assert report.fallbacks_of

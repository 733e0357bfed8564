"""A day is played by the real engine on a real ledger, and always comes to the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from spillover.simulator.days import Day, Outage, Policy, run
from spillover.simulator.days.day import DAY_S
from spillover.simulator.faults import Fault
from spillover.simulator.spec import ProviderSpec

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600.0
SLOW = Day(
    name="slow",
    title="slow",
    tells="",
    spec=ProviderSpec(),
    settings={"model": "any"},
    outages=(
        Outage(from_s=HOUR, until_s=3 * HOUR, fault=Fault(status=429, body="{}")),
        Outage(from_s=10 * HOUR, until_s=10 * HOUR + 90),
    ),
    clock=((5 * HOUR, 600.0), (6 * HOUR, 0.0)),
    every_s=60.0,
)


def test_memory_and_file_come_to_the_same(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"

    kept = run(SLOW, ledger=ledger)

    assert kept == run(SLOW)
    assert ledger.is_file()
    assert kept.requests == 2 * DAY_S / 60
    assert kept.unserved == 0
    assert len(kept.recoveries_s) == 2


def test_a_flat_rule_asks_as_often_as_it_says() -> None:
    by_hour = run(SLOW, Policy(name="hourly", cooldown={"fixed": "1h"}))

    assert by_hour.doomed == 2 + 2 + 2, "two at once at 1:00, at 2:00, and when it is away"


def test_two_gateways_send_one_test_at_a_time() -> None:
    found = run(replace(SLOW, processes=2, every_s=30.0))

    assert found.at_once == 1
    assert found.unserved == 0
    assert found.requests == 3 * DAY_S / 60

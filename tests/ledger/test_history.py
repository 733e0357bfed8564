"""The history of everyone who shares a file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from spillover.core.history import KEPT_S, MOST, REQUESTS, Counts, Grain, Key, nothing
from spillover.ledger.history import FALLBACKS_MOST, FALLBACKS_S, Fallback, HistoryStore
from spillover.ledger.journal import Newer, StorageError
from spillover.ledger.sqlite import SqliteJournal
from tests.core.making import NOON

if TYPE_CHECKING:
    from pathlib import Path

AT = int(NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger's file."""
    path = tmp_path / "ledger.db"
    SqliteJournal(path).close()
    return path


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, path: Path) -> HistoryStore:
    return HistoryStore(path if request.param == "file" else None)


def key(at: int = AT, profile: str = "groq", chain: str = "default") -> Key:
    return Key(Grain.MINUTE, at, chain, profile)


def counts(requests: int = 1) -> Counts:
    found = nothing()
    found[REQUESTS] = requests
    return found


def fell(request_id: str = "r", *, at: float = NOON, **fields: str | None) -> Fallback:
    own = {"chain": "default", "source": "groq", "target": "glm", "cause": "limit"} | fields
    return Fallback(
        at=at,
        until=None,
        waited_ms=1.5,
        request_id=request_id,
        **own,  # type: ignore[arg-type]
    )


def listed(store: HistoryStore, **asked: str | None) -> list[str]:
    found = store.fallbacks(since=0.0, before=None, limit=10, wanted=asked)
    return [each.fallback.request_id for each in found]


def test_what_is_added_twice_adds_up(store: HistoryStore) -> None:
    store.add({key(): counts(2), key(profile="glm"): counts()})
    store.add({key(): counts(3)})

    assert dict(store.sums(Grain.MINUTE, 0, step_s=60)) == {
        key(): counts(5),
        key(profile="glm"): counts(),
    }
    store.close()


def test_sums_are_found_by_grain_time_chain_and_profile(store: HistoryStore) -> None:
    hour = Key(Grain.HOUR, AT, "default", "groq")
    old, other = key(AT - 60), key(profile="glm", chain="coding")
    store.add({key(): counts(), old: counts(), other: counts(), hour: counts()})

    def keys(since: int = AT, **asked: str) -> list[Key]:
        return [each for each, _ in store.sums(Grain.MINUTE, since, step_s=60, **asked)]

    assert keys(AT - 60)[0] == old
    assert set(keys()) == {key(), other}
    assert keys(chain="coding") == keys(profile="glm") == [other]
    assert keys(chain="coding", profile="groq") == []
    assert store.sums(Grain.HOUR, 0, step_s=60) == [(hour, counts())]


def test_sums_within_a_step_are_added_up(store: HistoryStore) -> None:
    hour = AT // 3_600 * 3_600
    store.add({key(hour): counts(1), key(hour + 840): counts(2), key(hour + 900): counts(4)})
    store.add({key(hour, chain="coding"): counts(8)})

    found = store.sums(Grain.MINUTE, hour, step_s=900)

    assert sorted(found) == [
        (key(hour, chain="coding"), counts(8)),
        (key(hour), counts(3)),
        (key(hour + 900), counts(4)),
    ]


def test_processes_that_share_the_file_add_to_one_history(path: Path) -> None:
    for store in (HistoryStore(path), HistoryStore(path)):
        store.add({key(): counts()})
        store.note([fell()])

    assert HistoryStore(path).sums(Grain.MINUTE, 0, step_s=60) == [(key(), counts(2))]
    assert listed(HistoryStore(path)) == ["r", "r"]


def test_sums_are_forgotten_when_they_are_too_old(store: HistoryStore) -> None:
    sums = {Key(grain, AT, "default", "groq"): counts() for grain in Grain}
    store.add(sums)

    for grain in Grain:
        store.forget(NOON + KEPT_S[grain])
        assert store.sums(grain, 0, step_s=60)
        store.forget(NOON + KEPT_S[grain] + 1)
        assert not store.sums(grain, 0, step_s=60)


def test_a_sum_that_is_too_large_to_keep_stays_as_large_as_can_be(store: HistoryStore) -> None:
    store.add({key(): counts(MOST)})
    store.add({key(): counts(MOST)})

    assert store.sums(Grain.MINUTE, 0, step_s=60) == [(key(), counts(MOST))]


def test_fallbacks_are_found_newest_first_by_what_they_hold(store: HistoryStore) -> None:
    store.note(
        [fell("a"), fell("b", cause="timeout"), fell("c", target=None), fell("d", source="glm")]
    )

    assert listed(store) == ["d", "c", "b", "a"]
    assert listed(store, cause="timeout", chain=None) == ["b"]
    assert listed(store, target="") == ["c"]
    assert listed(store, target="glm", source="groq") == ["b", "a"]
    assert listed(store, request_id="nobody") == []


def test_pages_of_fallbacks_follow_each_other(store: HistoryStore) -> None:
    store.note([fell(name, at=NOON + n) for n, name in enumerate("abcd")])

    first = store.fallbacks(since=0.0, before=None, limit=2, wanted={})
    second = store.fallbacks(since=0.0, before=first[-1].id, limit=2, wanted={})
    since = store.fallbacks(since=NOON + 2, before=None, limit=9, wanted={})

    names = [[each.fallback.request_id for each in page] for page in (first, second, since)]
    assert names == [["d", "c"], ["b", "a"], ["d", "c"]]
    assert first[0].fallback == fell("d", at=NOON + 3)


def test_the_latest_fallbacks_are_kept_as_long_as_they_are_young(store: HistoryStore) -> None:
    store.note([fell("old"), *[fell("new")] * FALLBACKS_MOST])
    store.forget(NOON)
    kept = store.fallbacks(since=0.0, before=None, limit=FALLBACKS_MOST + 5, wanted={})

    store.note([fell("late", at=NOON + FALLBACKS_S)])
    store.forget(NOON + FALLBACKS_S + 1)

    assert {each.fallback.request_id for each in kept} == {"new"}
    assert len(kept) == FALLBACKS_MOST
    assert listed(store)[0] == "late"
    with_time = store.fallbacks(since=0.0, before=None, limit=FALLBACKS_MOST, wanted={})
    assert len(with_time) < FALLBACKS_MOST


def test_what_can_not_be_written_is_not_written_in_part(path: Path) -> None:
    store = HistoryStore(path)

    with pytest.raises(StorageError):
        store.note([fell(), fell(chain=None)])

    assert listed(store) == []


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        HistoryStore(tmp_path / "ledger.db").forget(NOON)

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names alone


def test_a_newer_versions_file_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")

    with pytest.raises(Newer):
        HistoryStore(path).add({key(): counts()})


def test_another_file_in_its_place_is_the_history_from_then_on(path: Path) -> None:
    store = HistoryStore(path)
    store.add({key(): counts()})
    for each in path.parent.iterdir():
        each.unlink()
    SqliteJournal(path).close()

    store.add({key(): counts(7)})

    assert store.sums(Grain.MINUTE, 0, step_s=60) == [(key(), counts(7))]

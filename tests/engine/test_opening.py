"""Opening an engine: where the ledger goes, and what happens when it can't."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from spillover.clock import SystemClock
from spillover.config.loader import LoadedConfig, load, load_document
from spillover.engine import Engine, EngineOptions, open_engine
from spillover.engine.opening import ledger_path
from spillover.errors import LedgerError
from spillover.events import LedgerTrouble
from tests.engine.staging import Client, document, opened, plays, staged
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9/v1"


def loaded(**settings: Any) -> Any:
    return load_document(document([NOWHERE], **settings), environ={})


def test_the_storage_setting_names_the_file(tmp_path: Path) -> None:
    elsewhere = load_document(
        document([NOWHERE]), environ={"SPILLOVER_STATE_DIR": str(tmp_path / "state")}
    )

    assert ledger_path(elsewhere) == tmp_path / "state" / "ledger.db"
    assert ledger_path(loaded(storage="memory")) is None
    assert ledger_path(loaded(storage=f"sqlite:///{tmp_path}/x.db")) == tmp_path / "x.db"


def test_a_relative_file_is_meant_from_the_configurations_folder(tmp_path: Path) -> None:
    (tmp_path / "spillover.yaml").write_text(
        f"storage: sqlite:///kept/x.db\nprofiles: {{p: {{base_url: '{NOWHERE}', model: m}}}}\n"
    )

    found = load(tmp_path / "spillover.yaml", environ={})

    assert ledger_path(found) == tmp_path / "kept" / "x.db"


@plays
async def test_usage_outlives_the_engine(tmp_path: Path) -> None:
    ledger = tmp_path / "deep" / "ledger.db"

    async with staged("generic", ledger=ledger) as stage:
        await stage.ask()
        async with opened(document([stage.first.base_url]), ledger) as other:
            assert other.used("p0")[0] == 1


@plays
async def test_a_ledger_in_memory_leaves_no_file(own_folders: Path) -> None:
    engine = await open_engine(loaded(), EngineOptions(in_memory=True, clock=SystemClock()))

    await engine.close()

    assert not files_in(own_folders)


def spoil(ledger: Path, how: str) -> None:
    if how == "garbage":
        ledger.write_bytes(b"this is no database, but long enough to be mistaken for one" * 99)
        return
    db = sqlite3.connect(ledger)
    db.execute("PRAGMA user_version = 999")
    db.close()


def files_in(folder: Path, pattern: str = "*") -> list[Path]:
    return list(folder.glob(pattern))


@pytest.mark.parametrize("how", ["garbage", "newer"])
@plays
async def test_an_unfit_file_is_moved_aside_and_told_of(how: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with staged("generic", ledger=ledger):
        pass
    spoil(ledger, how)

    engine = await open_engine(loaded(), EngineOptions(ledger_path=ledger))
    trouble = [event for _, event in engine.events.recent() if isinstance(event, LedgerTrouble)]
    health = engine.health()
    await engine.close()

    assert len(trouble) == 1
    assert not trouble[0].failing
    assert "moved to" in trouble[0].message
    assert health["status"] == "healthy"
    assert files_in(tmp_path, "ledger.db.unusable-*")


@plays
async def test_a_place_that_cant_be_used_leaves_the_record_in_memory_until_it_can(
    tmp_path: Path,
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    ledger = in_the_way / "ledger.db"
    options = EngineOptions(ledger_path=ledger)

    engine = await open_engine(loaded(), options)
    degraded = engine.health()["status"]
    in_the_way.unlink()
    in_the_way.mkdir()
    await eventually(lambda: engine.ledger.degraded is None)
    trouble = [event for _, event in engine.events.recent() if isinstance(event, LedgerTrouble)]
    await engine.close()

    assert degraded == "degraded"
    assert ledger.is_file()
    assert [event.failing for event in trouble] == [True, False]
    assert "kept in memory until it can" in trouble[0].message


@plays
async def test_what_was_counted_before_the_ledger_could_be_opened_is_on_everyones_account(
    tmp_path: Path,
) -> None:
    ledger, away = tmp_path / "state" / "ledger.db", tmp_path / "not mounted yet"

    async with staged("generic") as stage:
        written = document([stage.first.base_url])
        async with opened(written, ledger):
            pass
        ledger.parent.rename(away)
        ledger.parent.write_text("in the way")
        async with opened(written, ledger) as late:
            await late.ask()
            ledger.parent.unlink()
            away.rename(ledger.parent)
            await eventually(lambda: late.engine.ledger.degraded is None)
        async with opened(written, ledger) as other:
            counted = other.engine.ledger.book.counters.members["p0"]

            assert other.used("p0")[0] == 1
            assert counted[0] == other.engine.routing.profiles["p0"].account


@plays
async def test_a_place_that_cant_be_used_is_refused_where_the_ledger_fails_closed(
    tmp_path: Path,
) -> None:
    options = EngineOptions(ledger_path=tmp_path)

    with pytest.raises(LedgerError, match="can't be opened"):
        await open_engine(loaded(on_ledger_error="fail_closed"), options)


def lock(ledger: Path) -> sqlite3.Connection:
    """Hold the file as another process would that hangs."""
    db = sqlite3.connect(ledger, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return db


@pytest.mark.parametrize("closed", [True, False], ids=["fail_closed", "local"])
@plays
async def test_storage_that_fails_while_serving_is_told_of_and_mended(
    tmp_path: Path, *, closed: bool
) -> None:
    ledger = tmp_path / "ledger.db"
    setting = "fail_closed" if closed else "local"

    async with staged("generic", ledger=ledger, on_ledger_error=setting) as stage:
        await stage.ask()
        other = lock(ledger)
        during = await stage.ask()
        degraded = stage.engine.health()
        other.execute("ROLLBACK")
        other.close()
        await eventually(lambda: stage.engine.ledger.degraded is None)
        after = await stage.ask()

        failing, mended = stage.events(LedgerTrouble)
        assert (failing.failing, mended.failing) == (True, False)
        assert degraded["status"] == "degraded"
        if closed:
            assert (during.status, during.code) == (503, "ledger_unavailable")
        else:
            assert during.status == 200
        assert after.status == 200
        assert stage.used("p0")[0] == (2 if closed else 3)


# Who only looks.


def keyed(base_url: str, **environ: str) -> LoadedConfig:
    """Return a configuration whose first profile has its key in the environment."""
    written = document([base_url, base_url], profiles={"p0": {"api_key": "${THE_KEY}"}})
    return load_document(written, environ=environ)


@plays
async def test_who_only_looks_believes_those_who_serve_while_there_are_any(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    looking = EngineOptions(ledger_path=ledger, serves=False)
    there, here = keyed(NOWHERE, THE_KEY="k"), keyed(NOWHERE)

    def first(engine: Engine) -> tuple[str, str]:
        profile = engine.routing.profiles["p0"]
        return "key_missing" if profile.key_missing else "keyed", profile.account

    async with AsyncExitStack() as stack:
        looker = await open_engine(here, looking)
        stack.push_async_callback(looker.close)
        alone = first(looker)
        gateway = await open_engine(there, EngineOptions(ledger_path=ledger))
        await eventually(lambda: first(looker) == first(gateway))
        beside = first(looker)
        await gateway.close()
        await eventually(lambda: first(looker) == alone)
        lacking = await open_engine(here, EngineOptions(ledger_path=ledger))
        stack.push_async_callback(lacking.close)
        knowing = await open_engine(there, looking)
        stack.push_async_callback(knowing.close)

        assert alone[0] == "key_missing"
        assert beside[0] == "keyed"
        assert first(knowing)[0] == "key_missing", "who serves lacks it"


@pytest.mark.parametrize("serves", [True, False])
@plays
async def test_who_lacks_a_key_ends_no_evidence_of_those_who_have_it(
    tmp_path: Path, *, serves: bool
) -> None:
    ledger = tmp_path / "ledger.db"

    async with staged("generic") as stage:
        stage.first.script("payment_required")
        url = stage.first.base_url
        gateway = Client(
            await open_engine(keyed(url, THE_KEY="k"), EngineOptions(ledger_path=ledger))
        )
        await gateway.ask()
        other = await open_engine(keyed(url), EngineOptions(ledger_path=ledger, serves=serves))
        await gateway.engine.ledger.record()
        status = gateway.status("p0")["reason"]
        await other.close()
        await gateway.engine.close()
        again = Client(
            await open_engine(keyed(url, THE_KEY="k"), EngineOptions(ledger_path=ledger))
        )
        later = again.status("p0")["reason"]
        await again.engine.close()

        assert (status, later) == ("payment_required", "payment_required")

"""A backup holds the set-up without its secrets, whatever state it is in."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from spillover.ledger.sqlite import SqliteJournal
from spillover.recovery.backup import back_up, ledger_of, usual_file

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.recovery.backup import BackedUp

SECRET = "Kw2Lm9Xp4Vd8"
NOW = 1_800_000_000.0
CONFIG = (
    f"profiles: {{a: {{base_url: 'http://127.0.0.1:1/v1', model: m, api_key: key-{SECRET}}}}}\n"
)


@pytest.fixture(name="environ")
def _environ(tmp_path: Path) -> dict[str, str]:
    return {"SPILLOVER_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "spillover.yaml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def made(path: Path, environ: dict[str, str], name: str = "b.zip") -> BackedUp:
    return back_up(path, path.parent / "out" / name, environ=environ, now=NOW)


def content(done: BackedUp) -> dict[str, Any]:
    with zipfile.ZipFile(done.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_whole_set_up_is_kept_and_no_secret(path: Path, environ: dict[str, str]) -> None:
    (path.parent / ".env").write_text(f"FIRST_KEY=sk-{SECRET}\nOTHER=x\n")
    (path.parent / "catalogue.yaml").write_text("providers: {}\n")
    ledger = ledger_of(path, environ)
    assert ledger is not None
    SqliteJournal(ledger).close()

    done = made(path, environ)

    assert done.entries == ("spillover.yaml", "catalogue.yaml", "ledger.db")
    assert done.manifest.env == ("FIRST_KEY", "OTHER")
    assert [each.key for each in done.manifest.withheld] == ["profiles.a.api_key"]
    assert done.manifest.made_at == "2027-01-15T08:00:00.000Z"
    assert not any(SECRET.encode() in each for each in content(done).values())
    assert list(done.path.parent.iterdir()) == [done.path]


def test_the_usual_place_is_the_state_folder(path: Path, environ: dict[str, str]) -> None:
    file = usual_file(environ, NOW)

    assert file.name == "spillover-20270115T080000Z.zip"
    assert str(file.parent) == f"{environ['SPILLOVER_STATE_DIR']}/backups"


def test_what_is_not_there_or_can_not_be_read_is_said(
    path: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    fresh = made(path, environ, "fresh.zip")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.db").write_bytes(b"no pages" * 100)
    path.write_text(f"profiles: [{SECRET}\napi_key: {SECRET}")
    broken = made(path, environ, "broken.zip")
    path.write_text("storage: memory\n" + CONFIG)
    memory = made(path, environ, "memory.zip")
    path.unlink()
    gone = made(path, environ, "gone.zip")

    assert "no record of usage yet" in fresh.manifest.notes[0]
    assert not broken.manifest.readable
    assert "is no YAML" in broken.manifest.notes[0]
    assert "can't be read and is left out" in broken.manifest.notes[1]
    assert memory.manifest.notes == ("storage: memory has no record to keep",)
    assert gone.entries == ()


def test_a_catalogue_of_ones_own_has_its_secrets_masked(
    path: Path, environ: dict[str, str]
) -> None:
    own = path.parent / "catalogue.yaml"
    own.write_text(f"providers: {{mine: {{base_url: 'https://me:{SECRET}@host/v1'}}}}\n")

    done = made(path, environ)

    assert SECRET.encode() not in content(done)["catalogue.yaml"]
    assert f"{own} holds secrets, which are masked: write them anew" in done.manifest.notes

"""A backup takes the place of a set-up as a whole, or nothing changes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from spillover.errors import BackupError, ConfigError
from spillover.ledger.book import Book
from spillover.ledger.entries import Alive
from spillover.ledger.sqlite import SqliteJournal
from spillover.recovery.archive import Manifest, pack, print_of
from spillover.recovery.backup import back_up
from spillover.recovery.consent import Demands
from spillover.recovery.restore import restore

if TYPE_CHECKING:
    from pathlib import Path


def agreed(_: Demands) -> bool:
    return True


CONFIG = """\
profiles:
  a: {base_url: 'http://127.0.0.1:1/v1', model: m, api_key: key-of-mine, headers: {X-Two: abcdefgh}}
  b:
    base_url: http://127.0.0.1:2/v1
    model: m
    upstream: {command: [serve, it]}
"""


@pytest.fixture(name="environ")
def _environ(tmp_path: Path) -> dict[str, str]:
    return {"SPILLOVER_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture(name="path")
def _path(tmp_path: Path, environ: dict[str, str]) -> Path:
    path = tmp_path / "config" / "spillover.yaml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "ledger.db"
    record(path, "before")
    return path


def record(path: Path, name: str) -> None:
    with closing(SqliteJournal(path)) as journal:
        book, entry = Book(), Alive(name, 1.0)
        journal.begin(book)
        book.apply(entry)
        journal.commit(book, [entry])


def recorded(path: Path) -> set[str]:
    with closing(SqliteJournal(path)) as journal:
        book = Book()
        journal.refresh(book, ahead=True)
        return set(book.alive)


@pytest.fixture(name="packed")
def _packed(path: Path, ledger: Path, environ: dict[str, str], tmp_path: Path) -> Path:
    return back_up(path, tmp_path / "b.zip", environ=environ, now=0.0).path


def state(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file() and not each.name.endswith(("-wal", "-shm"))
    }


def test_all_comes_back_and_what_was_there_is_kept(
    path: Path, ledger: Path, packed: Path, environ: dict[str, str]
) -> None:
    path.write_text("profiles: {}\n")
    record(ledger, "after")

    done = restore(packed, path, environ=environ, stamp="now", agrees=agreed)
    again = restore(packed, path, environ=environ, stamp="now", agrees=agreed)

    assert "${A_API_KEY}" in path.read_text()
    assert recorded(ledger) == {"before"}
    assert [each.name for each in done.kept] == [
        "ledger.db.before-restore-now", "spillover.yaml.before-restore-now"
    ]  # fmt: skip
    assert recorded(done.kept[0]) == {"before", "after"}
    assert done.kept[1].read_text() == "profiles: {}\n"
    assert again.kept[1].name == "spillover.yaml.before-restore-now-2"
    assert done.unset == ("A_API_KEY", "A_HEADERS_X_TWO")
    assert done.commands == (("serve", "it"),)
    assert not [each for each in path.parent.iterdir() if each.name.startswith(".restore")]


def test_a_new_machine_has_everything_made(packed: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "spillover.yaml"
    environ = {"SPILLOVER_STATE_DIR": str(tmp_path / "new-state"), "A_API_KEY": "x"}

    done = restore(packed, path, environ=environ, stamp="now", agrees=agreed)

    assert done.written == (tmp_path / "new-state" / "ledger.db", path)
    assert done.kept == ()
    assert done.unset == ("A_HEADERS_X_TWO",)


def made(folder: Path, **entries: bytes) -> Path:
    """Return an archive with a right manifest and these entries."""
    files = {}
    for name, content in entries.items():
        files[name] = folder / f"part-{name}"
        files[name].write_bytes(content)
    prints = {name: print_of(path) for name, path in files.items()}
    target = folder / "made.zip"
    pack(target, Manifest(version="1", made_at="now", prints=prints), files)
    return target


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"spillover.yaml": b"profiles: ["}, "made.zip:spillover.yaml"),
        ({"spillover.yaml": b"profles: {}"}, "profles"),
        ({"ledger.db": b"no pages" * 200}, "the record in"),
        ({"ledger.db": b""}, "nothing in it"),
    ],
)
def test_what_can_not_be_used_changes_nothing(
    path: Path, environ: dict[str, str], tmp_path: Path, entries: dict[str, bytes], said: str
) -> None:
    (path.parent / "notes.txt").write_text("mine")
    source = made(tmp_path, **entries)
    before = state(tmp_path)

    with pytest.raises((BackupError, ConfigError), match=said):
        restore(source, path, environ=environ, stamp="now", agrees=agreed)

    assert state(tmp_path) == before


def test_no_other_file_becomes_the_record(
    path: Path, ledger: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    mine = path.parent / "notes.txt"
    mine.write_text("mine")
    config = f"storage: 'sqlite:///notes.txt'\n{CONFIG}".encode()
    source = made(tmp_path, **{"spillover.yaml": config, "ledger.db": ledger.read_bytes()})

    with pytest.raises(BackupError, match="another file"):
        restore(source, path, environ=environ, stamp="now", agrees=agreed)

    assert (mine.read_text(), path.read_text()) == ("mine", CONFIG)


def test_a_step_that_fails_takes_all_steps_back(
    path: Path, ledger: Path, packed: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    record(ledger, "after")
    path.chmod(0o444)  # the configuration comes last, and can't be written
    before = {name for name in state(tmp_path) if "b.zip" not in name}

    with pytest.raises(PermissionError):
        restore(packed, path, environ=environ, stamp="now", agrees=agreed)

    assert path.read_text() == CONFIG
    assert recorded(ledger) == {"before", "after"}
    assert {name for name in state(tmp_path) if "b.zip" not in name} == before


def test_a_catalogue_takes_the_place_of_its_other_form(
    path: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    source = made(
        tmp_path, **{"spillover.yaml": CONFIG.encode(), "catalogue.yaml": b"providers: {}\n"}
    )
    (path.parent / "catalogue.json").write_text("{}")

    done = restore(source, path, environ=environ, stamp="now", agrees=agreed)

    assert {each.name for each in done.kept} >= {"catalogue.json.before-restore-now"}
    assert not (path.parent / "catalogue.json").exists()
    assert (path.parent / "catalogue.yaml").read_text() == "providers: {}\n"


def test_a_text_that_was_no_configuration_is_not_put_back(
    path: Path, ledger: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    path.write_text("profiles: [")
    source = back_up(path, tmp_path / "b.zip", environ=environ, now=0.0).path

    with pytest.raises(BackupError, match="is no YAML"):
        restore(source, path, environ=environ, stamp="now", agrees=agreed)


def test_what_is_not_agreed_to_changes_nothing(
    path: Path, packed: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    path.write_text("profiles: {}\n")
    before = state(tmp_path)
    asked: list[Demands] = []

    def refuses(demands: Demands) -> bool:
        asked.append(demands)
        return False

    with pytest.raises(BackupError, match="nothing was restored"):
        restore(packed, path, environ=environ, stamp="now", agrees=refuses)

    assert asked == [Demands(commands=("serve it",))]
    assert state(tmp_path) == before


def test_a_backup_of_what_is_there_is_restored_unasked(
    path: Path, packed: Path, environ: dict[str, str]
) -> None:
    def asked(demands: Demands) -> bool:
        raise AssertionError(demands)

    restore(packed, path, environ=environ, stamp="now", agrees=asked)

    assert "${A_API_KEY}" in path.read_text()

"""An archive comes back as it was packed; one that is not ours is refused before anything is used."""

from __future__ import annotations

import zipfile
from pathlib import Path

import msgspec
import pytest

from spillover.errors import BackupError
from spillover.recovery.archive import FORMAT, MANIFEST, Manifest, pack, print_of, unpack


def manifest(**fields: object) -> Manifest:
    return msgspec.structs.replace(Manifest(version="1", made_at="now", prints={}), **fields)


@pytest.fixture(name="packed")
def _packed(tmp_path: Path) -> Path:
    file = tmp_path / "spillover.yaml"
    file.write_text("profiles: {}\n")
    target = tmp_path / "backup.zip"
    pack(target, manifest(prints={file.name: print_of(file)}, env=("A",)), {file.name: file})
    return target


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def made(target: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target


def with_manifest(**entries: bytes) -> dict[str, bytes]:
    return {MANIFEST: msgspec.json.encode(manifest()), **entries}


def test_what_was_packed_is_unpacked(packed: Path, folder: Path) -> None:
    found, files = unpack(packed, folder)

    assert (found.env, found.format) == (("A",), FORMAT)
    assert {name: path.read_text() for name, path in files.items()} == {
        "spillover.yaml": "profiles: {}\n"
    }
    assert packed.stat().st_mode & 0o777 == 0o600


def test_no_file_is_overwritten(packed: Path) -> None:
    before = packed.read_bytes()

    with pytest.raises(BackupError, match="is there already"):
        pack(packed, manifest(), {})

    assert packed.read_bytes() == before


def test_a_backup_that_fails_leaves_no_half_of_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pack(tmp_path / "b.zip", manifest(), {"spillover.yaml": tmp_path / "gone"})

    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/b", "..\\evil", "spillover.yaml/", "C:evil", "x" * 500]
)
def test_an_entry_that_could_leave_the_folder_is_refused(
    tmp_path: Path, folder: Path, name: str
) -> None:
    source = made(tmp_path / "b.zip", {**with_manifest(), name: b""})

    with pytest.raises(BackupError, match="none of ours"):
        unpack(source, folder)

    assert list(folder.iterdir()) == []


def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path, folder: Path) -> None:
    source = made(tmp_path / "b.zip", with_manifest())
    with zipfile.ZipFile(source, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(MANIFEST, b"{}")

    with pytest.raises(BackupError, match="none of ours"):
        unpack(source, folder)


def test_a_bomb_is_unpacked_no_further_than_it_may_be_large(tmp_path: Path, folder: Path) -> None:
    bomb = with_manifest(**{"spillover.yaml": b"\0" * 20_000_000})
    source = made(tmp_path / "b.zip", bomb)
    assert source.stat().st_size < 100_000

    with pytest.raises(BackupError, match="larger than 1,048,576"):
        unpack(source, folder)

    assert (folder / "spillover.yaml").stat().st_size <= 1_048_576


def test_what_was_cut_or_changed_is_refused(packed: Path, tmp_path: Path, folder: Path) -> None:
    content = packed.read_bytes()
    for number, spoilt in enumerate((b"", content[:50], content[:-30], b"PK" + content[9:])):
        source = tmp_path / f"{number}.zip"
        source.write_bytes(spoilt)
        with pytest.raises(BackupError, match="no whole backup"):
            unpack(source, folder)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({}, "has no manifest"),
        ({MANIFEST: b"{"}, "no whole backup"),
        ({MANIFEST: b"\xff\xfe"}, "no whole backup"),
        ({MANIFEST: b'{"version":"9","made_at":"x","prints":{},"format":2}'}, "by Spillover 9"),
        (with_manifest(**{"ledger.db": b"x"}), "not those it names"),
        (
            {MANIFEST: b'{"version":"1","made_at":"x","prints":{"ledger.db":"0"}}'},
            "not those it names",
        ),
    ],
)
def test_what_the_manifest_does_not_account_for_is_refused(
    tmp_path: Path, folder: Path, entries: dict[str, bytes], said: str
) -> None:
    with pytest.raises(BackupError, match=said):
        unpack(made(tmp_path / "b.zip", entries), folder)


def test_what_has_no_end_is_not_read(tmp_path: Path, folder: Path) -> None:
    sparse = tmp_path / "huge.zip"
    with sparse.open("wb") as file:
        file.truncate(1 << 31)

    for endless in (sparse, Path("/dev/zero")):
        if endless.exists():
            with pytest.raises(BackupError, match="no end, or is larger"):
                unpack(endless, folder)
    with pytest.raises(IsADirectoryError):
        unpack(tmp_path, folder)

"""Only what Spillover itself made, and nothing names any more, is a leftover."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spillover.config.locate import state_folder
from spillover.config.versions import History, place_of, write_history
from spillover.doctor.probe.leftovers import leftovers
from tests.doctor.setup import set_up

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "profiles: {p: {base_url: 'http://127.0.0.1:1/v1', model: m, api_key: 'file:keys/p-0123abcd'}}\n"


def made(path: Path, *, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    path.chmod(mode)
    return path


def test_what_killed_processes_leave_is_found_with_its_age(tmp_path: Path) -> None:
    state = tmp_path / "state"
    left = [
        made(tmp_path / name)
        for name in (
            "..env.ab_defg1",
            ".spillover.yaml.abcdefgh",
            ".catalogue.yaml.abcdefgh",
            "keys/gone-89abcdef",
            "state/ledger.db.new-20261127T120000Z",
            "state/versions/.0123456789abcdef.json.abcdefgh",
        )
    ]
    folders = [tmp_path / ".restore-abcdefgh", state / "backups" / ".backup-abcdefgh"]
    for folder in folders:
        made(folder / "spillover.yaml")
    made(tmp_path / "keys" / "p-0123abcd")
    os.utime(left[0], (0, 0))

    found = {each.path: each for each in leftovers(set_up(tmp_path, CONFIG))}

    assert found.keys() == {*left, *folders}
    assert found[left[0]].age_s > 1e9
    assert 0 <= found[left[1]].age_s < 600


def test_what_a_person_may_have_made_is_left_alone(tmp_path: Path) -> None:
    for name in (
        "..env.backup",
        ".spillover.yaml.swp",
        ".other.yaml.abcdefgh",
        "keys/groq",
        ".restore-abcdefgh/notes.txt",
        "ledger.db.new-mine",
    ):
        made(tmp_path / name)
    made(tmp_path / "keys" / "open-0123abcd", mode=0o644)
    (tmp_path / ".spillover.yaml.abcdefgh").symlink_to(tmp_path / ".env")

    assert leftovers(set_up(tmp_path, CONFIG)) == ()


def test_a_key_of_an_earlier_or_another_text_is_still_wanted(tmp_path: Path) -> None:
    subject = set_up(tmp_path, CONFIG)
    made(tmp_path / "keys" / "was-0123abcd")
    made(tmp_path / "keys" / "before-0123abcd")
    made(tmp_path / "keys" / "gone-0123abcd")
    (tmp_path / "spillover.yaml.before-restore-now").write_text("file:keys/before-0123abcd")
    place = place_of(subject.path, state_folder(subject.environ))
    history = History().with_text(b"file:keys/was-0123abcd", at=0.0, what="w", by="api")
    write_history(place, history)

    assert [each.path.name for each in leftovers(subject)] == ["gone-0123abcd"]

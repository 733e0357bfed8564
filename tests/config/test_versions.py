"""Texts of the file are kept, so that changes can be taken back."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from spillover.config.versions import (
    MOST,
    History,
    place_of,
    read_history,
    revision_of,
    write_history,
)

if TYPE_CHECKING:
    from pathlib import Path


def grown(count: int, history: History | None = None) -> History:
    history = history or History()
    for number in range(count):
        history = history.with_text(b"text %d" % number, at=float(number), what="edit", by="api")
    return history


def test_each_version_knows_what_it_was_made_from() -> None:
    history = grown(3).at_version(1).with_text(b"other", at=9.0, what="edit", by="api")

    assert [(each.id, each.parent) for each in history.versions] == [
        (1, None),
        (2, 1),
        (3, 2),
        (4, 1),
    ]
    assert history.now is not None
    assert history.now.source == b"other"


def test_only_the_last_ones_are_kept_and_the_one_to_go_back_to() -> None:
    history = grown(MOST + 5)
    back = history.at_version(history.versions[0].id)
    changed = back.with_text(b"other", at=9.0, what="edit", by="api")

    assert len(history.versions) == len(changed.versions) == MOST
    assert changed.now is not None
    assert changed.version(changed.now.parent) is not None


def test_the_way_between_two_versions_leads_over_what_both_were_made_from() -> None:
    history = grown(3).at_version(1).with_text(b"other", at=9.0, what="edit", by="api")

    assert [each.id for each in history.path_to(3)] == [4, 1, 2, 3]
    assert [each.id for each in history.path_to(1)] == [4, 1]
    assert [each.id for each in history.at_version(2).path_to(3)] == [2, 3]
    assert [each.id for each in history.path_to(4)] == [4]


def test_the_way_over_a_version_that_is_gone_is_a_leap() -> None:
    history = grown(MOST).at_version(2)
    for _ in range(MOST - 1):
        history = history.with_text(b"other", at=9.0, what="edit", by="api")
    oldest = history.versions[0]

    assert [each.id for each in history.path_to(oldest.id)][-1] == oldest.id
    assert (
        len(History(current=2, versions=history.versions[-1:]).path_to(history.versions[-1].id))
        == 1
    )


def test_what_the_file_was_given_last_is_recognised() -> None:
    assert grown(2).holds(b"text 1")
    assert not grown(2).holds(b"text 0")
    assert not History().holds(b"")


def test_a_history_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    place = place_of(tmp_path / "spillover.yaml", tmp_path / "state")
    history = grown(2).with_text(b"\xff no text", at=3.0, what="edit", by="hand")

    write_history(place, history)

    assert read_history(place) == history
    assert history.now is not None
    assert history.now.revision == revision_of(b"\xff no text")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_history_that_can_not_be_read_is_none(tmp_path: Path) -> None:
    place = tmp_path / "broken"
    place.write_bytes(b'{"versions": 5}')

    assert read_history(place) == History()
    assert read_history(tmp_path / "nothing") == History()

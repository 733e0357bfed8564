"""A pasted key is kept in the key ring, or in a file that its owner alone can read."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from spillover.config.keeping import forget, keep, keep_in_ring
from spillover.config.secrets import Secret
from spillover.errors import RequestError
from tests.config.rings import ring_in_use

if TYPE_CHECKING:
    from pathlib import Path

KEY = Secret("  gsk_pasted-0123456789\n")


def test_a_key_goes_into_the_key_ring_under_a_name_of_its_own(tmp_path: Path) -> None:
    with ring_in_use() as ring:
        references = {keep(KEY, "groq", folder=tmp_path) for _ in range(2)}

        assert {f"keyring:{name}" for _, name in ring.held} == references
        assert set(ring.held.values()) == {"gsk_pasted-0123456789"}
        assert len(references) == 2
    assert list(tmp_path.iterdir()) == []


def test_where_no_key_ring_takes_it_a_file_of_its_owners_alone_holds_it(tmp_path: Path) -> None:
    with ring_in_use() as ring:
        ring.locked = True
        reference = keep(KEY, "groq", folder=tmp_path)

    file = tmp_path / reference.removeprefix("file:")
    assert reference.startswith("file:keys/groq-")
    assert file.read_text() == "gsk_pasted-0123456789\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_key_that_came_to_nothing_is_taken_away_again(tmp_path: Path) -> None:
    with ring_in_use() as ring:
        in_ring = keep(KEY, "groq", folder=tmp_path)
        ring.locked = True
        in_file = keep(KEY, "groq", folder=tmp_path)
        ring.locked = False

        for reference in (in_ring, in_file, in_ring, in_file):
            forget(reference, folder=tmp_path)

        assert ring.held == {}
    assert list((tmp_path / "keys").iterdir()) == []


@pytest.mark.parametrize("text", ["", "  ", "two words", "line\nbreak", "ключ", "x" * 9_000])
def test_what_can_be_no_key_is_refused_without_being_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError) as raised:
        keep(Secret(text), "groq", folder=tmp_path)

    assert not text.strip() or text not in str(raised.value)


def test_the_key_ring_alone_takes_it_or_it_is_not_kept() -> None:
    with ring_in_use() as ring:
        assert keep_in_ring("mine", "of-the-tests") == "keyring:mine"
        ring.locked = True
        assert keep_in_ring("other", "of-the-tests") is None

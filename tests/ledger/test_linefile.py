"""What a gateway writes for a prompt is read whole, fresh, or not at all."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from spillover.ledger.linefile import FILE_NAME, FRESH_S, read, write

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {"config": "/a=b.yaml", "serving": "groq", "next": ""}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, FIELDS)
    write(tmp_path, FIELDS)

    assert read(tmp_path) == FIELDS
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("age_s", [-2 * FRESH_S, 2 * FRESH_S])
def test_the_file_of_a_gateway_that_is_gone_is_not_believed(tmp_path: Path, age_s: float) -> None:
    write(tmp_path, FIELDS)
    then = time.time() - age_s
    os.utime(tmp_path / FILE_NAME, (then, then))

    assert read(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"spillover 2\nserving=a\n", b"\xff\xfe"])
def test_what_is_not_understood_is_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)

    assert read(tmp_path) is None


def test_no_file_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") is None

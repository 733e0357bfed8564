"""The kinds of what people are told."""

from __future__ import annotations

import pytest

from spillover.core.notices import FILTERABLE, GRAVE, USUAL, NoticeKind, gravest


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("recovered fallback", NoticeKind.FALLBACK),
        ("unserved failed budget", NoticeKind.UNSERVED),
        ("test", NoticeKind.TEST),
    ],
)
def test_the_gravest_stands_for_several(kinds: str, expected: NoticeKind) -> None:
    assert gravest([NoticeKind(kind) for kind in kinds.split()]) is expected


def test_a_test_can_not_be_asked_for_and_cooldowns_have_to_be() -> None:
    assert set(NoticeKind) - set(FILTERABLE) == {NoticeKind.TEST}
    assert set(FILTERABLE) - set(USUAL) == {NoticeKind.COOLDOWN}
    assert set(USUAL) >= GRAVE

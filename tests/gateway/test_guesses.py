"""Who guesses at the admin key is slowed down, and nobody else."""

from __future__ import annotations

import pytest

from spillover.gateway.guesses import MOST, MOST_KNOWN, WITHIN_S, Guesses

NOW = 1_795_781_000.0
HERE, THERE = "192.0.2.1", "192.0.2.2"


def guessed(address: str = HERE, *, times: int = MOST, at: float = NOW) -> Guesses:
    guesses = Guesses()
    for number in range(times):
        guesses.note(address, [b"%d" % number], at + number)
    return guesses


def test_a_few_wrong_keys_are_looked_at_at_once() -> None:
    assert guessed(times=MOST - 1).wait_s(HERE, [b"new"], NOW + MOST) == 0


def test_beyond_them_each_waits_until_the_oldest_is_forgotten() -> None:
    guesses = guessed()

    assert guesses.wait_s(HERE, [b"new"], NOW + MOST) == WITHIN_S - MOST
    assert guesses.wait_s(HERE, [b"new"], NOW + WITHIN_S - 0.5) == 1
    assert guesses.wait_s(HERE, [b"new"], NOW + WITHIN_S) == 0


def test_other_addresses_go_on() -> None:
    assert guessed().wait_s(THERE, [b"new"], NOW + MOST) == 0


def test_a_wrong_key_that_comes_again_uses_nothing_up() -> None:
    guesses = Guesses()
    for second in range(MOST * 2):
        guesses.note(HERE, [b"old"], NOW + second)

    assert guesses.wait_s(HERE, [b"new"], NOW + MOST * 2) == 0
    assert guessed().wait_s(HERE, [b"0"], NOW + MOST) == 0, "it is told again that it is wrong"


def test_nothing_shown_is_no_guess() -> None:
    guesses = guessed()
    guesses.note(THERE, [], NOW)

    assert guesses.wait_s(HERE, [], NOW + MOST) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.9", False),
        ("", "192.0.2.9", False),
    ],
)
def test_addresses_that_one_sender_can_choose_are_one(one: str, other: str, *, same: bool) -> None:
    assert (guessed(one).wait_s(other, [b"new"], NOW + MOST) > 0) is same


def test_a_clock_that_is_put_back_locks_nobody_out() -> None:
    assert guessed().wait_s(HERE, [b"new"], NOW - 86_400) == 0


def test_the_address_that_was_quiet_for_longest_makes_room() -> None:
    guesses = guessed()
    for number in range(MOST_KNOWN - 1):
        guesses.note(f"10.0.{number >> 8}.{number & 255}", [b"x"], NOW + MOST)
    assert guesses.wait_s(HERE, [b"new"], NOW + MOST) > 0

    guesses.note(THERE, [b"x"], NOW + MOST)

    assert guesses.wait_s(HERE, [b"new"], NOW + MOST) == 0

"""A status document drawn as ladders: who is next, what is left, when each is back."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from spillover.cli.ladders import ladders
from tests.cli.documents import (
    GROQ,
    LADDER,
    NOTHING,
    NOW,
    SPENT,
    at,
    chain,
    document,
    left_out,
    limit,
    profile,
)


def drawn(status: dict[str, Any], width: int | None = None) -> list[str]:
    return [line.plain for line in ladders(status, now=NOW, width=width)]


def test_a_chain_is_drawn_as_a_ladder_with_bars_and_countdowns() -> None:
    lines = drawn(LADDER, 80)

    assert lines == [
        "default  priority  next: groq",
        "",
        "   1  chutes  ● exhausted  free   limit, back in 12 min 30 s",
        "       tokens/hour    ██████████  5,000/5,000 · 0 left · ↻ 12 min 30 s",
        "       nothing used in the last day",
        "",
        "▸  2  groq    ● active     free",
        "       requests/day   █░░░░░░░░░  12/1,000 · 988 left · ↻ 1 h",
        "       tokens/minute  ██████▒▒░░  4,800/8,000 · 1,200 held · 2,000 left · ↻ 42 s",
        "       at once        ▒▒░░░░░░░░  1/4",
        "       last minute 3 req 812 tok · hour 12 req 4,096 tok · day 12 req 20.1K tok",
        "",
        "   3  glm     ● cooldown   free   overloaded, back in 30 s, a guess",
        "       we are busy",
        "       nothing used in the last day",
        "",
        "   4  paid    ● active     paid",
        "       nothing used in the last day",
    ]


def test_profile_that_can_not_be_relied_on_says_so() -> None:
    shaky = profile(health={"condition": "degraded", "reliability": 0.82, "outcomes": 50})

    lines = drawn(document({"default": chain("p")}, {"p": shaky}))

    assert "       degraded: 82% answered of the last 50" in lines


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in drawn(LADDER, width)) <= width


def test_usage_goes_on_in_the_next_line_where_one_is_too_short() -> None:
    much = {**NOTHING, "requests": 15, "tokens": 4_710}
    busy = profile(usage={"minute": much, "hour": much, "day": {**much, "requests": 9_999}})

    lines = drawn(document({"c": chain("p", serving="p")}, {"p": busy}), 80)

    assert lines[3:] == [
        "       last minute 15 req 4,710 tok · hour 15 req 4,710 tok",
        "            day 9,999 req 4,710 tok",
    ]


def test_on_a_narrow_terminal_nothing_is_lost() -> None:
    lines = drawn(LADDER, 40)

    assert not any("…" in line for line in lines)
    assert lines[:8] == [
        "default  priority  next: groq",
        "",
        "   1  chutes  ● exhausted  free   limit",
        "       back in 12 min 30 s",
        "       tokens/hour    ████████",
        "         5,000/5,000 · 0 left",
        "         ↻ 12 min 30 s",
        "       nothing used in the last day",
    ]
    assert "         2,000 left · ↻ 42 s" in lines


def test_when_the_first_is_back_shows_on_a_narrow_terminal() -> None:
    lines = drawn(document({"c": chain("a")}, {"a": SPENT}), 40)

    assert lines[:2] == [
        "c  priority  nobody can serve now",
        "       soonest back in 12 min 30 s",
    ]


def test_bars_grow_with_the_terminal() -> None:
    narrow, wide = ("\n".join(drawn(LADDER, width)).count("█") for width in (80, 120))

    assert wide > narrow


def test_a_pipe_gets_every_line_whole() -> None:
    long = "word " * 100
    benched = profile(
        "cooldown",
        reason="network",
        until=at(5),
        confidence="stated",
        last_error={"class": "network", "status": None, "message": long, "at": at(0)},
    )

    lines = drawn(document({"c": chain("p")}, {"p": benched}))

    assert any(line.strip() == long.strip() for line in lines)
    assert "   1  p  ● cooldown   free   network, back in 5 s" in lines


def test_a_chain_that_nobody_can_serve_says_when_the_first_is_back() -> None:
    sooner = {**SPENT, "until": at(10)}

    lines = drawn(document({"c": chain("a", "b")}, {"a": SPENT, "b": sooner}))

    assert lines[0] == "c  priority  nobody can serve now, soonest back in 10 s"


def test_a_chain_of_failed_profiles_promises_nothing() -> None:
    failed = profile("failed", reason="key_missing")

    lines = drawn(document({"c": chain("a")}, {"a": failed}))

    assert lines[0] == "c  priority  nobody can serve now"
    assert lines[2] == "   1  a  ● failed     free   key missing"


def test_why_a_chain_leaves_an_active_profile_out_stands_beside_it() -> None:
    gate = left_out("paid", "spend_gate", "needs x-spillover-spend: yes")
    night = left_out("night", "hours", "outside its hours", at(600))
    gated = chain("free", "paid", "night", serving="free", skipped=[gate, night])
    profiles = {"free": profile(), "paid": profile(tier="paid"), "night": profile()}

    lines = drawn(document({"c": gated}, profiles))

    assert "   2  paid   ● active     paid   spend gate: needs x-spillover-spend: yes" in lines
    assert "   3  night  ● active     free   hours: outside its hours, back in 10 min" in lines


def test_a_chain_that_never_takes_a_profile_does_not_wait_for_it() -> None:
    kept_out = left_out("a", "privacy", "only local profiles may serve")

    lines = drawn(document({"c": chain("a", skipped=[kept_out])}, {"a": SPENT}))

    assert lines[0] == "c  priority  nobody can serve now"
    assert lines[2] == "   1  a  ● exhausted  free   privacy: only local profiles may serve"


def test_chains_stand_one_line_apart() -> None:
    lines = drawn(document({"c": chain("a"), "d": chain("a"), "e": chain("a")}, {"a": profile()}))

    assert [bool(line) for line in lines].count(False) == 5
    assert not any(above == below == "" for above, below in itertools.pairwise(lines))


def test_policy_and_pin_stand_in_the_chains_line() -> None:
    chains = {
        "c": chain("a", serving="a", routing_policy="local-only", pinned="a"),
        "d": chain("a", serving="a", strategy="least_used", pinned="a", pinned_strictly=True),
    }

    lines = drawn(document(chains, {"a": profile()}))

    assert lines[0] == "c  priority · local-only · pinned to a  next: a"
    assert "d  least used · pinned to a alone  next: a" in lines


def test_limits_of_a_profile_in_two_chains_are_drawn_once() -> None:
    chains = {"c": chain("groq", serving="groq"), "d": chain("groq", serving="groq")}

    lines = drawn(document(chains, {"groq": GROQ}))

    assert sum("requests/day" in line for line in lines) == 1
    assert sum(line.startswith("▸  1  groq") for line in lines) == 2


def test_a_profile_in_no_chain_is_not_forgotten() -> None:
    lines = drawn(document({"c": chain("a")}, {"a": profile(), "b": profile()}))

    assert lines[lines.index("in no chain") + 2] == "      b  ● active     free"


def test_what_the_provider_says_is_left_is_shown_when_it_is_less() -> None:
    limits = [
        limit("requests", "day", used=10, of=100, provider_remaining=50),
        limit("requests", "hour", used=10, of=100, provider_remaining=95),
    ]

    lines = drawn(document({"c": chain("a")}, {"a": profile(limits=limits)}))

    assert "10/100 · 90 left (50 says the provider)" in lines[3]
    assert lines[4].endswith("10/100 · 90 left")


@pytest.mark.parametrize(("stated", "is_proposed"), [(8_000, True), (6_000, False), (None, False)])
def test_whole_that_the_provider_states_is_proposed_where_another_is_set(
    stated: int | None, *, is_proposed: bool
) -> None:
    limits = [limit("tokens", "minute", used=0, of=6_000, provider_limit=stated)]

    lines = drawn(document({"c": chain("a")}, {"a": profile(limits=limits)}))

    assert ("       groq states 8,000 TPM, you set 6,000" in lines) is is_proposed


def test_whole_that_the_provider_states_is_proposed_where_none_is_set() -> None:
    limits = [limit("tokens", "minute", used=0, of=6_000, provider_limit=6_000)]
    said = [
        {"metric": "requests", "per": "day", "amount": 14_400},
        {"metric": "requests", "per": "minute", "amount": None},
        {"metric": "tokens", "per": "minute", "amount": 6_000},
    ]

    lines = drawn(document({"c": chain("a")}, {"a": profile(limits=limits, provider_limits=said)}))

    proposals = [line.strip() for line in lines if "states" in line]
    assert proposals == ["groq states 14.4K RPD, you set none"]


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (4.2, ["groq says $4.20 of the balance is left"]),
        (0.0, ["groq says $0.00 of the balance is left"]),
        (None, []),
    ],
)
def test_balance_is_told_while_the_providers_word_holds(
    left: float | None, told: list[str]
) -> None:
    said = [{"metric": "cost", "per": "balance", "amount": None, "remaining": left}]

    lines = drawn(document({"c": chain("a")}, {"a": profile(provider_limits=said)}))

    assert [line.strip() for line in lines if "balance" in line] == told


def test_calls_at_once_that_were_learned_say_so() -> None:
    learned = limit("concurrency", None, used=0, of=4, reserved=1, source="refusals")

    lines = drawn(document({"c": chain("a")}, {"a": profile(limits=[learned])}))

    assert lines[3].endswith("1/4 · learned from refusals")


def test_money_is_shown_as_money() -> None:
    limits = [limit("cost", "month", used=1.5, of=20, remaining=18.5)]

    lines = drawn(document({"c": chain("a")}, {"a": profile(limits=limits)}))

    assert lines[3].endswith("$1.50/$20.00 · $18.50 left")


def test_no_configuration_draws_nothing() -> None:
    assert drawn(document({}, {})) == []

"""Estimates, what is learned from usage, and prices."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.tokens import (
    MOST_OUTPUT_TOKENS,
    Calibration,
    cost,
    counted,
    estimate,
    observe,
    presumed,
)
from spillover.core.values import (
    Demand,
    Operation,
    Price,
    Profile,
    Tier,
    Usage,
)

FRESH = Calibration()
PROFILE = Profile(name="p", provider="groq", account="a", model="m", tier=Tier.FREE)
PAID = Profile(
    name="p",
    provider="openai",
    account="a",
    model="m",
    tier=Tier.PAID,
    price=Price(input=250, output=2_000),
    microneurons_per_input_token=3,
    microneurons_per_output_token=7,
)


def with_(profile: Profile, **fields: object) -> Profile:
    return msgspec.structs.replace(profile, **fields)


def learned(*outputs: int, chars_per_token: float = 4.0) -> Calibration:
    calibration = Calibration(chars_per_token=chars_per_token)
    for tokens in outputs:
        observe(calibration, chars=0, wide_chars=0, images=0, usage=Usage(output_tokens=tokens))
    return calibration


def taught(usage: Usage, *, chars: int = 0, wide_chars: int = 0, images: int = 0) -> Calibration:
    calibration = Calibration()
    observe(calibration, chars=chars, wide_chars=wide_chars, images=images, usage=usage)
    return calibration


def test_text_is_first_estimated_at_four_characters_a_token() -> None:
    need = estimate(Demand(chars=401), PROFILE, FRESH)

    assert need.requests == 1
    assert need.input_tokens == 101
    assert need.output_tokens == 1_024
    assert need.cost_nanousd == 0


def test_a_wide_character_is_first_estimated_at_a_token() -> None:
    assert estimate(Demand(wide_chars=50), PROFILE, FRESH).input_tokens == 50


def test_an_image_counts_as_the_profile_says() -> None:
    profile = with_(PROFILE, image_tokens=500)

    assert estimate(Demand(chars=40, images=2), profile, FRESH).input_tokens == 1_010


def test_an_empty_request_is_expected_to_use_a_token() -> None:
    assert estimate(Demand(), PROFILE, FRESH).input_tokens == 1


def test_an_estimate_is_priced() -> None:
    need = estimate(Demand(chars=400, max_output_tokens=10), PAID, FRESH)

    assert need.cost_nanousd == 100 * 250 + 10 * 2_000
    assert need.microneurons == 100 * 3 + 10 * 7


@pytest.mark.parametrize(
    ("demand", "profile", "output"),
    [
        (Demand(max_output_tokens=100), PROFILE, 100),
        (Demand(max_output_tokens=100, choices=3), PROFILE, 300),
        (Demand(max_output_tokens=9_000), PROFILE, 1_024),
        (Demand(max_output_tokens=9_000), with_(PROFILE, reserves_max_tokens=True), 9_000),
        (Demand(), with_(PROFILE, reserves_max_tokens=True), 1_024),
        (
            Demand(),
            with_(PROFILE, reserves_max_tokens=True, max_output_tokens=65_536),
            1_024,
        ),
        (
            Demand(max_output_tokens=99_000),
            with_(PROFILE, reserves_max_tokens=True, max_output_tokens=65_536),
            65_536,
        ),
        (Demand(), with_(PROFILE, max_output_tokens=512), 512),
        (Demand(), with_(PROFILE, max_output_tokens=8_192), 1_024),
        (Demand(operation=Operation.EMBEDDINGS, max_output_tokens=100), PROFILE, 0),
        (Demand(choices=10**30), PROFILE, MOST_OUTPUT_TOKENS),
        (
            Demand(max_output_tokens=10**30),
            with_(PROFILE, reserves_max_tokens=True),
            MOST_OUTPUT_TOKENS,
        ),
    ],
)
def test_output_is_what_may_come_or_what_the_provider_itself_reserves(
    demand: Demand, profile: Profile, output: int
) -> None:
    assert estimate(demand, profile, FRESH).output_tokens == output


def test_nine_answers_are_too_few_to_know_an_output_by() -> None:
    assert learned(*[10] * 9).expected_output == 1_024
    assert learned(*[10] * 10).expected_output == 10


@given(st.lists(st.integers(1, 5_000), min_size=10, max_size=250))
def test_the_expected_output_covers_95_of_the_last_100_answers(outputs: list[int]) -> None:
    calibration = learned(*outputs)

    last = sorted(outputs[-100:])
    within = sum(tokens <= calibration.expected_output for tokens in last)
    assert calibration.outputs == outputs[-100:]
    assert calibration.ranked == last
    assert calibration.expected_output in last
    assert within >= 0.95 * len(last)
    below = [tokens for tokens in last if tokens < calibration.expected_output]
    assert len(below) < 0.95 * len(last)


def test_a_long_prompt_moves_the_learned_ratio_by_a_fifth() -> None:
    usage = Usage(input_tokens=1_000)

    after = taught(usage, chars=3_000)

    assert after.chars_per_token == pytest.approx(4.0 + (3.0 - 4.0) * 0.2)


def test_a_short_prompt_teaches_little() -> None:
    usage = Usage(input_tokens=10)

    after = taught(usage, chars=20)

    assert after.chars_per_token == pytest.approx(4.0 + (2.0 - 4.0) * 0.2 * 0.01)


def test_wide_characters_are_weighed_when_learning() -> None:
    usage = Usage(input_tokens=1_000)

    after = taught(usage, wide_chars=1_000)

    assert after.chars_per_token == pytest.approx(4.0)


def test_images_teach_nothing_of_characters() -> None:
    usage = Usage(input_tokens=5_000, output_tokens=7)

    after = taught(usage, chars=4_000, images=1)

    assert after.chars_per_token == 4.0
    assert after.outputs == [7]


def test_an_answer_without_output_teaches_nothing_of_answers() -> None:
    after = taught(Usage(input_tokens=3), chars=10)

    assert after.outputs == []


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=50
    )
)
def test_the_learned_ratio_stays_between_one_and_eight(calls: list[tuple[int, int, int]]) -> None:
    calibration = Calibration()

    for chars, wide_chars, tokens in calls:
        usage = Usage(input_tokens=tokens)
        observe(calibration, chars=chars, wide_chars=wide_chars, images=0, usage=usage)

    assert 1.0 <= calibration.chars_per_token <= 8.0


def test_estimates_follow_what_was_learned() -> None:
    assert estimate(Demand(chars=400), PROFILE, learned(chars_per_token=2.0)).input_tokens == 200


def test_a_calibration_survives_being_stored() -> None:
    calibration = learned(*range(1, 120))

    stored = msgspec.json.encode(calibration)

    assert msgspec.json.decode(stored, type=Calibration) == calibration


def test_a_call_that_reported_nothing_is_presumed_from_what_it_relayed() -> None:
    expected = estimate(Demand(chars=400), PAID, FRESH)

    used = presumed(expected, PAID, FRESH, chars=42, wide_chars=3)

    assert used.requests == 1
    assert used.input_tokens == expected.input_tokens
    assert used.output_tokens == 14
    assert used.cost_nanousd == 100 * 250 + 14 * 2_000


@pytest.mark.parametrize(
    ("cached_input", "cost_nanousd"),
    [(None, 100 * 250), (25, 40 * 250 + 60 * 25), (0, 40 * 250)],
)
def test_what_was_read_from_the_cache_costs_its_own_price_where_there_is_one(
    cached_input: int | None, cost_nanousd: int
) -> None:
    price = Price(input=250, output=2_000, cached_input=cached_input)
    usage = Usage(input_tokens=100, cached_tokens=60)

    assert cost(with_(PAID, price=price), usage) == cost_nanousd
    assert estimate(Demand(chars=400, max_output_tokens=1), with_(PAID, price=price), FRESH) == (
        estimate(Demand(chars=400, max_output_tokens=1), PAID, FRESH)
    )


def test_cost_is_zero_without_a_price() -> None:
    usage = Usage(input_tokens=10, output_tokens=5)

    assert cost(PROFILE, usage) == 0
    assert cost(PAID, usage) == 10 * 250 + 5 * 2_000


def test_cached_input_counts_where_the_provider_counts_it() -> None:
    usage = Usage(input_tokens=100, output_tokens=5, cached_tokens=80)

    assert counted(PROFILE, usage).input_tokens == 100
    assert counted(with_(PROFILE, counts_cached_input=False), usage).input_tokens == 20


def test_more_cached_than_read_counts_as_nothing() -> None:
    usage = Usage(input_tokens=10, cached_tokens=80)

    assert counted(with_(PROFILE, counts_cached_input=False), usage).input_tokens == 0


def test_a_counted_call_is_one_request_and_priced_by_all_its_tokens() -> None:
    usage = Usage(input_tokens=100, output_tokens=5, cached_tokens=80)

    used = counted(with_(PAID, counts_cached_input=False), usage)

    assert used.requests == 1
    assert used.cost_nanousd == 100 * 250 + 5 * 2_000
    assert used.microneurons == 100 * 3 + 5 * 7
    assert used.cached_tokens == 80


def test_a_price_that_the_provider_states_beats_the_list() -> None:
    usage = Usage(input_tokens=100, output_tokens=5, cost_nanousd=123)

    assert counted(PAID, usage).cost_nanousd == 123

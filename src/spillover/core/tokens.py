"""Estimate what a call will use, learn from what it really used, and price both.

Rules of this file:
- A wide character (CJK, kana, hangul) weighs as much as four others: about a token each at the start.
- What is learned is clamped, and a short prompt teaches little: its template outweighs its text.
- Providers report usage in tokens; what counts against limits may differ, and `counted` knows how.

Refuses to know text, requests, limits and the clock.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from math import ceil
from typing import Final

import msgspec

from spillover.core.values import Demand, Operation, Profile, Usage

FIRST_CHARS_PER_TOKEN: Final = 4.0
FEWEST_CHARS_PER_TOKEN: Final = 1.0
MOST_CHARS_PER_TOKEN: Final = 8.0
WIDE_WEIGHT: Final = 4
"""How many ordinary characters one wide character weighs."""
LEARNING_RATE: Final = 0.2
"""Share of a long prompt's own ratio in the learned one."""
TELLING_CHARS: Final = 2_000
"""A prompt of this weight teaches at the full rate, a shorter one in proportion."""

OUTPUTS_KEPT: Final = 100
OUTPUTS_NEEDED: Final = 10
FIRST_OUTPUT_TOKENS: Final = 1_024
"""Expected of an answer until `OUTPUTS_NEEDED` are known."""
MOST_OUTPUT_TOKENS: Final = 10**9
"""Expected of a call at most: clients may state any number, and sums of it must stay numbers."""


class Calibration(msgspec.Struct, kw_only=True, array_like=True):
    """What a profile's reported usage has taught about its tokens.

    It learns in place: a hundred numbers are not copied for the sake of one.
    """

    chars_per_token: float = FIRST_CHARS_PER_TOKEN
    outputs: list[int] = msgspec.field(default_factory=list)
    """Output tokens of the last answers, oldest first."""
    ranked: list[int] = msgspec.field(default_factory=list)
    """The same, smallest first."""

    @property
    def expected_output(self) -> int:
        """The tokens that 95 of 100 answers stay within."""
        known = len(self.ranked)
        if known < OUTPUTS_NEEDED:
            return FIRST_OUTPUT_TOKENS
        return self.ranked[(known * 95 + 99) // 100 - 1]


def observe(
    calibration: Calibration, *, chars: int, wide_chars: int, images: int, usage: Usage
) -> None:
    """Learn from one more answer; `usage` is what the provider reported.

    Characters are those of the `Demand`. A call with images teaches nothing about characters, one
    without output (embeddings) nothing about answers.
    """
    input_tokens, output_tokens = usage.input_tokens, usage.output_tokens
    if not images and input_tokens > 0:
        weight, ratio = chars + WIDE_WEIGHT * wide_chars, calibration.chars_per_token
        seen = min(MOST_CHARS_PER_TOKEN, max(FEWEST_CHARS_PER_TOKEN, weight / input_tokens))
        told = weight / TELLING_CHARS if weight < TELLING_CHARS else 1.0
        calibration.chars_per_token = ratio + (seen - ratio) * LEARNING_RATE * told
    if output_tokens > 0:
        outputs, ranked = calibration.outputs, calibration.ranked
        if len(outputs) >= OUTPUTS_KEPT:
            del ranked[bisect_left(ranked, outputs.pop(0))]
        outputs.append(output_tokens)
        insort(ranked, output_tokens)


def estimate(demand: Demand, profile: Profile, calibration: Calibration) -> Usage:
    """Return what a call is expected to use of `profile`, priced; what a reservation holds."""
    weight = demand.chars + WIDE_WEIGHT * demand.wide_chars
    text = ceil(weight / calibration.chars_per_token)
    tokens = Usage(
        input_tokens=max(1, text + demand.images * profile.image_tokens),
        output_tokens=_expected_output(demand, profile, calibration),
    )
    return counted(profile, tokens)


def _expected_output(demand: Demand, profile: Profile, calibration: Calibration) -> int:
    if demand.operation is Operation.EMBEDDINGS:
        return 0
    stated, ceiling = demand.max_output_tokens, profile.max_output_tokens
    if stated is not None and profile.reserves_max_tokens:
        expected = stated
    else:
        # Unstated, not even they reserve what the model could write at most: it is no estimate.
        expected = calibration.expected_output
        if stated is not None:
            expected = min(expected, stated)
    if ceiling is not None:
        expected = min(expected, ceiling)
    return min(demand.choices * expected, MOST_OUTPUT_TOKENS)


def presumed(
    expected: Usage, profile: Profile, calibration: Calibration, *, chars: int, wide_chars: int
) -> Usage:
    """Return what a call used that reported nothing, from the characters it relayed.

    `expected` is the call's estimate: its input stands, its output is replaced.
    """
    weight = chars + WIDE_WEIGHT * wide_chars
    tokens = Usage(
        input_tokens=expected.input_tokens,
        output_tokens=ceil(weight / calibration.chars_per_token),
    )
    return counted(profile, tokens)


def cost(profile: Profile, usage: Usage) -> int:
    """Return the price of `usage` in nano-dollars by the profile's prices; 0 where it has none."""
    price = profile.price
    if price is None:
        return 0
    full = price.input * usage.input_tokens + price.output * usage.output_tokens
    if price.cached_input is None:
        return full
    cached = min(usage.cached_tokens, usage.input_tokens)
    return full - (price.input - price.cached_input) * cached


def counted(profile: Profile, usage: Usage) -> Usage:
    """Return what `usage`, reported or estimated, counts against limits.

    One request; input without the cached part where the provider does not count it; the provider's
    own cost where it states one, else the price of all tokens; neurons by the profile's rates.
    """
    cached = 0 if profile.counts_cached_input else min(usage.cached_tokens, usage.input_tokens)
    return Usage(
        requests=1,
        input_tokens=usage.input_tokens - cached,
        output_tokens=usage.output_tokens,
        cost_nanousd=usage.cost_nanousd or cost(profile, usage),
        microneurons=(
            profile.microneurons_per_input_token * usage.input_tokens
            + profile.microneurons_per_output_token * usage.output_tokens
        ),
        cached_tokens=usage.cached_tokens,
    )

"""Learn how fast a profile answers, and order profiles by how soon an answer is to be expected.

Rules of this file:
- The latest calls weigh most (an exponentially weighted mean), so a provider that slows down is left.
- Who was never measured is tried first; who is slow is tried again now and then, or it would be
  judged by one bad day for ever.
- A failure costs time too: who answers every second call takes twice as long.

Refuses to know who may serve, the clock and where chance comes from.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, TypeVar

from spillover.core.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEARNING_RATE: Final = 0.3
"""Share of the latest call in what is learned."""
TELLING_TOKENS: Final = 32
"""An answer of this length tells the rate in full, a shorter one in proportion."""
LEAST_SUCCESS: Final = 0.05
"""Who fails always takes twenty times as long, not for ever: it can come back."""
EXPLORED: Final = 0.05
"""Share of the requests that try another than the fastest first."""

_T = TypeVar("_T")


class Pace(Value, frozen=True, kw_only=True, array_like=True):
    """How fast a profile answered lately, and how often it did."""

    ttft_ms: float | None = None
    """To the first content of a stream; None: no stream was measured."""
    ms_per_token: float | None = None
    """From there on, for each token; None: no answer with tokens was measured."""
    success: float = 1.0
    """Share of the calls that were answered, failures by quota or by the request itself aside."""

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens in a second, once an answer has begun."""
        return 1_000 / self.ms_per_token if self.ms_per_token else None

    def expected_ms(self, output_tokens: int) -> float | None:
        """Return how long an answer of that length is to take; None: nothing was measured."""
        if self.ttft_ms is None and self.ms_per_token is None:
            return None
        alone = (self.ttft_ms or 0.0) + (self.ms_per_token or 0.0) * output_tokens
        return alone / max(self.success, LEAST_SUCCESS)


UNKNOWN: Final = Pace()


def answered(pace: Pace, *, took_ms: float, ttft_ms: float | None, output_tokens: int) -> Pace:
    """Return `pace` with one more whole answer learned; `took_ms` is from the send to its end.

    Unstreamed, only the whole is known: what the known first content leaves of it is the tokens'. An
    answer without tokens (embeddings) is all first content.
    """
    first, rate = pace.ttft_ms, pace.ms_per_token
    if ttft_ms is None and not output_tokens:
        ttft_ms = took_ms
    begun_ms = ttft_ms if ttft_ms is not None else first or 0.0
    if ttft_ms is not None:
        first = ttft_ms if first is None else first + (ttft_ms - first) * LEARNING_RATE
    if output_tokens:
        seen = (took_ms - begun_ms) / output_tokens if took_ms > begun_ms else 0.0
        telling = output_tokens / TELLING_TOKENS if output_tokens < TELLING_TOKENS else 1.0
        rate = seen if rate is None else rate + (seen - rate) * LEARNING_RATE * telling
    success = pace.success + (1.0 - pace.success) * LEARNING_RATE
    return Pace(ttft_ms=first, ms_per_token=rate, success=success)


def failed(pace: Pace) -> Pace:
    """Return `pace` with one more call learned that the profile failed."""
    success = pace.success * (1.0 - LEARNING_RATE)
    return Pace(ttft_ms=pace.ttft_ms, ms_per_token=pace.ms_per_token, success=success)


def fastest_first(
    able: Sequence[_T], expected: Callable[[_T], tuple[Pace, int]], draw: float | None
) -> list[_T]:
    """Return those who may serve, the soonest done first; ties keep their order.

    `expected` tells of each its pace and the tokens of the answer. `draw` is chance in [0, 1): its
    upper end puts one of the others first, each as likely; None: nobody is explored.
    """
    ranked = sorted(able, key=lambda each: _until_done(*expected(each)))
    others = len(ranked) - 1
    if draw is not None and others > 0 and draw >= 1.0 - EXPLORED:
        share = (draw - (1.0 - EXPLORED)) / EXPLORED
        ranked.insert(0, ranked.pop(1 + min(int(share * others), others - 1)))
    return ranked


def _until_done(pace: Pace, output_tokens: int) -> float:
    """Return the place in the order: the unmeasured first, but for those who only ever failed."""
    expected = pace.expected_ms(output_tokens)
    if expected is not None:
        return expected
    return 0.0 if pace.success >= 1.0 else inf

"""Judge a day by what reached the provider: how often it was asked in vain, how late it was back.

Refuses to know why anything was sent: it sees what a provider's own log shows, and the truth.
"""

from __future__ import annotations

from collections import deque
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.simulator.days.day import DAY_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spillover.simulator.days.day import Day
    from spillover.simulator.days.line import Sent

HOUR_S: Final = 3_600.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a day came to."""

    requests: int
    """That clients sent."""
    unserved: int
    """Of them, those that got no answer from any provider."""
    doomed: int
    """Sends to the provider while it could serve nobody."""
    down_h: float
    """Hours in which it could not."""
    at_once: int
    """The most doomed sends in flight together, after the first refusal of a span was known."""
    recoveries_s: tuple[float, ...]
    """From the true end of each span to the first request that it served."""
    lasting: int
    """Spans whose end the traffic never noticed."""

    @property
    def doomed_per_hour(self) -> float:
        """Doomed sends for each hour in which the provider could serve nobody."""
        return self.doomed / self.down_h if self.down_h else 0.0

    @property
    def worst_recovery_s(self) -> float | None:
        """The longest that a provider was left alone although it could serve; None: none ended."""
        return max(self.recoveries_s, default=None)


def judge(day: Day, sent: Sequence[Sent], *, began_at: float, answers: Sequence[int]) -> Figures:
    """Return the figures of a day; `answers` are the statuses that clients got."""
    spans = list(_spans(day, sent, began_at))
    doomed = [[s for s in sent if start <= s.at < end] for start, end in spans]
    doomed = [[s for s in some if not s.served] for some in doomed]
    good = [s.at for s in sent if s.served]
    over = [end for _, end in spans if end < began_at + DAY_S]
    back = [next((at for at in good if at >= end), None) for end in over]
    return Figures(
        requests=len(answers),
        unserved=sum(status != HTTPStatus.OK for status in answers),
        doomed=sum(len(some) for some in doomed),
        down_h=sum(end - start for start, end in spans) / HOUR_S,
        at_once=max((_most_at_once(some) for some in doomed), default=0),
        recoveries_s=tuple(
            round(at - end, 3) for at, end in zip(back, over, strict=True) if at is not None
        ),
        lasting=sum(at is None for at in back),
    )


def _spans(day: Day, sent: Sequence[Sent], began_at: float) -> Iterable[tuple[float, float]]:
    """Yield (from, until) of each span in which the provider could serve nobody, in epoch seconds."""
    for outage in day.outages:
        yield began_at + outage.from_s, began_at + min(outage.until_s, DAY_S)
    if not day.resets_s:
        return
    # A quota is spent from the first refusal on until it is whole again.
    edges = [began_at, *(began_at + at for at in day.resets_s), began_at + DAY_S]
    for start, end in pairwise(edges):
        refused = next((s.at for s in sent if start <= s.at < end and not s.served), None)
        if refused is not None:
            yield refused, end


def _most_at_once(doomed: Sequence[Sent]) -> int:
    """Return the most sends in flight together, of those sent when one refusal was known."""
    most = 0
    under_way: deque[Sent] = deque()
    for sent in doomed:
        if sent.at <= doomed[0].ended_at:
            continue
        while under_way and under_way[0].ended_at < sent.at:
            under_way.popleft()  # all take equally long: they end in the order of their sends
        under_way.append(sent)
        most = max(most, len(under_way))
    return most

"""Read the quotas that Google's refusals name: `google.rpc.QuotaFailure` and its violations.

Rules of this file:
- `quotaMetric` says what is counted, `quotaId` over which window, `quotaValue` how much of it there
  is. A violation without a value is of a quota of nothing: no limit is stated by it.
- A violated quota of requests has none left; of tokens some may be, just too few for that request.

Sources: recorded answers of `generativelanguage.googleapis.com` (googleapis/python-genai issue 2044,
RooCodeInc/Roo-Code issue 3883), googleapis/googleapis error_details.proto.
Refuses to know bodies, headers and what follows from a refusal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from spillover.core.stated import Stated
from spillover.core.values import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 16
"""Violations that are looked at."""
_MOST_DIGITS: Final = 15
_METRICS: Final = (
    ("input_token_count", Metric.INPUT_TOKENS),
    ("token_count", Metric.TOKENS),
    ("requests", Metric.REQUESTS),
)
"""How the name of a metric ends; the longer ending first."""
_WINDOW: Final = re.compile(r"Per(Minute|Hour|Day)(?![a-z])")


def read_violations(violations: list[Any]) -> tuple[Stated, ...]:
    """Return the limits that the violations of a refusal state; of two on one the lower."""
    found: dict[str, Stated] = {}
    for stated in _each(violations[:MOST]):
        other = found.get(stated.name)
        if other is None or (stated.limit or 0) < (other.limit or 0):
            found[stated.name] = stated
    return tuple(found.values())


def _each(violations: list[Any]) -> Iterator[Stated]:
    for each in violations:
        if not isinstance(each, dict):
            continue
        name, quota, value = (
            str(each.get(field, "")) for field in ("quotaMetric", "quotaId", "quotaValue")
        )
        metric = next((metric for ending, metric in _METRICS if name.endswith(ending)), None)
        window = _WINDOW.search(quota)
        if metric is None or window is None:
            continue
        if value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS and int(value):
            yield Stated(
                metric=metric,
                per=window[1].lower(),
                limit=int(value),
                remaining=0 if metric is Metric.REQUESTS else None,
            )

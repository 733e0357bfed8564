"""Read what the headers of any answer say of the provider's limits: how much, how much is left.

Rules of this file:
- Which header means what is a table by provider: the same name is a day at one and a minute at
  another. Sources of the rows are the catalogue's.
- A reset header is an instant at which there is room only where nothing is left. Otherwise it may
  tell when a bucket is full again, which is kept as just that.
- Anything may stand in a header: what can't be read is not said, and no instant lies farther off
  than a window's length.

Refuses to know what was counted here, and what follows from a difference.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from spillover.core.stated import Stated, span_label, span_s
from spillover.core.values import Metric
from spillover.protocols.spans import EPOCH_S, instant_of, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REQUESTS, _TOKENS = Metric.REQUESTS, Metric.TOKENS


class _Row(NamedTuple):
    """Three headers that tell of one limit."""

    metric: Metric
    per: str
    """Empty: the reset's distance tells."""
    limit: str
    remaining: str
    reset: str = ""


def _plain(metric: Metric, per: str, ending: str) -> _Row:
    names = (f"x-ratelimit-{what}{ending}" for what in ("limit", "remaining", "reset"))
    return _Row(metric, per, *names)


def _anthropic(metric: Metric) -> _Row:
    word = metric.value.replace("_", "-")
    names = (f"anthropic-ratelimit-{word}-{what}" for what in ("limit", "remaining", "reset"))
    return _Row(metric, "minute", *names)


_BUCKETS: Final = (
    _plain(_REQUESTS, "minute", "-requests"),
    _plain(_TOKENS, "minute", "-tokens"),
)
_BY_NAME: Final = tuple(
    _plain(metric, per, f"-{metric.value}-{per}")
    for metric in (_REQUESTS, _TOKENS)
    for per in ("minute", "hour", "day")
)
_TRIO: Final = (_plain(_REQUESTS, "", ""),)

_ROWS: Final[Mapping[str, tuple[_Row, ...]]] = {
    "groq": (_plain(_REQUESTS, "day", "-requests"), _plain(_TOKENS, "minute", "-tokens")),
    "openai": _BUCKETS,
    "azure": _BUCKETS,
    "github-models": _BUCKETS,
    "cerebras": _BY_NAME,
    "openrouter": _TRIO,
    "mistral": (
        _plain(_REQUESTS, "minute", "-req-minute"),
        _plain(_TOKENS, "minute", "-tokens-minute"),
        _Row(
            _TOKENS,
            "minute",
            "ratelimitbysize-limit",
            "ratelimitbysize-remaining",
            "ratelimitbysize-reset",
        ),
        _Row(
            _TOKENS,
            "minute",
            "x-ratelimitbysize-limit-minute",
            "x-ratelimitbysize-remaining-minute",
            "ratelimitbysize-reset",
        ),
        _Row(
            _TOKENS,
            "month",
            "x-ratelimitbysize-limit-month",
            "x-ratelimitbysize-remaining-month",
        ),
    ),
    "anthropic": tuple(
        _anthropic(each) for each in (_REQUESTS, _TOKENS, Metric.INPUT_TOKENS, Metric.OUTPUT_TOKENS)
    ),
    "cohere": (
        _Row(_REQUESTS, "minute", "x-trial-endpoint-call-limit", "x-trial-endpoint-call-remaining"),
        _Row(
            _REQUESTS, "month", "x-endpoint-monthly-call-limit", "x-endpoint-monthly-call-remaining"
        ),
    ),
    "sambanova": (
        _plain(_REQUESTS, "minute", "-requests"),
        _plain(_REQUESTS, "day", "-requests-day"),
    ),
    "digitalocean": (
        _plain(_REQUESTS, "minute", "-requests"),
        _plain(_TOKENS, "day", "-tokens-per-day"),
        _plain(_TOKENS, "minute", "-tokens-per-minute"),
    ),
    "modelscope": tuple(
        _Row(
            _REQUESTS,
            "day",
            f"modelscope-ratelimit-{of}-limit",
            f"modelscope-ratelimit-{of}-remaining",
        )
        for of in ("requests", "model-requests")
    ),
    "huggingface": (),
}
_ANY: Final = (*_BUCKETS, *_BY_NAME, *_TRIO)
"""For providers that the table does not have: names that are met at many."""


def glance(provider: str, headers: Mapping[str, str]) -> tuple[int | None, ...] | None:
    """Return what is left by each row of the provider's table, None where no header tells anything.

    A tenth of what `read_quota` costs, for answers that most likely say nothing new.
    """
    if not _tells(provider, tuple(headers)):
        return None
    left = tuple([_count(headers.get(row.remaining)) for row in _ROWS.get(provider, _ANY)])
    if left.count(None) == len(left) and _SPECIAL.keys().isdisjoint(headers):
        return None
    return left


@lru_cache(maxsize=64)
def _tells(provider: str, names: tuple[str, ...]) -> bool:
    """Return whether headers of these names may say what is left; answers hardly differ in them."""
    rows = {row.remaining for row in _ROWS.get(provider, _ANY)}
    return not (rows | _SPECIAL.keys()).isdisjoint(map(str.lower, names))


def read_quota(provider: str, headers: Mapping[str, str], now: float) -> tuple[Stated, ...]:
    """Return what an answer's headers say of limits, one statement for each metric and window.

    `headers` are looked up by lower-case names; spans count from `now`, epoch seconds. Of two
    statements on one limit the lower counts. Never raises.
    """
    found: list[Stated] = []
    for row in _ROWS.get(provider, _ANY):
        limit, remaining = headers.get(row.limit), headers.get(row.remaining)
        if limit is not None or remaining is not None:
            stated = _of_row(row, _count(limit), _count(remaining), headers, now)
            if stated is not None:
                found.append(stated)
    for name, read in _SPECIAL.items():
        if name in headers:
            found += read(headers, now)
    return tuple(found) if len(found) < 2 else _lowest(found)  # noqa: PLR2004 - two may collide


def _lowest(found: list[Stated]) -> tuple[Stated, ...]:
    kept: dict[tuple[Metric, str], Stated] = {}
    for each in found:
        key = (each.metric, each.per)
        other = kept.get(key)
        if other is None or _left(each) < _left(other):
            kept[key] = each
    return tuple(kept.values())


def _left(stated: Stated) -> float:
    return float("inf") if stated.remaining is None else stated.remaining


_MOST_DIGITS: Final = 15


def _count(text: str | None) -> int | None:
    """Return a whole number, None for anything else."""
    if text is None:
        return None
    text = text.strip()
    return int(text) if len(text) <= _MOST_DIGITS and text.isdecimal() else None


def _of_row(
    row: _Row,
    limit: int | None,
    remaining: int | None,
    headers: Mapping[str, str],
    now: float,
) -> Stated | None:
    if limit is None and remaining is None:
        return None
    full_at = None
    reset = headers.get(row.reset) if row.reset else None
    if reset is not None:
        full_at = _at(reset, now)
    per = row.per or _per_of(full_at, now)
    if per == "minute" and row.reset.endswith("-requests"):
        per = _renewal(headers) or _per_by_bucket(full_at, now)
    if not per:
        return None
    said = Stated(metric=row.metric, per=per, limit=limit, remaining=remaining, full_at=full_at)
    return _bounded(said, now)


def _bounded(said: Stated, now: float) -> Stated:
    """Hold a statement's instant within its window; with nothing left it is when there is room."""
    if said.full_at is None:
        return said
    at = min(max(said.full_at, now), now + span_s(said.per))
    return replace(said, full_at=at, resets_at=at if said.remaining == 0 else None)


def _at(text: str, now: float) -> float | None:
    """Return the instant in a reset header: an epoch, RFC 3339, or a span from now."""
    span = span_of(text)
    if span is None or span >= EPOCH_S:
        return instant_of(text)
    return now + span


_SLACK_S: Final = 1.5
"""Clocks differ, and answers take a moment."""


def _per_of(full_at: float | None, now: float) -> str:
    """Return the shortest window that a reset fits in; empty where none is stated."""
    if full_at is None:
        return ""
    return next(
        (per for per in ("minute", "hour") if full_at - now <= span_s(per) + _SLACK_S), "day"
    )


def _per_by_bucket(full_at: float | None, now: float) -> str:
    """Return the window of `-requests` headers: a bucket that needs longer to fill is the day's."""
    return "minute" if _per_of(full_at, now) in {"", "minute"} else "day"


def _renewal(headers: Mapping[str, str]) -> str | None:
    """Return the window that Azure and its kin say in seconds."""
    seconds = _count(headers.get("x-ratelimit-renewalperiod-requests"))
    return span_label(seconds) if seconds else None


# What has a form of its own.


def _github(headers: Mapping[str, str], now: float) -> Iterator[Stated]:
    """Read which of GitHub's limits a refusal met, and how long it lasts."""
    kind = headers["x-ratelimit-type"]
    left = headers.get("x-ratelimit-timeremaining")
    at = None if left is None else _at(left, now)
    per = next((each for each in ("minute", "day") if kind.lower().endswith(f"by{each}")), None)
    if per is not None and at is not None:
        yield _bounded(Stated(metric=_REQUESTS, per=per, remaining=0, full_at=at), now)


def _unified(headers: Mapping[str, str], now: float) -> Iterator[Stated]:
    """Read a subscription's window at Anthropic: only a rejection says that nothing is left."""
    at = _at(headers["anthropic-ratelimit-unified-reset"], now)
    if at is not None and headers.get("anthropic-ratelimit-unified-status") == "rejected":
        per = "5h" if at - now <= span_s("5h") + _SLACK_S else "week"
        yield _bounded(Stated(metric=_REQUESTS, per=per, remaining=0, full_at=at), now)


_NAME: Final = re.compile(r'"([^"]{0,100})"')
_PARAMETER: Final = re.compile(r";\s{0,8}([a-z]{1,9})=(\d{1,15})(?![\d.])")
_MOST_CHARS: Final = 1_000
_LONGEST_S: Final = 31 * 86_400


def _structured(headers: Mapping[str, str], now: float) -> Iterator[Stated]:
    """Read `RateLimit` and `RateLimit-Policy`, lists of RFC 9651 (draft-ietf-httpapi-ratelimit).

    A limit is named in both; where the names differ and there is but one policy, it is that one's.
    """
    policies = list(_members(headers.get("ratelimit-policy", "")))
    for names, said in _members(headers["ratelimit"]):
        policy = next((p for named, p in policies if named & names), None)
        if policy is None:
            policy = policies[0][1] if len(policies) == 1 else {}
        seconds, left = policy.get("w", 0), said.get("r")
        if left is None or not 0 < seconds <= _LONGEST_S:
            continue
        full_at = now + said["t"] if "t" in said else None
        stated = Stated(
            metric=_REQUESTS,
            per=span_label(seconds),
            limit=policy.get("q"),
            remaining=left,
            full_at=full_at,
        )
        yield _bounded(stated, now)


def _members(text: str) -> Iterator[tuple[set[str], dict[str, int]]]:
    for member in text[:_MOST_CHARS].split(","):
        parameters = {name: int(value) for name, value in _PARAMETER.findall(member)}
        if parameters:
            yield set(_NAME.findall(member)), parameters


_SPECIAL: Final = {
    "ratelimit": _structured,
    "x-ratelimit-type": _github,
    "anthropic-ratelimit-unified-reset": _unified,
}

# What refusals say in words.

_WORDS: Final = re.compile(
    r"on (?P<metric>tokens|requests) per (?P<per>min(?:ute)?|hour|day) \([A-Z]{3}\): "
    r"Limit (?P<limit>\d{1,15})(?:, Used (?P<used>\d{1,15}))?"
)
"""Groq's and OpenAI's: `on tokens per day (TPD): Limit 200000, Used 199500, Requested 1200`."""


def read_refusal(message: str) -> tuple[Stated, ...]:
    """Return what the words of a refusal say of the limit that it met."""
    said = _WORDS.search(message)
    if said is None:
        return ()
    limit = int(said["limit"])
    return (
        Stated(
            metric=Metric(said["metric"]),
            per="minute" if said["per"].startswith("min") else said["per"],
            limit=limit,
            remaining=None if said["used"] is None else max(0, limit - int(said["used"])),
        ),
    )

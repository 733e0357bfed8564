"""Reading what headers say of limits: every header that the catalogue knows, and any bytes at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.catalogue import load
from spillover.core.stated import Stated
from spillover.core.values import Metric
from spillover.protocols.quota_headers import glance, read_quota, read_refusal

if TYPE_CHECKING:
    from spillover.catalogue.entries import HeaderFact

NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z
ROWS = [(entry.id, row) for entry in load().providers.values() for row in entry.headers]
TELLING = {"limit", "remaining", "reset", "state", "policy", "window", "kind"}
"""Kinds of headers that say what is left; the others say how long to wait, or nothing."""

VALUES = {
    "int": "0",
    "go_duration": "30s",
    "float_seconds": "30.0",
    "seconds": "30",
    "unknown": "30",
    "epoch_s": str(round(NOON) + 30),
    "epoch_ms": str((round(NOON) + 30) * 1_000),
    "rfc3339": "2026-11-20T12:00:30Z",
}
"""Nothing left, and half a minute to the reset, in every format."""


def stated(
    per: str, metric: Metric = Metric.REQUESTS, *, full_in: float | None = None, **fields: Any
) -> Stated:
    """A statement of noon; with nothing left the reset is when there is room."""
    at = None if full_in is None else NOON + full_in
    resets_at = at if fields.get("remaining") == 0 else None
    return Stated(metric=metric, per=per, full_at=at, resets_at=resets_at, **fields)


OWN: dict[tuple[str, str], tuple[dict[str, str], Stated]] = {
    # Which of the two windows it is only the reset tells.
    **dict.fromkeys(
        [
            ("openrouter", "x-ratelimit-limit"),
            ("openrouter", "x-ratelimit-remaining"),
            ("openrouter", "x-ratelimit-reset"),
        ],
        (
            {
                "x-ratelimit-limit": "50",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": str(round(NOON + 43_200) * 1_000),
            },
            stated("day", limit=50, remaining=0, full_in=43_200.0),
        ),
    ),
    ("mistral", "ratelimitbysize-reset"): (
        {
            "ratelimitbysize-limit": "500000",
            "ratelimitbysize-remaining": "467999",
            "ratelimitbysize-reset": "38",
        },
        stated("minute", Metric.TOKENS, limit=500_000, remaining=467_999, full_in=38.0),
    ),
    **dict.fromkeys(
        [("huggingface", "RateLimit"), ("huggingface", "RateLimit-Policy")],
        (
            {
                "ratelimit": '"api";r=999;t=295',
                "ratelimit-policy": '"fixed window";"api";q=1000;w=300',
            },
            stated("5m", limit=1_000, remaining=999, full_in=295.0),
        ),
    ),
    ("github-models", "x-ratelimit-renewalperiod-requests"): (
        {"x-ratelimit-limit-requests": "20000", "x-ratelimit-renewalperiod-requests": "86400"},
        stated("day", limit=20_000),
    ),
    ("azure", "x-ratelimit-renewalperiod-requests"): (
        {"x-ratelimit-remaining-requests": "9", "x-ratelimit-renewalperiod-requests": "10"},
        stated("10s", remaining=9),
    ),
    **dict.fromkeys(
        [("github-models", "x-ratelimit-type"), ("github-models", "x-ratelimit-timeremaining")],
        (
            {"x-ratelimit-type": "UserByModelByDay", "x-ratelimit-timeremaining": "5631"},
            stated("day", remaining=0, full_in=5_631.0),
        ),
    ),
    ("anthropic", "anthropic-ratelimit-unified-reset"): (
        {
            "anthropic-ratelimit-unified-reset": str(round(NOON) + 7_200),
            "anthropic-ratelimit-unified-status": "rejected",
        },
        stated("5h", remaining=0, full_in=7_200.0),
    ),
}


def case(provider: str, row: HeaderFact) -> tuple[dict[str, str], Stated]:
    """The headers that a provider sends with this one, and what they say."""
    if (provider, row.name) in OWN:
        return OWN[provider, row.name]
    alike = [
        each
        for name, each in ROWS
        if name == provider
        and (each.metric, each.window) == (row.metric, row.window)
        and each.kind in {"limit", "remaining", "reset"}
        and (name, each.name) not in OWN
    ]
    kinds = {each.kind for each in alike}
    metric, per = Metric(str(row.metric).replace("-", "_")), row.window or ""
    return (
        {each.name: "1000" if each.kind == "limit" else VALUES[each.format] for each in alike},
        stated(
            per,
            metric,
            limit=1_000 if "limit" in kinds else None,
            remaining=0 if "remaining" in kinds else None,
            full_in=30.0 if "reset" in kinds else None,
        ),
    )


@pytest.mark.parametrize(
    ("provider", "row"),
    [(name, row) for name, row in ROWS if row.kind in TELLING],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_header_of_the_catalogue_that_tells_of_limits_is_read(
    provider: str, row: HeaderFact
) -> None:
    headers, expected = case(provider, row)

    assert row.name.lower() in headers
    assert read_quota(provider, headers, NOON) == (expected,)


@pytest.mark.parametrize(
    ("provider", "row"),
    [(name, row) for name, row in ROWS if row.kind not in TELLING],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_every_other_header_of_the_catalogue_says_nothing_of_limits(
    provider: str, row: HeaderFact
) -> None:
    assert read_quota(provider, {row.name.lower(): row.example or "1"}, NOON) == ()


def test_reset_is_when_there_is_room_only_where_nothing_is_left() -> None:
    headers = {"x-ratelimit-remaining-requests": "14369", "x-ratelimit-reset-requests": "2m59.56s"}

    (found,) = read_quota("groq", headers, NOON)

    assert (found.resets_at, found.full_at) == (None, NOON + 179.56)


GROQ = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-remaining-requests": "14369",
    "x-ratelimit-reset-requests": "3m6s",
    "x-ratelimit-limit-tokens": "6000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "60s",
}


def test_requests_are_the_days_at_groq_and_the_minutes_elsewhere() -> None:
    quick = GROQ | {"x-ratelimit-reset-requests": "12ms"}

    groq, openai = (read_quota(name, quick, NOON)[0] for name in ("groq", "openai"))

    assert (groq.per, openai.per) == ("day", "minute")


def test_bucket_that_takes_longer_than_a_minute_to_fill_is_the_days() -> None:
    assert [each.per for each in read_quota("openai", GROQ, NOON)] == ["day", "minute"]


@pytest.mark.parametrize(
    ("reset", "per"),
    [("59", "minute"), ("1800", "hour"), ("70000", "day"), (str(NOON + 10), "minute")],
)
def test_window_of_a_bare_trio_is_told_by_its_reset(reset: str, per: str) -> None:
    headers = {
        "x-ratelimit-limit": "9",
        "x-ratelimit-remaining": "3",
        "x-ratelimit-reset": reset,
    }

    assert [each.per for each in read_quota("custom", headers, NOON)] == [per]


@pytest.mark.parametrize("reset", [{}, {"x-ratelimit-reset": "soon"}])
def test_bare_trio_without_a_reset_says_nothing(reset: dict[str, str]) -> None:
    assert read_quota("custom", {"x-ratelimit-remaining": "3"} | reset, NOON) == ()


@pytest.mark.parametrize("count", ["-1", "", "many", "²", "9" * 16, "1_0", "1.5", "nan"])
def test_what_is_no_count_is_not_said(count: str) -> None:
    assert read_quota("groq", {"x-ratelimit-remaining-requests": count}, NOON) == ()


@pytest.mark.parametrize(
    ("reset", "full_in"),
    [("99999999", 60.0), (str(round(NOON) - 500), 0.0), ("2026-11-20T13:00:00Z", 60.0)],
)
def test_absurd_and_past_resets_are_held_within_the_window(reset: str, full_in: float) -> None:
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset}

    (found,) = read_quota("groq", headers, NOON)

    assert found.resets_at == NOON + full_in


@pytest.mark.parametrize("first", ["requests", "model-requests"])
def test_of_two_statements_on_one_limit_the_lower_counts(first: str) -> None:
    headers = {
        "modelscope-ratelimit-requests-limit": "2000",
        "modelscope-ratelimit-requests-remaining": "7",
        "modelscope-ratelimit-model-requests-limit": "200",
        "modelscope-ratelimit-model-requests-remaining": "9",
        f"modelscope-ratelimit-{first}-remaining": "2",
    }

    (found,) = read_quota("modelscope", headers, NOON)

    assert found.remaining == 2


def test_limit_without_a_rest_yields_to_one_with_it() -> None:
    headers = {
        "modelscope-ratelimit-requests-limit": "2000",
        "modelscope-ratelimit-model-requests-remaining": "9",
    }

    (found,) = read_quota("modelscope", headers, NOON)

    assert found.remaining == 9


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {"ratelimit": '"a";r=1;t=5', "ratelimit-policy": '"b";q=2;w=1, "a";q=3;w=86400'},
            [stated("day", limit=3, remaining=1, full_in=5.0)],
        ),
        (
            {"ratelimit": "default;r=0", "ratelimit-policy": "other;q=5;w=3600"},
            [stated("hour", limit=5, remaining=0)],
        ),
        ({"ratelimit": '"a";r=1', "ratelimit-policy": '"b";q=2;w=1, "c";q=3;w=9'}, []),
        ({"ratelimit": '"a";r=1'}, []),
        ({"ratelimit": '"a";t=1', "ratelimit-policy": '"a";q=2;w=60'}, []),
        ({"ratelimit": '"a";r=1', "ratelimit-policy": '"a";q=2;w=999999999'}, []),
    ],
)
def test_structured_fields_are_read_by_name(
    headers: dict[str, str], expected: list[Stated]
) -> None:
    assert list(read_quota("custom", headers, NOON)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-type": "UserConcurrentRequests", "x-ratelimit-timeremaining": "5"},
        {"x-ratelimit-type": "UserByMinute"},
        {"anthropic-ratelimit-unified-reset": "soon"},
        {"anthropic-ratelimit-unified-reset": str(round(NOON) + 9)},
    ],
)
def test_special_headers_that_say_too_little_say_nothing(headers: dict[str, str]) -> None:
    assert read_quota("anthropic", headers, NOON) == ()


def test_subscription_that_is_back_in_days_is_the_weeks() -> None:
    headers = {
        "anthropic-ratelimit-unified-reset": str(round(NOON) + 86_400),
        "anthropic-ratelimit-unified-status": "rejected",
    }

    assert [each.per for each in read_quota("anthropic", headers, NOON)] == ["week"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Rate limit reached for model `m` on tokens per day (TPD): Limit 200000, Used 199500,",
            [stated("day", Metric.TOKENS, limit=200_000, remaining=500)],
        ),
        (
            "Rate limit reached for m on requests per min (RPM): Limit 3, Used 4, Requested 1.",
            [stated("minute", limit=3, remaining=0)],
        ),
        (
            "Request too large for m on tokens per minute (TPM): Limit 6000, Requested 9000",
            [stated("minute", Metric.TOKENS, limit=6_000)],
        ),
        ("Rate limit exceeded", []),
    ],
)
def test_limits_are_read_from_the_words_of_refusals(message: str, expected: list[Stated]) -> None:
    assert list(read_refusal(message)) == expected


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        (GROQ, (14_369, 0)),
        ({"x-ratelimit-remaining-tokens": "5"}, (None, 5)),
        ({"x-ratelimit-remaining-tokens": "some"}, None),
        ({"x-ratelimit-limit-tokens": "5"}, None),
        ({"x-ratelimit-type": "UserByDay"}, (None, None)),
        ({}, None),
    ],
)
def test_glance_sees_what_is_left_and_whether_anything_is_told(
    headers: dict[str, str], left: tuple[int | None, ...] | None
) -> None:
    assert glance("groq", headers) == left


NAMES = st.sampled_from(
    sorted(
        {row.name.lower() for _, row in ROWS}
        | {"ratelimit", "ratelimit-policy", "anthropic-ratelimit-unified-status"}
    )
)
PIECES = st.sampled_from(
    ["0", "5", ".", "ms", "s", "m", "h", "T", "Z", ":", "-", "w=", "r=", "q=", "t=", ";", '"', ","]
)
TEXTS = st.one_of(
    st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
    st.lists(PIECES, max_size=12).map("".join),
    st.integers(-(10**20), 10**20).map(str),
    st.datetimes().map(lambda at: at.isoformat() + "+14:00"),
)


@given(
    provider=st.sampled_from(sorted(load().providers)),
    headers=st.dictionaries(NAMES, TEXTS, max_size=8),
)
def test_any_bytes_are_read_without_a_fault_and_bounded(
    provider: str, headers: dict[str, str]
) -> None:
    for each in read_quota(provider, headers, NOON):
        assert each.remaining is None or each.remaining >= 0
        assert each.resets_at is None or NOON <= each.resets_at <= NOON + 2_678_400.0
        assert each.resets_at is None or each.remaining == 0


@given(TEXTS)
def test_any_words_are_read_without_a_fault(text: str) -> None:
    assert read_refusal(text) == ()

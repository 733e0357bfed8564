"""Limits in all their written forms, and every mistake in them."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from spillover.config import limits
from spillover.config.findings import Faults
from spillover.config.limits import LimitSpec
from spillover.core.values import (
    Calendar,
    CalendarUnit,
    Lifetime,
    LimitScope,
    Metric,
    Refill,
    Rolling,
    Window,
)


def one(written: object) -> LimitSpec:
    """The only limit that was written."""
    specs = limits.read(written)
    assert isinstance(specs, tuple)
    (spec,) = specs
    return spec


def faults(written: object) -> list[tuple[tuple[str | int, ...], str]]:
    """Where and what is wrong with limits."""
    with pytest.raises(Faults) as refused:
        limits.read(written)
    return [(fault.path, fault.expected) for fault in refused.value.faults]


def test_the_mapping_form_means_rolling_windows() -> None:
    spec = one({"tokens_per_hour": "5K"})

    assert spec == LimitSpec(
        metric=Metric.TOKENS, amount=5_000, window=Rolling(seconds=3_600), per="hour"
    )


@pytest.mark.parametrize("metric", [m for m in Metric if m is not Metric.CONCURRENCY])
@pytest.mark.parametrize("word", limits.PER_WORDS)
def test_every_metric_may_be_limited_per_every_word(metric: Metric, word: str) -> None:
    spec = one({f"{metric}_per_{word}": 1})

    assert (spec.metric, spec.per) == (metric, word)


def test_cost_is_written_in_dollars_and_kept_in_nano_dollars() -> None:
    assert one({"cost_per_day": 0.5}).amount == 500_000_000
    assert one([{"cost": "$2", "per": "month"}]).amount == 2_000_000_000


@pytest.mark.parametrize("written", [{"cost_per_lifetime": 5}, [{"cost": "$5", "per": "lifetime"}]])
def test_a_credit_that_does_not_come_back_is_a_limit_per_lifetime(written: object) -> None:
    assert one(written) == LimitSpec(
        metric=Metric.COST, amount=5_000_000_000, window=Lifetime(), per="lifetime"
    )


def test_neurons_are_kept_in_micro_neurons() -> None:
    assert one({"neurons_per_day": "10K"}).amount == 10_000_000_000


def test_concurrency_has_no_window_in_either_form() -> None:
    expected = LimitSpec(metric=Metric.CONCURRENCY, amount=4, window=None, per=None)

    assert one({"concurrency": 4}) == expected
    assert one([{"concurrency": 4}]) == expected


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        {},
        [],
        {"tokens_per_hour": None},
        {"tokens_per_hour": ""},
        {"tokens_per_hour": "unlimited"},
        {"concurrency": None},
        [{"requests": None, "per": "day"}],
        [{"concurrency": "unlimited"}],
    ],
    ids=str,
)
def test_blank_and_unlimited_are_no_limit(written: object) -> None:
    assert limits.read(written) == ()


def test_zero_lets_nothing_pass_and_is_a_limit() -> None:
    assert one({"requests_per_day": 0}).amount == 0


def test_free_is_left_to_the_catalogue() -> None:
    assert limits.read("free") == "free"


@pytest.mark.parametrize(
    ("entry", "window", "per"),
    [
        ({"per": "day"}, Rolling(seconds=86_400), "day"),
        ({"per": "5h", "window": "rolling"}, Rolling(seconds=18_000), "5h"),
        ({"per": "1s"}, Rolling(seconds=1), "second"),
        (
            {"per": "day", "window": "calendar", "timezone": "America/Los_Angeles"},
            Calendar(unit=CalendarUnit.DAY, zone="America/Los_Angeles"),
            "day",
        ),
        ({"per": "24h", "window": "calendar"}, Calendar(unit=CalendarUnit.DAY), "day"),
        ({"per": "week", "window": "calendar"}, Calendar(unit=CalendarUnit.WEEK), "week"),
        ({"per": "minute", "window": "refill"}, Refill(seconds=60), "minute"),
        ({"per": "10s", "window": "refill", "burst": "2K"}, Refill(seconds=10, burst=2_000), "10s"),
    ],
    ids=str,
)
def test_the_list_form_says_how_the_window_gives_back(
    entry: dict[str, Any], window: Window, per: str
) -> None:
    spec = one([{"requests": 20, **entry}])

    assert (spec.window, spec.per) == (window, per)


def test_one_entry_may_limit_several_metrics() -> None:
    specs = limits.read([{"requests": 5, "tokens": "8K", "per": "minute"}])

    assert {(spec.metric, spec.amount) for spec in specs if isinstance(spec, LimitSpec)} == {
        (Metric.REQUESTS, 5),
        (Metric.TOKENS, 8_000),
    }


def test_a_rolling_month_is_31_days_so_that_no_month_is_exceeded() -> None:
    assert one({"requests_per_month": 1}).window == Rolling(seconds=31 * 86_400)


def test_a_misspelt_key_names_the_nearest() -> None:
    with pytest.raises(Faults) as refused:
        limits.read({"tokens_per_hor": 1})

    (fault,) = refused.value.faults
    assert (fault.path, fault.nearest) == (("tokens_per_hor",), "tokens_per_hour")


@pytest.mark.parametrize(
    ("written", "path", "expected"),
    [
        ("paid", (), "free, a mapping such as"),
        (7, (), "free, a mapping such as"),
        ({"requests_per_day": -1}, ("requests_per_day",), "0 or more"),
        ({"requests_per_day": "many"}, ("requests_per_day",), "an amount such as"),
        ([7], (0,), "an entry such as"),
        ([{"per": "day"}], (0,), "one of requests, tokens"),
        ([{"requests": 1}], (0,), "per: with a duration"),
        ([{"requests": 1, "per": "500ms"}], (0, "per"), "1s or more"),
        ([{"requests": 1, "per": "often"}], (0, "per"), "a duration such as"),
        ([{"requests": 1, "per": "5h", "window": "calendar"}], (0, "per"), "for a calendar window"),
        ([{"requests": 1, "per": "day", "window": "caledar"}], (0, "window"), "rolling, calendar"),
        (
            [{"requests": 1, "per": "day", "window": "calendar", "timezone": "Mars"}],
            (0, "timezone"),
            "a time zone such as",
        ),
        (
            [{"requests": 1, "per": "day", "timezone": "UTC"}],
            (0, "timezone"),
            "window: calendar beside timezone",
        ),
        ([{"requests": 1, "per": "day", "burst": 2}], (0, "burst"), "window: refill beside burst"),
        (
            [{"requests": 1, "per": "day", "window": "refill", "burst": "x"}],
            (0, "burst"),
            "an amount such as",
        ),
        ([{"concurrency": 1, "per": "day"}], (0, "per"), "concurrency has none"),
        ([{"cost": 5, "per": "lifetime", "burst": 9}], (0, "burst"), "nothing beside per"),
        ([{"request": 1, "requests": 1, "per": "day"}], (0, "request"), "one of requests"),
        ({"requests_per_day": 1, "concurrency": []}, ("concurrency",), "an amount such as"),
    ],
    ids=str,
)
def test_each_mistake_is_told_with_its_place_and_what_was_expected(
    written: object, path: tuple[str | int, ...], expected: str
) -> None:
    ((found_path, found_expected),) = faults(written)

    assert found_path == path
    assert expected in found_expected


def test_all_mistakes_are_told_at_once() -> None:
    found = faults([{"requests": -1, "per": "day"}, {"tokens": 1, "per": "x"}, {"what": 1}])

    assert [path for path, _ in found] == [(0, "requests"), (1, "per"), (2, "what"), (2,)]


def test_a_wrong_window_of_two_metrics_is_told_once() -> None:
    assert len(faults([{"requests": 1, "tokens": 2, "per": "x"}])) == 1


def test_the_same_limit_twice_is_a_mistake() -> None:
    written = [{"requests": 1, "per": "day"}, {"requests": 2, "per": "24h"}]

    assert faults(written) == [
        ((1, "requests"), "each limit once: limits[0] has it already"),
    ]


def test_a_repeated_limit_is_told_beside_other_mistakes() -> None:
    written = [{"requests": 1, "per": "day"}, {"tokens": "x", "per": "day"}]

    found = faults([*written, {"requests": 2, "per": "day"}])

    assert [path for path, _ in found] == [(1, "tokens"), (2, "requests")]


def test_all_that_is_wrong_in_one_entry_is_told_at_once() -> None:
    entry = {"requests": -1, "per": "often", "window": "calender", "timezone": "Mars", "burst": "x"}

    found = faults([entry])

    assert [path[1] for path, _ in found] == ["requests", "per", "window", "timezone", "burst"]


def test_every_part_of_a_window_beside_concurrency_is_told() -> None:
    found = faults([{"concurrency": 1, "per": "day", "window": "refill"}])

    assert [path for path, _ in found] == [(0, "per"), (0, "window")]


def test_a_window_that_is_missing_is_asked_for_with_lengths_that_it_may_have() -> None:
    ((_, expected),) = faults([{"requests": 5}])

    assert expected == "per: with a duration such as 1s, 30s, 5m, 5h, 1d or minute, or lifetime"


def test_the_same_metric_in_two_kinds_of_window_is_no_mistake() -> None:
    written = [{"requests": 1, "per": "day"}, {"requests": 2, "per": "day", "window": "calendar"}]

    assert len(limits.read(written)) == 2


def test_two_limits_on_concurrency_are_a_mistake() -> None:
    assert faults([{"concurrency": 1}, {"concurrency": 2}]) == [
        ((1, "concurrency"), "each limit once: limits[0] has it already"),
    ]


def test_a_limit_is_put_on_its_owners_counter() -> None:
    limit = one({"tokens_per_hour": 5}).on("profile:groq", LimitScope.PROFILE)

    assert (limit.owner, limit.scope, limit.amount, limit.per) == (
        "profile:groq",
        LimitScope.PROFILE,
        5,
        "hour",
    )


@pytest.mark.parametrize(
    "written",
    [
        "free",
        None,
        {"tokens_per_hour": "5K", "concurrency": 1},
        [{"requests": 1, "per": "day", "window": "refill", "burst": 5}],
    ],
    ids=str,
)
def test_editors_accept_what_is_accepted(written: object) -> None:
    jsonschema.validate(written, limits.json_schema())


@pytest.mark.parametrize("written", ["paid", {"token": 1}, [{"request": 1}]], ids=str)
def test_editors_refuse_what_is_refused(written: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, limits.json_schema())

"""Plain values read into the catalogue's types, and what does not fit said in words."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.catalogue import FreeRow, ModelRow, Provider, load
from spillover.catalogue.entries import Entry, Figure, ResetWindow
from spillover.config.findings import Fault
from spillover.config.typed import read

ROW = {"models": ["*"], "source": "s", "as_of": "2026-01-01", "confidence": "low"}
FIGURE = {"metric": "requests", "amount": 1, "per": "day"}


def refused(value: Any, kind: type[Entry]) -> Fault:
    with pytest.raises(Fault) as told:
        read(value, kind)
    return told.value


def test_what_fits_is_read() -> None:
    row = read({"context": 1_000, "price": [1, 2.5], "lacks": ["tools"]}, ModelRow)

    assert (row.context, row.price, row.lacks) == (1_000, (1.0, 2.5), ("tools",))


@pytest.mark.parametrize(
    ("value", "kind", "path", "expected"),
    [
        ({"context": "big"}, ModelRow, ("context",), "a whole number or nothing"),
        ({"context": 0}, ModelRow, ("context",), "a whole number of at least 1"),
        ({"price": [1]}, ModelRow, ("price",), "a list of length 2"),
        ({"price": [1, -2]}, ModelRow, ("price", 1), "a number of at least 0.0"),
        ({"lacks": ["wings"]}, ModelRow, ("lacks", 0), "one of tools, vision, json_schema, "),
        ({"as_of": "lately"}, ModelRow, ("as_of",), "a date such as 2026-11-20"),
        ({"reasoning": "yes"}, ModelRow, ("reasoning",), "true or false"),
        ([], ModelRow, (), "a mapping"),
        ({**FIGURE, "metric": "words"}, Figure, ("metric",), "one of requests, tokens, "),
        ({**FIGURE, "per": "fortnight"}, Figure, (), "per: with one of second, minute, "),
        ({**FIGURE, "metric": "concurrency"}, Figure, (), "no per: beside concurrency"),
        ({"kind": "calendar", "zone": "Mars/Olympus"}, ResetWindow, (), "a zone such as America"),
        ({"kind": "calendar", "zone": "../etc"}, ResetWindow, (), "a zone such as America"),
        ({**ROW, "figures": [{**FIGURE, "amount": "5K"}]}, FreeRow, ("figures", 0, "amount"), "a number"),
        ({"models": ["*"]}, FreeRow, ("source",), "source:"),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_place_and_what_would(
    value: Any, kind: type[Entry], path: tuple[str | int, ...], expected: str
) -> None:
    fault = refused(value, kind)

    assert fault.path == path
    assert fault.expected.startswith(expected)


def test_a_misspelt_field_is_told_with_the_nearest() -> None:
    fault = refused({"contex": 5}, ModelRow)

    assert (fault.path, fault.found, fault.nearest) == (("contex",), "contex", "context")


def provider(**changes: Any) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(load().providers["groq"])
    return plain | changes


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"base_url": "groq.com"}, ("base_url",), "an address such as https://"),
        ({"base_url": "https://groq.com/"}, ("base_url",), "an address such as https://"),
        ({"windows": {"minute": {"kind": "sliding"}}}, ("windows",), "one of rolling, calendar, "),
        ({"windows": {"fortnight": {"kind": "rolling"}}}, (), "windows: with the names second, "),
        ({"windows": {"5h": {"kind": "calendar"}}}, (), "no calendar window but day, "),
        ({"pool": "planet"}, ("pool",), "one of account, model, "),
        ({"kind": "planet"}, ("kind",), "one of cloud, aggregator, "),
    ],
    ids=str,
)
def test_a_provider_that_could_not_be_used_is_refused(
    changes: dict[str, Any], path: tuple[str | int, ...], expected: str
) -> None:
    fault = refused(provider(**changes), Provider)

    assert fault.path == path
    assert fault.expected.startswith(expected)

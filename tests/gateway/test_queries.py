"""What follows the `?` of an address is known, given once, and of its kind."""

from __future__ import annotations

from typing import Any, cast

import pytest

from spillover.errors import RequestError
from spillover.gateway.queries import Query


class Asked:
    """As much of a visit as is read."""

    def __init__(self, query: str) -> None:
        self.scope = {"query_string": query.encode()}


def query(text: str) -> Query:
    return Query(cast("Any", Asked(text)), ("limit", "span", "to"))


def test_parameters_are_read_as_they_were_given() -> None:
    asked = query("to=&span=a%20b")

    assert (asked.text("to"), asked.text("span"), asked.text("limit")) == ("", "a b", None)


@pytest.mark.parametrize(
    ("text", "named"), [("sapn=day", "'sapn' (there are: limit, span, to)"), ("to=a&to=b", "twice")]
)
def test_what_is_unknown_or_given_twice_is_refused(text: str, named: str) -> None:
    with pytest.raises(RequestError) as refused:
        query(text)

    assert named in str(refused.value)


def test_a_number_has_its_bounds() -> None:
    assert query("limit=7").number("limit", 5, 10) == 7
    assert query("").number("limit", 5, 10) == 5


@pytest.mark.parametrize("written", ["0", "11", "-1", "x", "", "1" * 5_000, "%C2%B2"])
def test_a_number_out_of_bounds_is_refused(written: str) -> None:
    with pytest.raises(RequestError, match="limit must be a number from 1 to 10"):
        query(f"limit={written}").number("limit", 5, 10)


def test_a_choice_is_one_of_its_words() -> None:
    assert query("span=day").choice("span", ("hour", "day"), "hour") == "day"
    assert query("").choice("span", ("hour", "day"), "hour") == "hour"
    with pytest.raises(RequestError, match="one of hour, day, not 'year'"):
        query("span=year").choice("span", ("hour", "day"), "hour")

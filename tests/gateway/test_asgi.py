"""Headers are read once and for all, and written as they are sent."""

from __future__ import annotations

from spillover.gateway.asgi import encoded, headers_of


def test_headers_are_found_by_name() -> None:
    headers = headers_of({"headers": [(b"host", b"localhost"), (b"accept", b"*/*")]})

    assert headers == {b"host": b"localhost", b"accept": b"*/*"}


def test_values_of_a_repeated_header_are_joined() -> None:
    headers = headers_of({"headers": [(b"host", b"localhost"), (b"a", b"1"), (b"host", b"evil")]})

    assert headers == {b"host": b"localhost, evil", b"a": b"1"}


def test_headers_are_written_in_lower_case() -> None:
    assert encoded({"Content-Type": "a/b", "x-trail": "one:ok"}) == [
        (b"content-type", b"a/b"),
        (b"x-trail", b"one:ok"),
    ]


def test_a_value_that_no_header_can_hold_does_not_break_the_answer() -> None:
    assert encoded({"x-title": "日本"}) == [(b"x-title", b"??")]

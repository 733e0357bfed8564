"""The seam towards providers: what breaks below the level of answers, as one exception."""

from __future__ import annotations

import pytest

from spillover.core.evidence import TransportFault
from spillover.upstream import Order, SameHeaders, UpstreamBroken


def test_a_broken_exchange_says_how_it_broke_and_whether_the_provider_can_know() -> None:
    broken = UpstreamBroken(TransportFault.REFUSED, "connection refused", never_sent=True)
    cut = UpstreamBroken(TransportFault.CUT, "")

    assert (broken.fault, broken.never_sent, str(broken)) == (
        TransportFault.REFUSED,
        True,
        "connection refused",
    )
    assert (cut.never_sent, str(cut)) == (False, "")


def test_an_order_goes_through_a_proxy_unless_it_is_for_this_machine() -> None:
    order = Order(url="http://a/", headers={}, body=b"", connect_s=1.0)

    assert not order.loopback


def test_an_orders_headers_are_lines_as_they_were_ordered() -> None:
    headers = {"X-a": "1", "x-b": "\u00e9"}
    order = Order(url="http://a/", headers=headers, body=b"", connect_s=1.0)
    same = Order(url="http://a/", headers=SameHeaders(headers), body=b"", connect_s=1.0)

    assert order.lines() == same.lines() == same.lines()
    assert order.lines() == b"X-a: 1\r\nx-b: \xc3\xa9\r\n"


@pytest.mark.parametrize(
    "headers", [{"a": "1\r\nb: 2"}, {"a": "1\nb: 2"}, {"a": "1\r"}, {"a\r\nb": "1"}, {"a": "1\n"}]
)
def test_a_header_that_would_be_several_is_refused(headers: dict[str, str]) -> None:
    order = Order(url="http://a/", headers=headers, body=b"", connect_s=1.0)

    with pytest.raises(ValueError, match="a header holds a line break"):
        order.lines()

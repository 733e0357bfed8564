"""The seam towards providers: what breaks below the level of answers, as one exception."""

from __future__ import annotations

from spillover.core.evidence import TransportFault
from spillover.upstream import Order, UpstreamBroken


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

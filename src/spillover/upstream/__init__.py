"""Talk to providers over HTTP: the one place that knows an HTTP client.

`exchange` is the narrow seam (open, head, body, close) that everything above is written against.
"""

from spillover.upstream.exchange import (
    Exchange,
    Order,
    SameHeaders,
    Upstream,
    UpstreamBroken,
)
from spillover.upstream.http import HttpUpstream

__all__ = ["Exchange", "HttpUpstream", "Order", "SameHeaders", "Upstream", "UpstreamBroken"]

"""Carry requests to providers: straight, or through the environment's proxy where there is one.

Proxies come from the environment for remote providers and never for this machine.
Refuses to know how either way works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from spillover.upstream.direct import DirectUpstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.upstream.exchange import Exchange, Order
    from spillover.upstream.proxied import ProxiedUpstream


class HttpUpstream:
    """The way to every provider; made on the event loop that uses it."""

    def __init__(self) -> None:
        """Begin without connections; the environment's proxies are read now."""
        self._proxies = getproxies()
        self._direct = DirectUpstream()
        self._proxied: ProxiedUpstream | None = None

    async def open(self, order: Order, connected: Callable[[], None]) -> Exchange:
        """Send the request and return when the head of the answer is there."""
        if self._proxies and not order.loopback:
            proxy = self._proxy(order.url)
            if proxy is not None:
                return await self._through().open(order, connected, proxy)
        return await self._direct.open(order, connected)

    def _proxy(self, url: str) -> str | None:
        parts = urlsplit(url)
        if parts.hostname is None or proxy_bypass(parts.hostname):
            return None
        return self._proxies.get(parts.scheme) or self._proxies.get("all")

    def _through(self) -> ProxiedUpstream:
        if self._proxied is None:
            from spillover.upstream.proxied import ProxiedUpstream  # noqa: PLC0415 - seldom needed

            self._proxied = ProxiedUpstream()
        return self._proxied

    async def close(self) -> None:
        """Close every connection."""
        await self._direct.close()
        if self._proxied is not None:
            await self._proxied.close()

"""Carry requests to providers: straight, or through the environment's proxy where there is one.

Proxies come from the environment for remote providers and never for this machine.
Refuses to know how either way works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from spillover.upstream.dialling import Origin
from spillover.upstream.direct import DirectUpstream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine

    from spillover.upstream.exchange import Exchange, Order
    from spillover.upstream.proxied import ProxiedUpstream


class HttpUpstream:
    """The way to every provider; made on the event loop that uses it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Begin without connections; the environment's proxies are read now.

        Without `tls`, what the system trusts is trusted.
        """
        self._proxies = getproxies()
        self._tls = tls
        self._direct = DirectUpstream(tls)
        self._proxied: ProxiedUpstream | None = None

    def open(self, order: Order, connected: Callable[[], None]) -> Coroutine[Any, Any, Exchange]:
        """Send the request and return when the head of the answer is there."""
        if self._proxies and not order.loopback:
            proxy = self._proxy(order.url)
            if proxy is not None:
                return self._through().open(order, connected, proxy)
        return self._direct.open(order, connected)

    def _proxy(self, url: str) -> str | None:
        try:
            origin = Origin.of(url)
        except ValueError:
            return None  # the direct way says what is wrong with it
        if proxy_bypass(f"{origin.host}:{origin.port}"):
            return None
        proxy = self._proxies.get(origin.scheme) or self._proxies.get("all")
        return proxy if proxy is None or "://" in proxy else f"http://{proxy}"

    def _through(self) -> ProxiedUpstream:
        if self._proxied is None:
            from spillover.upstream.proxied import ProxiedUpstream  # noqa: PLC0415 - seldom needed

            self._proxied = ProxiedUpstream(self._tls)
        return self._proxied

    async def close(self) -> None:
        """Close every connection."""
        await self._direct.close()
        if self._proxied is not None:
            await self._proxied.close()

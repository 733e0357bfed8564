"""One configuration as requests use it: who answers a model, and what is sent to each profile.

A request keeps the setup it began with, so that a reload never mixes two: neither a key with
another's address nor a profile with limits it does not have.
Refuses to know the ledger, the clock and how anything is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from msgspec.structs import replace

from spillover import __version__
from spillover.core.values import FailureClass, Operation, StreamUsage
from spillover.engine.attempt import Shipment
from spillover.upstream import Order, SameHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.config.routing import Endpoint, Routing
    from spillover.core.chains import Chain
    from spillover.core.limits import Candidate
    from spillover.core.tokens import Calibration
    from spillover.core.values import Failure
    from spillover.engine.call import Call


class Setup:
    """A configuration in force, and what was learned of its upstreams while it was."""

    def __init__(self, routing: Routing, redact: Callable[[str], str]) -> None:
        """Serve by `routing`; `redact` takes its secrets out of texts."""
        self.routing = routing
        self.redact = redact
        self._headers: dict[str, SameHeaders] = {}
        self._refuses_usage: set[str] = set()
        """Profiles that rejected `stream_options`: they are not asked again."""

    def shipment(
        self, call: Call, chain: Chain, *, candidate: Candidate, calibration: Calibration
    ) -> Shipment:
        """Return one send of `call` to `candidate`, prepared."""
        profile, asked, limits = candidate.profile, call.asked, chain.time_limits
        endpoint = self.routing.endpoints[profile.name]
        asks_usage = asked.stream and self._asks_usage(endpoint, call)
        order = Order(
            url=_url(endpoint, asked.operation),
            headers=self._headers_to(endpoint, call),
            body=asked.body_for(profile.model, ask_usage=asks_usage),
            connect_s=limits.connect_s,
            loopback=endpoint.is_loopback,
        )
        return Shipment(
            asked=asked,
            order=order,
            candidate=candidate,
            calibration=calibration,
            time_limits=limits,
            first_token_s=max(limits.first_token_s, endpoint.first_token_s or 0.0),
            redact=self.redact,
            asks_usage=asks_usage,
            errors_in_text=endpoint.errors_in_text,
        )

    def _asks_usage(self, endpoint: Endpoint, call: Call) -> bool:
        """Return whether the stream's usage is asked for: always where the provider allows it."""
        if endpoint.profile in self._refuses_usage:
            return False
        match endpoint.stream_usage:
            case StreamUsage.ASK:
                return True
            case StreamUsage.NATIVE:
                return call.asked.client_wants_usage
            case StreamUsage.NEVER:
                return False
            case _:
                assert_never(endpoint.stream_usage)

    def _headers_to(self, endpoint: Endpoint, call: Call) -> dict[str, str]:
        headers = self._headers.get(endpoint.profile)
        if headers is None:
            headers = SameHeaders(_FIXED_HEADERS | endpoint.headers())
            self._headers[endpoint.profile] = headers
        # Ours win: no client replaces a credential.
        return {**call.passed_headers, **headers} if call.passed_headers else headers

    def mended(self, failure: Failure, shipment: Shipment) -> Failure:
        """Return the failure, marked when only our wish for the stream's usage was refused."""
        objects = failure.failure is FailureClass.BAD_REQUEST and any(
            word in failure.message for word in ("stream_options", "include_usage")
        )
        if not (objects and shipment.asks_usage):
            return failure
        self._refuses_usage.add(shipment.candidate.profile.name)
        return replace(failure, mended=True)


_FIXED_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"spillover/{__version__}",
}
"""Some providers' front doors refuse requests without a user agent."""


def _url(endpoint: Endpoint, operation: Operation) -> str:
    match operation:
        case Operation.CHAT:
            return endpoint.chat_url
        case Operation.COMPLETIONS:
            return endpoint.completions_url
        case Operation.EMBEDDINGS:
            return endpoint.embeddings_url
        case _:
            assert_never(operation)

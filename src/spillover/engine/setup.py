"""One configuration as requests use it: who answers a model, and what is sent to each profile.

A request keeps the setup it began with, so that a reload never mixes two: neither a key with
another's address nor a profile with limits it does not have.
Refuses to know the ledger, the clock and how anything is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import quote

from msgspec.structs import replace

from spillover import __version__
from spillover.config.addresses import under
from spillover.config.dialects import VERSIONS
from spillover.core.values import FailureClass, Operation, Protocol, StreamUsage
from spillover.engine.attempt import Shipment
from spillover.engine.reading import Passage
from spillover.protocols.conversation.requests import Target
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.gemini.requests_out import path_of
from spillover.protocols.judging import SPOKEN
from spillover.protocols.openai_chat import Asked
from spillover.protocols.spoken import Spoken, write_for
from spillover.upstream import Order, SameHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from spillover.config.routing import Endpoint, Routing
    from spillover.core.chains import Chain
    from spillover.core.limits import Candidate
    from spillover.core.tokens import Calibration
    from spillover.core.values import Failure, Profile
    from spillover.engine.call import Call
    from spillover.protocols.conversation.requests import Written


class Setup:
    """A configuration in force, and what was learned of its upstreams while it was."""

    def __init__(self, routing: Routing, redact: Callable[[str], str]) -> None:
        """Serve by `routing`; `redact` takes its secrets out of texts."""
        self.routing = routing
        self.redact = redact
        self._headers: dict[str, SameHeaders] = {}
        self._mixes = any(far.protocol is not Protocol.OPENAI for far in routing.endpoints.values())
        """Upstreams speak more than OpenAI's chat: what theirs said may come back in any request."""
        self._refuses_usage: set[str] = set()
        """Profiles that rejected `stream_options`: they are not asked again."""

    def shipment(
        self, call: Call, chain: Chain, *, candidate: Candidate, calibration: Calibration
    ) -> Shipment | tuple[str, ...]:
        """Return one send of `call` to `candidate`, prepared.

        Or what of the request the candidate's protocol has no words for.
        """
        profile, asked, limits = candidate.profile, call.asked, chain.time_limits
        endpoint = self.routing.endpoints[profile.name]
        asks_usage = asked.stream and self._asks_usage(endpoint, call)
        passage: Passage | None = None
        dropped: tuple[str, ...] = ()
        if isinstance(asked, Asked) and not self._mixes:
            url, body = (
                _url(endpoint, asked.operation),
                asked.body_for(profile.model, ask_usage=asks_usage),
            )
        else:
            written = _written(call, endpoint, profile, asks_usage=asks_usage)
            if written.lacks:
                return _named(written.lacks)
            url, body = _address(endpoint, call, profile.model), written.body
            passage, dropped = _passage(call, endpoint, profile.model), _named(written.dropped)
        order = Order(
            url=url,
            headers=self._headers_to(endpoint, call),
            body=body,
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
            passage=passage,
            dropped=dropped,
        )

    def lacks(self, call: Call, profile: Profile) -> tuple[str, ...]:
        """Return what of a request a profile's protocol has no words for."""
        if isinstance(call.asked, Asked) and not self._mixes:
            return ()
        endpoint = self.routing.endpoints[profile.name]
        return _named(_written(call, endpoint, profile, asks_usage=False).lacks)

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
            version = VERSIONS.get(endpoint.protocol, {})
            headers = SameHeaders(_FIXED_HEADERS | version | endpoint.headers())
            self._headers[endpoint.profile] = headers
        if not call.passed_headers or SPOKEN[endpoint.protocol] is not call.dialect:
            return headers
        # Ours win, but for the version: no client replaces a credential.
        own = {name.lower() for name in _FIXED_HEADERS | endpoint.headers()}
        told = call.passed_headers.items()
        return {**headers, **{name: value for name, value in told if name.lower() not in own}}

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


_ODD: Final = re.compile(r"[^A-Za-z0-9_.\[\]$/-]")
_LONGEST: Final = 60
_MOST: Final = 20


def _named(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of a client's fields as they may stand in a header and a message."""
    return tuple(_ODD.sub("?", name[:_LONGEST]) for name in fields[:_MOST])


def _written(call: Call, endpoint: Endpoint, profile: Profile, *, asks_usage: bool) -> Written:
    """Return the request in an upstream's dialect."""
    target = Target(
        model=profile.model,
        provider=profile.provider,
        max_output_tokens=profile.max_output_tokens,
        asks_usage=asks_usage,
    )
    return write_for(call.asked, SPOKEN[endpoint.protocol], target)


def _passage(call: Call, endpoint: Endpoint, model: str) -> Passage | None:
    client, upstream = call.dialect, SPOKEN[endpoint.protocol]
    if client is upstream is Dialect.CHAT:
        return None
    array = isinstance(call.asked, Spoken) and call.asked.array
    return Passage(upstream=upstream, client=client, model=model, array=array)


def _address(endpoint: Endpoint, call: Call, model: str) -> str:
    """Return where a request goes in an upstream's dialect."""
    if endpoint.protocol is Protocol.GEMINI:
        name = quote(model.removeprefix("models/"), safe="/:@")
        return under(endpoint.base_url, "/" + path_of(name, stream=call.asked.stream))
    url = _url(endpoint, call.asked.operation)
    if call.passed_query and SPOKEN[endpoint.protocol] is call.dialect:
        return under(url, f"?{call.passed_query}")
    return url


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

"""Every simulated provider with every fault, before a healthy one: the client sees an answer.

The only exceptions are what no other provider would mend (the request itself is refused) and what
breaks after its first content (which ends in an error, for nothing may be sent twice).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from spillover.simulator import FAULTS, FLAVOURS, ProviderSpec
from tests.engine.staging import HELLO, Got, plays, short, staged

HARMLESS: Final = frozenset(
    "no_done no_usage gzip deflate one_byte_chunks odd_chunks crlf event_not_json "  # noqa: SIM905
    "no_stream_options_400 no_stream_options_422".split()
)
"""Oddities that the first provider's answer survives."""
STREAMS_ONLY: Final = frozenset({"no_finish_reason", "empty_stream"})
BODIES_ONLY: Final = frozenset({"malformed_json"})
THE_REQUESTS_OWN: Final = frozenset({"bad_request", "content_filter"})
BREAKS_OFF: Final = frozenset("cut reset stall no_finish_reason error_after_content".split())  # noqa: SIM905
"""Faults of a stream whose content has left."""

WAITS: Final = frozenset("silence stall stall_before_content keepalive_only".split())  # noqa: SIM905
"""Faults that a time limit ends."""
COUNTS_AT_THE_END: Final = frozenset({"groq", "gemini", "mistral", "anthropic", "gemini-native"})
"""Flavours whose finish reason comes with the usage: output that was counted was not empty."""


def chain(fault: str) -> dict[str, Any]:
    limits = ("first_token", "stall", "total") if fault in WAITS else ()
    retries = dict.fromkeys(("server_error", "bad_gateway", "network"), 0)
    return {**short(**dict.fromkeys(limits, "400ms")), "retries": retries}


def first_answers(flavour: str, fault: str, *, stream: bool) -> bool:
    if fault == "empty_stream" and flavour in COUNTS_AT_THE_END:
        return True
    return fault in HARMLESS or fault in (BODIES_ONLY if stream else STREAMS_ONLY)


async def meet(flavour: str, fault: str, *, stream: bool) -> str | None:
    """Send one request; return what is wrong with what came of it."""
    # Streams are paced, so that content has left before they break.
    spec = ProviderSpec(flavour=flavour, events_per_s=200.0 if stream else None)
    body: dict[str, Any] = {**HELLO, "stream": stream}
    async with staged(spec, "generic", chain=chain(fault)) as stage:
        stage.first.script(fault, times=None)
        got = await stage.ask(body)
        server = "p0" if first_answers(flavour, fault, stream=stream) else "p1"
        wrong = judged(got, fault, server, stream=stream)
        if wrong is None and not stage.settled:
            wrong = "something is left open"
        return None if wrong is None else f"{flavour} {fault} stream={stream}: {wrong} {got.trail}"


def judged(got: Got, fault: str, server: str, *, stream: bool) -> str | None:
    if fault in THE_REQUESTS_OWN:
        return None if 400 <= got.status < 500 else f"status {got.status}"
    if got.status != 200:
        return f"status {got.status}"
    if stream and fault in BREAKS_OFF:
        whole = got.is_whole or got.documents[-1]["error"]["code"] != "stream_interrupted"
        return "half an answer looks whole" if whole else None
    if stream and not got.is_whole:
        return "the answer is not whole"
    return None if got.profile == server else f"served by {got.profile}"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("flavour", FLAVOURS)
@plays
async def test_no_fault_of_a_first_provider_reaches_the_client(
    flavour: str, *, stream: bool
) -> None:
    found = await asyncio.gather(*(meet(flavour, fault, stream=stream) for fault in FAULTS))

    assert [wrong for wrong in found if wrong is not None] == []

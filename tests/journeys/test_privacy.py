"""Nothing leaves the machine once it is said that only local profiles may serve, whatever is tried."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.processes import ASKED, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider
    from tests.serving import Reply

PINNED = {"profile": "first"}


def shut(config: Path, written: dict[str, Any], served: Gateway) -> None:
    """Switch privacy on while the gateway runs."""
    write(config, {**written, "privacy": True})
    wait_until(lambda: served.told("config.reloaded"))


def refused(reply: Reply) -> bool:
    return reply.status == 403 and reply.error["code"] == "policy_abstained"


@pytest.mark.parametrize(
    "settings",
    [
        {"routing_policy": "local-only"},
        {"privacy": True},
        {"routing_policy": "local-only", "privacy": True},
    ],
    ids=str,
)
def test_local_only_abstains_whatever_a_client_says(
    config: Path, first: Provider, second: Provider, settings: Mapping[str, Any]
) -> None:
    written = document(first, second, aliases={"gpt-*": "first"}, **settings)
    written["chains"]["default"] |= {"failback": "sticky", "patience": "1s"}
    write(config, written)
    path = "/v1/chat/completions"

    with gateway(config) as served:
        served.post("/api/chains/default/pin", {**PINNED, "strict": True})
        replies = [
            served.post(path, {"model": model, "messages": ASKED}, **headers)
            for model in ("default", "first", "second", "gpt-5", "auto")
            for headers in (
                {},
                {"x_spillover_policy": "any"},
                {"x_spillover_policy": "byok-paid"},
                {"x_spillover_policy": "free-tier", "x_spillover_spend": "yes"},
                {"x_spillover_session": "s"},
            )
        ]
        page = replies[0].error["message"]

    assert all(refused(reply) for reply in replies)
    assert "first (" in page
    assert "local" in page
    assert (first.counters()["received"], second.counters()["received"]) == (0, 0)


def test_a_request_may_narrow_and_not_widen(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    written["profiles"]["second"]["tier"] = "local"
    write(config, written)

    with gateway(config) as served:
        local, paid, wrong = (
            served.post("/v1/chat/completions", {"messages": ASKED}, x_spillover_policy=policy)
            for policy in ("local-only", "byok-paid", "everything")
        )

    assert local.status == 200
    assert refused(paid)
    assert wrong.status == 400
    assert (first.counters()["received"], second.accepted) == (0, 1)


def test_local_profile_that_fails_is_followed_by_nobody(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second, routing_policy="local-only")
    written["profiles"]["first"]["tier"] = "local"
    write(config, written)
    first.script("overloaded", times=None)

    with gateway(config) as served:
        replies = [served.chat(messages=ASKED, stream=stream) for stream in (True, False)]

    assert [reply.status for reply in replies] == [503, 503]
    assert second.counters()["received"] == 0


def test_request_that_is_under_way_falls_back_to_nobody_once_privacy_is_on(
    config: Path, first: Provider, second: Provider
) -> None:
    written = document(first, second)
    write(config, written)
    first.script({"delay_s": 3.0, "status": 503}, times=None)

    with gateway(config) as served, ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(served.chat, messages=ASKED)
        wait_until(lambda: first.counters()["received"] == 1)
        shut(config, written, served)
        still_open = not under_way.done()
        reply, later = under_way.result(), served.chat(messages=ASKED)

    assert still_open
    assert reply.status == 503
    assert {each["reason"] for each in reply.error["profiles"]} == {"tried", "privacy"}
    assert refused(later)
    assert (first.counters()["received"], second.counters()["received"]) == (1, 0)


def test_request_that_waits_for_room_is_not_sent_once_privacy_is_on(
    config: Path, first: Provider
) -> None:
    written = document(first, limits=[{"requests": 1, "per": "4s"}])
    written["chains"]["default"]["when_exhausted"] = {"wait": "20s"}
    write(config, written)

    with gateway(config) as served, ThreadPoolExecutor(1) as pool:
        served.served_by()
        waiting = pool.submit(served.chat, messages=ASKED)
        shut(config, written, served)
        reply = waiting.result()

    assert refused(reply)
    assert first.counters()["received"] == 1

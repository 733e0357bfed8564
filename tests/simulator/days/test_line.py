"""Requests reach the judged provider without sockets, and what came of each is noted."""

from __future__ import annotations

import asyncio

import pytest

from spillover.core.evidence import TransportFault
from spillover.core.values import Operation
from spillover.protocols.openai_chat import read_answer
from spillover.simulator.days.leaping import Era, LeapingLoop
from spillover.simulator.days.line import LATENCY_S, Delivered, Line
from spillover.simulator.provider import Provider
from spillover.simulator.spec import ProviderSpec, limits
from spillover.upstream import Order, UpstreamBroken

BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'


def order(host: str = "judged") -> Order:
    url = f"http://{host}/v1/chat/completions"
    return Order(url=url, headers={"Authorization": "Bearer k"}, body=BODY, connect_s=1.0)


def played(
    *orders: Order, spec: ProviderSpec | None = None, refusing: bool = False
) -> tuple[Line, list[Delivered | UpstreamBroken], int]:
    """Send orders one after another; return the line, what came, and how often it connected."""
    connected: list[None] = []

    async def play() -> tuple[Line, list[Delivered | UpstreamBroken], int]:
        era = Era(asyncio.get_running_loop(), 1_000.0)
        line = Line(Provider(spec or ProviderSpec(), era.now), "judged", era.now)
        line.is_refusing = refusing
        came: list[Delivered | UpstreamBroken] = []
        for each in orders:
            try:
                came.append(await line.open(each, lambda: connected.append(None)))
            except UpstreamBroken as broken:
                came.append(broken)
        await line.close()
        return line, came, len(connected)

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(play())


def test_an_answer_is_read_from_the_providers_own_bytes() -> None:
    line, (served, refused), connected = played(
        order(), order(), spec=ProviderSpec(limits=limits("requests=1/minute"))
    )

    assert isinstance(served, Delivered)
    assert isinstance(refused, Delivered)
    assert (served.status, refused.status, connected) == (200, 429, 2)
    assert refused.headers["content-type"] == "application/json"
    assert [sent.served for sent in line.sent] == [True, False]
    assert line.sent[0].at == 1_000.0
    assert line.sent[0].ended_at == pytest.approx(1_000.0 + LATENCY_S)


def test_a_body_is_read_once() -> None:
    _, (answer,), _ = played(order())
    assert isinstance(answer, Delivered)

    body, rest = asyncio.run(answer.read_all(10)), asyncio.run(answer.read())
    answer.close()

    assert b'"choices"' in body
    assert rest == b""


def test_who_is_not_judged_is_always_fine_and_leaves_no_note() -> None:
    line, (answer,), connected = played(order("spare"))

    assert isinstance(answer, Delivered)
    body = asyncio.run(answer.read())
    read = read_answer(body, Operation.CHAT, provider="", headers=answer.headers)
    assert (read.evidence, line.sent, connected) == (None, [], 1)


def test_refused_connections_were_never_sent() -> None:
    line, (broken,), connected = played(order(), refusing=True)

    assert isinstance(broken, UpstreamBroken)
    assert (broken.fault, broken.never_sent, connected) == (TransportFault.REFUSED, True, 0)
    assert [sent.served for sent in line.sent] == [False]

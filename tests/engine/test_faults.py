"""A fault of our own in reading an answer: the next profile serves, and the log says where it was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from spillover.core.actions import Broken, Committed, Failed
from spillover.core.chains import TimeLimits
from spillover.core.tokens import Calibration
from spillover.core.values import FailureClass, Operation
from spillover.engine.attempt import Attempt, Means, Shipment
from spillover.engine.faults import log_fault
from spillover.engine.rounds import Rounds
from spillover.protocols.openai_chat import read_request
from spillover.upstream import Order
from spillover.upstream.exchange import Take, pour_what_is_read, read_bounded
from tests import own_time
from tests.engine.staging import SSE, content, plays
from tests.ledger.keeping import candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNREADABLE = "secret words, which are no bytes: whatever reads them fails"


@dataclass
class Told:
    """An exchange whose body is a list of chunks."""

    chunks: list[Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: dict(SSE))

    async def read(self) -> bytes:
        return cast("bytes", self.chunks.pop(0)) if self.chunks else b""

    async def read_all(self, at_most: int) -> bytes:
        return await read_bounded(self, at_most)

    async def pour(self, take: Take) -> None:
        await pour_what_is_read(self, take)

    def close(self) -> None:
        """Let go of nothing."""


class Teller:
    """An upstream that knows one answer."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = chunks

    async def open(self, _: Order, connected: Callable[[], None]) -> Told:
        connected()
        return Told(list(self._chunks))

    async def close(self) -> None:
        """Close nothing."""


def attempt(*chunks: Any, stream: bool) -> Attempt:
    body = (
        b'{"messages":[{"role":"user","content":"hi"}],"stream":%s}' % str(stream).lower().encode()
    )
    return Attempt(
        Means(upstream=Teller(*chunks), clock=own_time.clock(), rounds=Rounds()),
        Shipment(
            asked=read_request(body, Operation.CHAT),
            order=Order(url="http://127.0.0.1/v1", headers={}, body=body, connect_s=5.0),
            candidate=candidate(),
            calibration=Calibration(),
            time_limits=TimeLimits(),
            first_token_s=60.0,
            redact=str,
            asks_usage=False,
        ),
    )


async def send(attempt: Attempt) -> Committed | Failed:
    task = asyncio.current_task()
    assert task is not None
    return await attempt.send(own_time.wall()() + 300.0, task)


@pytest.mark.parametrize("stream", [True, False])
@plays
async def test_answer_that_a_reader_fails_on_is_a_server_error(stream: bool) -> None:  # noqa: FBT001
    failed = await send(attempt(UNREADABLE, stream=stream))

    assert isinstance(failed, Failed)
    assert failed.failure.failure is FailureClass.SERVER_ERROR
    assert "could not be read" in failed.failure.message
    assert "secret" not in failed.failure.message


@plays
async def test_stream_that_a_reader_fails_on_behind_its_first_content_is_broken() -> None:
    given: list[bytes] = []
    broken = attempt(content("hello"), UNREADABLE, content("more"), stream=True)
    assert isinstance(await send(broken), Committed)

    def give(chunk: bytes) -> bool:
        given.append(chunk)
        return True

    more = await broken.pour(give, lambda: None)

    assert not more
    assert given == [content("hello")]
    assert isinstance(broken.relayed(), Broken)
    assert b"stream_interrupted" in broken.tail


def test_fault_is_logged_once_for_each_place_and_without_what_was_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        try:
            int(UNREADABLE)
        except ValueError as error:
            log_fault("a-profile", error)

    assert caplog.text.count("an answer of a-profile could not be read") == 1
    assert "test_faults.py" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text

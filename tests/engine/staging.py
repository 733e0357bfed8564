"""An engine over simulated providers, and a client of it: the stage that the engine's tests play on."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec

import msgspec

from spillover.config.loader import LoadedConfig, load_document
from spillover.core.values import Operation
from spillover.engine import Answer, Call, Engine, EngineOptions, open_engine
from spillover.protocols.openai_chat import read_request
from spillover.simulator import ProviderSpec, SimulatedProvider, simulate
from tests import own_time
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
    from pathlib import Path

    from spillover.core.values import RoutingPolicy
    from spillover.events import Event

P = ParamSpec("P")
_numbers = itertools.count(1)

NATIVE = {"anthropic": "anthropic", "gemini-native": "gemini"}
"""Flavours that speak a dialect of their own, and both its name and the provider's."""
LONGEST_S = 60.0
"""No test may take longer."""
LIMITS = {"connect": "20s", "first_token": "20s", "stall": "20s", "total": "30s", "deadline": "40s"}
"""Time limits that nothing passes; a test of one sets that one short."""
HELLO = {"model": "default", "messages": [{"role": "user", "content": "hello"}]}


@dataclass(frozen=True, kw_only=True)
class Got:
    """An answer as its client has it."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()
    """Of a stream."""
    answer: Answer

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def trail(self) -> str:
        return self.headers.get("x-spillover-trail", "")

    @property
    def profile(self) -> str | None:
        return self.headers.get("x-spillover-profile")

    @property
    def code(self) -> str | None:
        code: str | None = self.json["error"]["code"]
        return code

    @property
    def events(self) -> list[bytes]:
        """Events of a stream with LF line ends, without their last empty line."""
        return [event for event in self.body.split(b"\n\n") if event]

    @property
    def documents(self) -> list[Any]:
        """What the events of a stream hold, the sentinel aside."""
        found = [event.removeprefix(b"data: ") for event in self.events if event[:1] != b":"]
        return [msgspec.json.decode(data) for data in found if data != b"[DONE]"]

    @property
    def text(self) -> str:
        """The content of the first choice."""
        if not self.chunks:
            return str(self.json["choices"][0]["message"]["content"])
        deltas = [c["delta"] for d in self.documents for c in d.get("choices", ())]
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def is_whole(self) -> bool:
        """Whether a stream ended with the sentinel."""
        return self.body.rstrip().endswith(b"data: [DONE]")


@dataclass
class Client:
    """Sends requests to an engine."""

    engine: Engine
    seen: list[Event] = field(default_factory=list)
    """Every event since the engine was opened."""

    def call(
        self,
        body: Mapping[str, Any] | None = None,
        *,
        operation: Operation = Operation.CHAT,
        session: str | None = None,
        policy: RoutingPolicy | None = None,
        spend: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        written = msgspec.json.encode(body if body is not None else HELLO)
        return Call(
            asked=read_request(written, operation),
            request_id=f"req-{next(_numbers)}",
            session=session,
            policy=policy,
            spend=spend,
            passed_headers=headers or {},
        )

    async def ask(self, body: Mapping[str, Any] | None = None, **how: Any) -> Got:
        """Send a request and read its answer to the end."""
        answer = await self.engine.answer(self.call(body, **how))
        return await read(answer)

    async def stream(self, body: Mapping[str, Any] | None = None, **how: Any) -> Got:
        return await self.ask({**(body or HELLO), "stream": True}, **how)

    async def ask_all(self, count: int, body: Mapping[str, Any] | None = None) -> list[Got]:
        """Send so many requests at once."""
        return await asyncio.gather(*(self.ask(body) for _ in range(count)))

    def events(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]

    @property
    def settled(self) -> bool:
        """Whether nothing is in flight and no reservation is open."""
        self.engine.ledger.catch_up()
        return self.engine.in_flight == 0 and not self.engine.ledger.book.open

    def used(self, profile: str) -> tuple[int, int, int]:
        """Return (requests, input, output tokens) that count on a profile."""
        now = self.engine.clock.now()
        self.engine.ledger.catch_up()
        used = self.engine.ledger.book.used(profile, "day", now)
        return used[0], used[2], used[3]

    def status(self, profile: str) -> dict[str, Any]:
        found: dict[str, Any] = self.engine.status()["profiles"][profile]
        return found


async def read(answer: Answer) -> Got:
    if answer.body is not None:
        return Got(status=answer.status, headers=answer.headers, body=answer.body, answer=answer)
    chunks = tuple([chunk async for chunk in answer])
    return Got(
        status=answer.status,
        headers=answer.headers,
        body=b"".join(chunks),
        chunks=chunks,
        answer=answer,
    )


@dataclass
class Stage(Client):
    """An engine with its providers: profile `p0` goes to provider 0, and so on."""

    providers: tuple[SimulatedProvider, ...] = ()
    loaded: LoadedConfig | None = None

    @property
    def first(self) -> SimulatedProvider:
        return self.providers[0]

    @property
    def second(self) -> SimulatedProvider:
        return self.providers[1]

    def sent_to(self, index: int) -> int:
        """Return how many requests a provider received."""
        return self.providers[index].counters().received

    def last_sent(self, index: int = 0) -> Any:
        """Return the body of the last request that a provider received."""
        return msgspec.json.decode(self.providers[index].records[-1].body)

    async def settles(self) -> None:
        """Wait until nothing is in flight and every provider has noticed."""
        await eventually(lambda: self.settled)
        await eventually(lambda: not any(p.counters().in_flight for p in self.providers))


def short(**limits: str) -> dict[str, Any]:
    """Return the setting of a chain whose time limits are all generous but these."""
    return {"timeouts": {**LIMITS, **limits}}


def document(
    base_urls: list[str],
    *,
    flavours: list[str] | None = None,
    profiles: Mapping[str, Mapping[str, Any]] | None = None,
    chain: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Return a configuration of profiles `p0`, `p1`, … and a chain `default` of all of them."""
    written: dict[str, Any] = {}
    for index, base_url in enumerate(base_urls):
        flavour = flavours[index] if flavours else "generic"
        own: dict[str, Any] = {
            "base_url": base_url,
            "model": f"model-{index}",
            "api_key": f"sk-key-of-{index}-0123456789",
            "tier": "free",
        }
        if flavour in NATIVE:
            own["provider"] = own["protocol"] = NATIVE[flavour]
        elif flavour != "generic":
            own["provider"] = flavour
        written[f"p{index}"] = {**own, **(profiles or {}).get(f"p{index}", {})}
    default = {"profiles": list(written), "timeouts": LIMITS, **(chain or {})}
    return {
        "profiles": written,
        "chains": {"default": default, **settings.pop("chains", {})},
        **settings,
    }


@asynccontextmanager
async def opened(
    written: dict[str, Any], ledger: Path | None = None, **options: Any
) -> AsyncIterator[Client]:
    """Open an engine on a configuration, by the loop's own time; close it at the end."""
    engine = await open_engine(
        load_document(written, environ={}),
        EngineOptions(
            ledger_path=ledger, in_memory=ledger is None, clock=own_time.clock(), **options
        ),
    )
    client = Client(engine)
    engine.events.listen(client.seen.append)
    try:
        yield client
    finally:
        await engine.close(grace_s=0.0)


@asynccontextmanager
async def staged(
    *specs: ProviderSpec | str, ledger: Path | None = None, **how: Any
) -> AsyncIterator[Stage]:
    """Serve providers (flavours, or specs) and open an engine over them."""
    async with AsyncExitStack() as stack:
        full = [ProviderSpec(flavour=s) if isinstance(s, str) else s for s in specs]
        clock = own_time.wall()
        providers = [await stack.enter_async_context(simulate(s, clock=clock)) for s in full]
        written = document(
            [provider.base_url for provider in providers],
            flavours=[spec.flavour for spec in full],
            **how,
        )
        client = await stack.enter_async_context(opened(written, ledger))
        yield Stage(
            engine=client.engine,
            seen=client.seen,
            providers=tuple(providers),
            loaded=load_document(written, environ={}),
        )


def plays(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a plain test of an asynchronous one, bounded in time, which is the loop's own."""

    @functools.wraps(test)
    def run(*args: P.args, **named: P.kwargs) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(LONGEST_S):
                await test(*args, **named)

        own_time.run(bounded())

    return run


@asynccontextmanager
async def upstream_of(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Serve `answer` for each connection once its first request has been read; yield the base URL."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await read_request_from(reader)
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        # One turn of the loop, for the transports to let go of their sockets.
        await asyncio.sleep(0)


async def never_asked(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise AssertionError(writer)


async def read_request_from(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the head and the body of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    lengths = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
    return head, await reader.readexactly(lengths[0] if lengths else 0)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def content(text: str, **more: Any) -> bytes:
    """Return a stream's event with that content."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return b"data: " + msgspec.json.encode({"choices": [choice], **more}) + b"\n\n"


def finish(**more: Any) -> bytes:
    """Return a stream's event with the finish reason."""
    choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return b"data: " + msgspec.json.encode({"choices": [choice], **more}) + b"\n\n"


ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
DONE = b"data: [DONE]\n\n"
SSE = {"content-type": "text/event-stream"}

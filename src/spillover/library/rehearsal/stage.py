"""Set a user's chain on a stage: the same profiles, limits and strategy, over simulated providers.

Real keys and addresses stay outside: no copy of the configuration that is played with has them.
"""

from __future__ import annotations

import itertools
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.clock import SystemClock
from spillover.config import schema
from spillover.config.facts import limits_of, provider_name
from spillover.config.locate import STATE_VARIABLE
from spillover.config.secrets import Secret
from spillover.core.values import Capability, Metric, Operation, Protocol
from spillover.engine import Call, EngineOptions, open_engine
from spillover.protocols.openai_chat import read_request
from spillover.simulator import FLAVOURS, ProviderSpec, simulate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from spillover.config.loader import LoadedConfig
    from spillover.config.routing import Routing
    from spillover.core.chains import Chain
    from spillover.core.values import Profile
    from spillover.engine import Engine
    from spillover.simulator import SimulatedProvider

STALL_S: Final = 1.0
_SHORTEST: Final = {
    "connect": 2.0,
    "first_token": 3.0,
    "stall": STALL_S,
    "total": 15.0,
    "deadline": 15.0,
}
"""Time limits of the play: nobody wants to watch a stall of a minute."""
_WAIT_S: Final = 0.5
"""Patience and queues of the play."""
SMALL: Final = 5
"""What limits on requests are made, to be spent within a second."""
_NATIVE: Final = {Protocol.ANTHROPIC: "anthropic", Protocol.GEMINI: "gemini-native"}
_numbers: Final = itertools.count(1)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a client got."""

    status: int
    trail: tuple[tuple[str, str], ...]
    """Profile and result of each send."""
    profile: str | None
    whole: bool
    """The answer looks whole to a client."""
    told: bool
    """It says that something went wrong."""
    retry_after: str | None
    code: str
    """Of an error of ours."""
    took_s: float


class Time:
    """The machine's time, which can be let pass."""

    def __init__(self) -> None:
        """Begin now."""
        self._machine = SystemClock()
        self._ahead_s = 0.0
        self.clock = SystemClock(
            wall=lambda: self._machine.now() + self._ahead_s,
            elapsed=lambda: time.monotonic() + self._ahead_s,
        )

    def now(self) -> float:
        """Return the time of the play in epoch seconds."""
        return self._machine.now() + self._ahead_s

    def pass_(self, seconds: float) -> None:
        """Let some time pass at once."""
        self._ahead_s += seconds


class Stage:
    """A chain in play."""

    def __init__(self, routing: Routing, chain: Chain, time_: Time) -> None:
        """Play `chain` of a routing."""
        self.routing = routing
        self.chain = chain
        self.time = time_
        self.providers: dict[str, SimulatedProvider] = {}
        """By account."""
        self.engine: Engine

    @property
    def profiles(self) -> list[Profile]:
        """The chain's profiles in their order."""
        return [self.routing.profiles[member.profile] for member in self.chain.members]

    @property
    def embeds(self) -> bool:
        """Whether the chain is one of vectors, which come whole."""
        return all(Capability.CHAT in each.lacks for each in self.profiles)

    def provider(self, profile: str) -> SimulatedProvider:
        """Return the far end of a profile."""
        return self.providers[self.routing.profiles[profile].account]

    def sends_to(self, profile: str) -> int:
        """Return how many requests a profile's far end has had for its model."""
        model = self.routing.profiles[profile].model
        return sum(record.model == model for record in self.provider(profile).records)

    def sends(self) -> int:
        """Return how many requests all far ends have had."""
        return sum(len(provider.records) for provider in self.providers.values())

    def call(self, *, stream: bool = False) -> Call:
        """Return a small request that agrees to spend: nothing is spent here."""
        body: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
        body |= {"max_tokens": 16, "stream": stream}
        operation = Operation.CHAT
        if self.embeds:
            body, operation = {"input": "hello"}, Operation.EMBEDDINGS
        return Call(
            asked=read_request(msgspec.json.encode(body), operation),
            request_id=f"rehearsal-{next(_numbers)}",
            model=self.chain.name,
            spend=True,
        )

    def next_profile(self) -> str | None:
        """Return who would serve the next request."""
        serves: str | None = self.engine.explain(self.call())["serves"]
        return serves

    async def ask(self, *, stream: bool = False) -> Heard:
        """Send a request and read its answer to the end; vectors are never streamed."""
        stream = stream and not self.embeds
        began_s = time.monotonic()
        answer = await self.engine.answer(self.call(stream=stream))
        body = b"".join([part async for part in answer])
        ending = answer.ending
        trail = () if ending is None else tuple((s.profile, s.result) for s in ending.trail)
        failed = b'"error"' in body
        ends = b"[DONE]" in body if stream else body.rstrip().endswith(b"}")
        return Heard(
            status=answer.status,
            trail=trail,
            profile=None if ending is None else ending.profile,
            whole=answer.status == 200 and ends and not failed,  # noqa: PLR2004 - HTTP
            told=failed,
            retry_after=answer.headers.get("retry-after"),
            code=_code(body),
            took_s=time.monotonic() - began_s,
        )


def _code(body: bytes) -> str:
    try:
        error = msgspec.json.decode(body).get("error", {})
    except (msgspec.DecodeError, AttributeError):
        return ""
    return str(error.get("code") or "") if isinstance(error, dict) else ""


@asynccontextmanager
async def staged(
    loaded: LoadedConfig, routing: Routing, chain: str, folder: Path, *, small: bool = False
) -> AsyncIterator[Stage]:
    """Yield a chain over simulated providers, its ledger a file in `folder`.

    `small`: its limits on requests are made small.
    """
    time_ = Time()
    stage = Stage(routing, routing.chains[chain], time_)
    async with AsyncExitStack() as stack:
        for name, spec in _specs(stage).items():
            provider = await stack.enter_async_context(simulate(spec, clock=time_.now))
            stage.providers[name] = provider
        played = copied(loaded, stage, folder, small=small)
        options = EngineOptions(clock=time_.clock)
        stage.engine = await open_engine(played, options)
        try:
            yield stage
        finally:
            await stage.engine.close(grace_s=0.0)


async def reopened(stage: Stage, loaded: LoadedConfig, folder: Path) -> None:
    """End the engine, and begin a new one over the same file."""
    await stage.engine.close(grace_s=0.0)
    played = copied(loaded, stage, folder, small=False)
    stage.engine = await open_engine(played, EngineOptions(clock=stage.time.clock))


def _specs(stage: Stage) -> dict[str, ProviderSpec]:
    """Return a simulated provider for each account of the chain."""
    found = {}
    for profile in stage.profiles:
        far = stage.routing.endpoints[profile.name]
        usual = profile.provider if profile.provider in FLAVOURS else "generic"
        if far.protocol is Protocol.OPENAI and usual in {"anthropic", "gemini-native"}:
            usual = "generic"
        if far.protocol is Protocol.RESPONSES:
            usual = "openai"
        found[profile.account] = ProviderSpec(
            flavour=_NATIVE.get(far.protocol, usual),
            name=f"rehearsal of {profile.provider}",
            keys=frozenset({_key(profile.account)}),
            events_per_s=200.0,
        )
    return found


def _key(account: str) -> str:
    return f"rehearsal-key-of-{account}"


def copied(loaded: LoadedConfig, stage: Stage, folder: Path, *, small: bool) -> LoadedConfig:
    """Return the configuration with the far ends of its chain on the stage, and nobody else's."""
    config, routing = loaded.config, stage.routing
    profiles, accounts = {}, {}
    for profile in stage.profiles:
        written = config.profiles[profile.name]
        far = routing.endpoints[profile.name]
        place = {
            "base_url": stage.providers[profile.account].base_url,
            "api_key": Secret(_key(profile.account)),
            "protocol": far.protocol,
            "headers": {},
            "upstream": None,
        }
        changes: dict[str, Any] = {
            "tier": profile.tier,
            "model": profile.model,
            "headers": {},
            "upstream": None,
            "probe_every": None,
        }
        if small:
            specs = limits_of(written, config, loaded.catalogue) or ()
            changes["limits"] = tuple(_small(spec) for spec in specs)
        if written.account is None:
            changes |= place | {"provider": provider_name(written, config)}
        elif written.account not in accounts:
            account = config.accounts[written.account]
            changed = account.model_copy(update=place)
            if small and isinstance(account.limits, tuple):
                few = tuple(_small(spec) for spec in account.limits)
                changed = changed.model_copy(update={"limits": few})
            accounts[written.account] = changed
        profiles[profile.name] = written.model_copy(update=changes)
    chain = _hurried(config, stage.chain)
    played = config.model_copy(
        update={
            "profiles": profiles,
            "accounts": accounts,
            "chains": {stage.chain.name: chain},
            "aliases": {},
            "storage": "sqlite",
            "notify": (),
        }
    )
    environ = {STATE_VARIABLE: str(folder)}
    return msgspec.structs.replace(loaded, config=played, environ=environ, path=None)


def _small(spec: Any) -> Any:
    if spec.metric is not Metric.REQUESTS or spec.amount <= SMALL:
        return spec
    window = spec.window
    if getattr(window, "burst", None):
        window = msgspec.structs.replace(window, burst=SMALL)
    return msgspec.structs.replace(spec, amount=SMALL, window=window)


def _hurried(config: schema.Config, chain: Chain) -> schema.Chain:
    """Return the chain as written, with time limits that a person can wait for."""
    written = config.chains.get(chain.name) or schema.Chain.model_validate(
        {"profiles": [member.profile for member in chain.members]}
    )
    times = {
        name: min(getattr(written.timeouts, name), most_s) for name, most_s in _SHORTEST.items()
    }
    return written.model_copy(
        update={
            "timeouts": written.timeouts.model_copy(update=times),
            "when_exhausted": min(written.when_exhausted, _WAIT_S),
            "patience": min(written.patience, _WAIT_S),
        }
    )

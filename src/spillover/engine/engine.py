"""The engine's door: serve a request, say how things stand, and change what users change by hand.

Refuses to know HTTP, files and the command line.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.findings import nearest
from spillover.core.health import cleared as cleared_health
from spillover.core.health import (
    subject_of_account,
    subject_of_model,
    subject_of_profile,
    subject_of_provider,
)
from spillover.core.ladder import Pin
from spillover.engine.caching import Caches
from spillover.engine.explaining import explain, weigh
from spillover.engine.models import list_models, own_upstream
from spillover.engine.probing import Probes, probe
from spillover.engine.serving import Serving
from spillover.engine.status import chain_document, profile_document
from spillover.errors import UnknownName
from spillover.ledger.entries import Cleared, Entry, HealthChanged, Keyed, Pinned, Switched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from spillover.catalogue import Catalogue, Provider
    from spillover.clock import Clock
    from spillover.config.loader import LoadedConfig
    from spillover.config.routing import Routing
    from spillover.config.secrets import Secret
    from spillover.core.health import Health
    from spillover.core.values import Profile
    from spillover.engine.call import Answer, Call
    from spillover.engine.history import History
    from spillover.engine.models import Listed
    from spillover.engine.traces import Traces
    from spillover.engine.world import World
    from spillover.events import Bus
    from spillover.ledger.ledger import Ledger

LEAVING_S: Final = 1.0
"""How long requests that were told to end have for it."""


class Engine:
    """Serves requests by the configuration in force."""

    def __init__(
        self,
        world: World,
        *,
        version: str,
        closing: Callable[[], Awaitable[None]],
        serves: bool = True,
    ) -> None:
        """Serve with `world`, or only look at it; `closing` lets go of what it holds."""
        self._world = world
        self._version = version
        self._closing = closing
        self._serves = serves
        self._loaded: LoadedConfig | None = None
        self._probes = Probes(world)
        self._caches: Caches | None = None
        self.keeps_answers = False
        """Whether any chain does: calls are to say whose they are then."""
        self._told: dict[str, str | None] = {}
        """What those who serve say of profiles' accounts, while this engine only looks."""
        if not serves:
            self.ledger.on_change(self._listen)

    @property
    def routing(self) -> Routing:
        """The configuration in force."""
        return self._world.routing

    @property
    def catalogue(self) -> Catalogue:
        """What is known of providers, by the configuration in force."""
        return load_catalogue() if self._loaded is None else self._loaded.catalogue

    @property
    def loaded(self) -> LoadedConfig | None:
        """The configuration in force, as it was read; None before the first."""
        return self._loaded

    async def list_models(self, provider: Provider, secret: Secret | None) -> Listed:
        """Ask a provider itself, at its own address, for the models that a key opens."""
        environ = {} if self._loaded is None else self._loaded.environ
        upstream = own_upstream(provider, self.catalogue, environ)
        return await list_models(self._world.means.upstream, upstream, secret)

    @property
    def ledger(self) -> Ledger:
        """The shared record."""
        return self._world.ledger

    @property
    def events(self) -> Bus:
        """Where every state change is told."""
        return self._world.events

    @property
    def clock(self) -> Clock:
        """The source of instants."""
        return self._world.clock

    @property
    def traces(self) -> Traces:
        """The latest requests."""
        return self._world.traces

    @property
    def history(self) -> History:
        """What happened, in sums."""
        return self._world.history

    @property
    def in_flight(self) -> int:
        """How many requests have begun and not ended."""
        return len(self._world.under_way)

    def answer(self, call: Call) -> Awaitable[Answer]:
        """Serve a request.

        Raises `UnknownModel` for a model that is no chain, profile or alias; whatever happens to
        providers is an answer. Cancelling the awaiting task means that the client left.
        """
        chain = self._world.setup.routing.resolve(call.model or call.asked.model)
        if self._caches is not None and chain.cache is not None:
            return self._caches.answer(
                call, chain, lambda: Serving(self._world, call, chain).answer()
            )
        return Serving(self._world, call, chain).answer()

    def explain(self, call: Call) -> dict[str, Any]:
        """Return what would serve a request now, and why the others would not; sends nothing."""
        chain = self.routing.resolve(call.model or call.asked.model)
        self.ledger.catch_up()
        return explain(self._world, call, chain)

    def weigh(self, call: Call) -> int:
        """Return about how many input tokens a request has, for the profile that would serve it."""
        chain = self.routing.resolve(call.model or call.asked.model)
        self.ledger.catch_up()
        return weigh(self._world, call, chain)

    def status(self) -> dict[str, Any]:
        """Return how every chain and profile stands."""
        self.ledger.catch_up()
        world, routing, now = self._world, self.routing, self.clock.now()
        book = world.ledger.book
        chains = {}
        for name, chain in routing.chains.items():
            turn = world.peek_turn(name)
            document = chain_document(chain, routing.profiles, book=book, turn=turn, now=now)
            chains[name] = document | {
                "last_served": world.last_served.get(name),
                "cache": None if self._caches is None else self._caches.status(name),
            }
        return {
            "version": self._version,
            "ledger": {"degraded": world.ledger.degraded},
            "chains": chains,
            "upstreams": world.crew.status(),
            "profiles": {
                name: profile_document(profile, book, now)
                | {"usage_endpoint": world.inquiries.status(profile.account)}
                for name, profile in routing.profiles.items()
            },
        }

    def health(self) -> dict[str, Any]:
        """Return whether requests can be served: `status` is healthy, degraded or unhealthy."""
        status = self.status()
        idle = [name for name, chain in status["chains"].items() if chain["serving"] is None]
        benched = [
            name
            for name, profile in status["profiles"].items()
            if profile["status"] in {"cooldown", "exhausted", "failed"}
        ]
        document: dict[str, Any] = {"status": "healthy"}
        if len(idle) == len(status["chains"]):
            document["status"] = "unhealthy"
        elif idle or benched or self.ledger.degraded is not None:
            document["status"] = "degraded"
        if idle:
            document["chains_without_service"] = idle
        if benched:
            document["benched_profiles"] = benched
        if self.ledger.degraded is not None:
            document["ledger"] = self.ledger.degraded
        return document

    # What users change by hand.

    async def clear_usage(self, profile: str | None) -> None:
        """Zero the usage of a profile, or of all, and end what its limits and cooldowns began."""
        subjects = [] if profile is None else self._subjects(self._profile(profile))
        self._world.watch.forget()
        await self._record(Cleared(self.clock.now(), profile, tuple(subjects)))

    async def set_disabled(self, profile: str, *, disabled: bool) -> None:
        """Take a profile out of every ladder, or back in; enabling ends all evidence against it."""
        known = self._profile(profile)
        entries: list[Entry] = [Switched(profile, disabled, self.clock.now())]
        if not disabled:
            entries += [HealthChanged(subject, None) for subject in self._subjects(known)]
        await self._record(*entries)

    async def clear_cooldown(self, profile: str) -> None:
        """End a profile's cooldown and spent quota; failed and disabled stay."""
        book = self.ledger.book
        entries = []
        for subject in self._subjects(self._profile(profile)):
            health = book.health(subject)
            if health is not None:
                entries.append(HealthChanged(subject, cleared_health(health)))
        await self._record(*entries)

    async def pin(self, chain: str, profile: str | None, *, strict: bool = False) -> None:
        """Put a profile first in a chain (alone in it: `strict`), or undo that with None."""
        if chain not in self.routing.chains:
            raise unknown("chain", chain, self.routing.chains)
        if profile is not None:
            members = [member.profile for member in self.routing.chains[chain].members]
            if profile not in members:
                raise unknown(f"profile of chain {chain!r}", profile, members)
        pin = None if profile is None else Pin(profile=profile, strict=strict)
        await self._record(Pinned(chain, pin))

    async def probe(self, profile: str) -> dict[str, Any]:
        """Send a profile one counted completion of one token; return what came of it.

        Nothing that is held against it stands in the way, but its limits, key and privacy do. An
        answer ends the evidence against it; `disabled` stays.
        """
        self._profile(profile)
        return await probe(self._world, profile, by_hand=True)

    def _profile(self, name: str) -> Profile:
        profile = self.routing.profiles.get(name)
        if profile is None:
            raise unknown("profile", name, self.routing.profiles)
        return profile

    @staticmethod
    def _subjects(profile: Profile) -> list[str]:
        models = (profile.model, *profile.alternatives)
        return [
            subject_of_profile(profile.name),
            subject_of_account(profile.account),
            subject_of_provider(profile),
            *(subject_of_model(profile.name, model) for model in models),
        ]

    async def _record(self, *entries: Entry) -> None:
        await self.ledger.record(*entries)
        self._world.watch.look()

    # Configuration.

    async def reload(self, loaded: LoadedConfig) -> None:
        """Put another configuration in force; requests under way keep the one they began with.

        A profile whose key or settings changed since they were last seen is taken as new: the
        evidence against it ends. Who lacks its key, or is told of it, does not know whether it did.
        """
        self._adopt(loaded)
        book, routing = self.ledger.book, self.routing
        if self._serves:
            await self.ledger.serve(
                {name: None if p.key_missing else p.account for name, p in routing.profiles.items()}
            )
        entries: list[Entry] = []
        for name, profile in routing.profiles.items():
            seen = routing.endpoints[name].config_print
            if book.prints.get(name) == seen or profile.key_missing or name in self._told:
                continue
            if name in book.prints:
                entries += self._forgiven(profile)
            entries.append(Keyed(name, seen))
        if entries:
            await self._record(*entries)

    def _adopt(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        self._told = {} if self._serves else self.ledger.book.served_accounts()
        routing = assemble(loaded, loaded.catalogue, told=self._told)
        self._world.adopt(routing, loaded.redactor.redact)
        self._caches = Caches(self._world) or None
        self.keeps_answers = self._caches is not None

    def _listen(self) -> None:
        """Take over what those who serve say now: one may have begun or ended."""
        if self._loaded is not None and self._told != self.ledger.book.served_accounts():
            self._adopt(self._loaded)

    def _forgiven(self, profile: Profile) -> list[Entry]:
        found: list[tuple[str, Health | None]] = [
            (subject, self.ledger.book.health(subject)) for subject in self._subjects(profile)
        ]
        return [HealthChanged(subject, None) for subject, health in found if health is not None]

    def run_upstreams(self) -> None:
        """Run the local servers of the configuration until `close`, and follow its changes."""
        self._world.crew.start()

    def restart_upstreams(self) -> list[str]:
        """Start the local servers anew, each as soon as nothing is in flight; return their names."""
        return self._world.crew.renew()

    def run_probes(self) -> None:
        """Probe the profiles that are to be probed now and then, until `close`."""
        self._probes.start()

    async def close(self, *, grace_s: float = 30.0) -> None:
        """Let requests end for `grace_s`, then end them, record what they used, let go of all."""
        world = self._world
        await self._probes.close()
        for wait_s in (grace_s, LEAVING_S):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await world.wait_idle()
            world.leave_all()
        await world.crew.close()
        await world.watch.close()
        await world.inquiries.close()
        await world.history.close()
        await self._closing()


def unknown(kind: str, name: str, names: Iterable[str]) -> UnknownName:
    """Return the error of a verb that names a chain or profile that does not exist."""
    known = tuple(names)
    return UnknownName(kind, name, names=known, nearest=nearest(name, known))

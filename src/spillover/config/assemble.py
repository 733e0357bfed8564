"""Turn a loaded configuration into what runs: profiles, chains and endpoints.

Decides whose counter each limit is on. Refuses to find fault: loading has done that, so whatever
`load` returns can be assembled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from spillover.config import schema
from spillover.config.accounts import NOTHING_TOLD, Identity, accounts_of, fingerprint, key_print
from spillover.config.addresses import is_loopback, under
from spillover.config.dialects import PATHS, auth_of
from spillover.config.facts import (
    facts_of,
    model_of,
    price_of,
    provider_name,
    rank_of,
    rates_of,
    tier_of,
)
from spillover.config.limits import FREE
from spillover.config.locate import state_folder
from spillover.config.managed import managed_servers
from spillover.config.routing import DEFAULT, Alias, Endpoint, Routing
from spillover.config.upstreams import Upstream, upstream_of, usage_of
from spillover.core.chains import Chain, Member, SpendGate, TimeLimits
from spillover.core.managed import Restart
from spillover.core.values import (
    Limit,
    LimitScope,
    Profile,
    StreamUsage,
    owner_of_account,
    owner_of_model,
    owner_of_profile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.catalogue import Catalogue, FreeLimit
    from spillover.config.loader import LoadedConfig


def assemble(
    loaded: LoadedConfig, catalogue: Catalogue, *, told: Mapping[str, str | None] = NOTHING_TOLD
) -> Routing:
    """Return everything that serving needs.

    `told` says on which accounts those who serve have profiles, None where they lack the key: it
    counts, not the keys that are found here. What is assembled so is for looking at.
    """
    config = loaded.config
    upstreams = {
        name: upstream_of(profile, config, catalogue=catalogue, environ=loaded.environ)
        for name, profile in config.profiles.items()
    }
    written = {
        name: upstream_of(
            schema.Profile(account=name), config, catalogue=catalogue, environ=loaded.environ
        )
        for name in config.accounts
    }
    accounts = accounts_of(upstreams, written, told=told)
    profiles = {
        name: _profile(name, config, catalogue, upstream=upstreams[name], account=accounts[name])
        for name in config.profiles
    }
    managed = managed_servers(
        config,
        {name: far.base_url for name, far in upstreams.items()},
        folder=loaded.folder,
        state=state_folder(loaded.environ),
    )
    for server in managed:
        for name in server.profiles if server.spec.restart is not Restart.NEVER else ():
            profiles[name] = replace(profiles[name], restarts=True)
    for name in profiles.keys() & told.keys():
        profiles[name] = replace(profiles[name], key_missing=told[name] is None)
    endpoints = {
        name: _endpoint(name, loaded, upstream=upstream) for name, upstream in upstreams.items()
    }
    chains = {name: _chain(name, chain, config) for name, chain in config.chains.items()}
    if not chains:
        chains = {DEFAULT: _plain_chain(DEFAULT, tuple(profiles), config)}
    return Routing(
        profiles=profiles,
        chains=chains,
        endpoints=endpoints,
        alone={name: _alone(profile, config) for name, profile in profiles.items()},
        managed=managed,
        aliases=tuple(Alias(pattern=key, target=to) for key, to in config.aliases.items()),
        default=DEFAULT if DEFAULT in chains else next(iter(chains)),
    )


def _profile(
    name: str,
    config: schema.Config,
    catalogue: Catalogue,
    *,
    upstream: Upstream,
    account: Identity,
) -> Profile:
    written = config.profiles[name]
    entry = upstream.entry
    facts = facts_of(written, config, catalogue)
    model = model_of(written, config, catalogue) or ""
    rates = rates_of(written, config, catalogue) or (0, 0)
    lacks = facts.lacks if written.lacks is None else frozenset(written.lacks)
    return Profile(
        name=name,
        title=written.title or "",
        provider=upstream.provider,
        account=account.id,
        account_name=account.name,
        model=model,
        tier=tier_of(written, config, catalogue, base_url=upstream.base_url),
        limits=_limits(name, config, catalogue, account=account, model=model),
        alternatives=written.alternatives,
        price=price_of(written, config, catalogue),
        rank=rank_of(written, config, catalogue),
        context_tokens=written.context_tokens or facts.context_tokens,
        max_output_tokens=written.max_output_tokens or facts.max_output_tokens,
        lacks=lacks,
        embedding_space=written.embedding_space or "",
        reserves_max_tokens=entry is not None and entry.reserves_max_tokens,
        counts_cached_input=entry is None or entry.counts_cached_input,
        microneurons_per_input_token=rates[0],
        microneurons_per_output_token=rates[1],
        minute_window=catalogue.window(upstream.provider, "minute"),
        day_window=catalogue.window(upstream.provider, "day"),
        guessed_waits=catalogue.guessed_waits(upstream.provider, model),
        pool=LimitScope.PROFILE if entry is None else entry.pool.scope,
        key_missing=upstream.missing is not None,
    )


def _limits(
    name: str, config: schema.Config, catalogue: Catalogue, *, account: Identity, model: str
) -> tuple[Limit, ...]:
    """A profile's limits, each on the counter of whoever shares it."""
    written = config.profiles[name]
    found: list[Limit] = []
    if written.limits == FREE:
        free = catalogue.free_limits(provider_name(written, config) or "", model)
        found += [_free(limit, name, account=account.id, model=model) for limit in free or ()]
    else:
        owner = owner_of_profile(name)
        found += [spec.on(owner, LimitScope.PROFILE) for spec in written.limits]
    shared = config.accounts.get(account.id)
    if shared is not None and shared.limits != FREE:
        owner = owner_of_account(account.id)
        found += [spec.on(owner, LimitScope.ACCOUNT) for spec in shared.limits]
    return tuple(found)


def _free(limit: FreeLimit, name: str, *, account: str, model: str) -> Limit:
    owner = {
        LimitScope.PROFILE: owner_of_profile(name),
        LimitScope.MODEL: owner_of_model(account, model),
        LimitScope.ACCOUNT: owner_of_account(account),
    }[limit.scope]
    return Limit(
        metric=limit.metric,
        amount=limit.amount,
        window=limit.window,
        owner=owner,
        scope=limit.scope,
        per=limit.per,
    )


def _endpoint(name: str, loaded: LoadedConfig, *, upstream: Upstream) -> Endpoint:
    entry = upstream.entry
    header, scheme = auth_of(upstream.protocol, entry)
    written = loaded.config.profiles[name]
    stream_usage = written.stream_usage
    if stream_usage is None:
        stream_usage = entry.stream_usage if entry is not None else StreamUsage.ASK
    of_key = key_print(upstream)
    settings = f"{written!r} {loaded.config.accounts.get(written.account or '')!r}"
    return Endpoint(
        profile=name,
        protocol=upstream.protocol,
        base_url=upstream.base_url,
        chat_url=under(upstream.base_url, PATHS[upstream.protocol]),
        completions_url=under(upstream.base_url, "/completions"),
        embeddings_url=under(upstream.base_url, "/embeddings"),
        auth_header=header,
        auth_scheme=scheme,
        secret=upstream.secret,
        extra_headers=upstream.headers,
        stream_usage=stream_usage,
        first_token_s=entry.first_token_s if entry is not None else None,
        errors_in_text=written.errors_in_text,
        probe_every_s=written.probe_every,
        is_loopback=is_loopback(upstream.base_url),
        usage=usage_of(upstream),
        key_print=of_key,
        config_print=fingerprint(upstream, "config", settings, of_key),
    )


def _chain(name: str, written: schema.Chain, config: schema.Config) -> Chain:
    times = written.timeouts
    gate = written.spend_gate
    return Chain(
        name=name,
        title=written.title or "",
        members=tuple(
            Member(profile=member.profile, weight=member.weight, hours=member.hours)
            for member in written.profiles
        ),
        strategy=written.strategy,
        routing_policy=written.routing_policy or config.routing_policy,
        privacy=written.privacy or config.privacy,
        failback=written.failback,
        wait_s=written.when_exhausted,
        patience_s=written.patience,
        truncate=written.truncate == "middle",
        cache=written.cache,
        spend_gate=SpendGate(on_quota=gate.on_quota, on_outage=gate.on_outage),
        time_limits=TimeLimits(
            connect_s=times.connect,
            first_token_s=times.first_token,
            stall_s=times.stall,
            total_s=times.total,
            deadline_s=times.deadline,
        ),
        retries=written.retries,
        cooldowns=written.cooldown,
    )


def _plain_chain(name: str, profiles: tuple[str, ...], config: schema.Config) -> Chain:
    return Chain(
        name=name,
        members=tuple(Member(profile=profile) for profile in profiles),
        routing_policy=config.routing_policy,
        privacy=config.privacy,
    )


def _alone(profile: Profile, config: schema.Config) -> Chain:
    return Chain(
        name=profile.name,
        title=profile.title,
        members=(Member(profile=profile.name),),
        routing_policy=config.routing_policy,
        privacy=config.privacy,
        alone=True,
    )

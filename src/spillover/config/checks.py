"""Check what settings mean together: providers, keys, free figures, prices, addresses.

Runs on whatever part of the configuration is well formed. Refuses to know where things stand in the
file (a finding names its path) and to change anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spillover.catalogue import Catalogue, Kind
from spillover.catalogue.ageing import STALE_AFTER_DAYS, age_days, day_of, is_stale
from spillover.config import dialects
from spillover.config.addresses import is_loopback, is_loopback_host
from spillover.config.facts import (
    entry_of,
    is_cloud_model,
    limits_of,
    model_of,
    price_of,
    provider_name,
    rates_of,
)
from spillover.config.findings import Finding
from spillover.config.limits import FREE, LimitSpec
from spillover.config.overrides import FILE_NAMES as CATALOGUE_FILES
from spillover.config.secrets import MissingSecret
from spillover.config.upstreams import upstream_of
from spillover.core.values import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from spillover.config.findings import KeyPath
    from spillover.config.schema import Account, Config, Profile
    from spillover.config.secrets import Secret


def errors(config: Config, catalogue: Catalogue) -> Iterator[Finding]:
    """Yield everything that can't work."""
    yield from _server(config)
    for name, account in config.accounts.items():
        yield from _source(account, ("accounts", name), catalogue)
        if account.limits == FREE:
            yield Finding(
                path=("accounts", name, "limits"),
                found="free",
                expected="amounts, or limits: free at each profile (the figures are per model)",
            )
    for name, profile in config.profiles.items():
        path = ("profiles", name)
        yield from _source_of_profile(profile, path, config, catalogue)
        yield from _model(profile, path, config, catalogue)
        yield from _limits(profile, path, config, catalogue)


def warnings(config: Config, catalogue: Catalogue, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what works but hardly as meant."""
    for name, profile in config.profiles.items():
        yield from _far_local(name, profile, config, catalogue=catalogue, environ=environ)
        for spec in limits_of(profile, config, catalogue) or ():
            if profile.limits == FREE and spec.amount == 0:
                yield Finding(
                    path=("profiles", name, "limits"),
                    found=f"free, which is 0 {spec.metric} per {spec.per} for this model",
                    expected="another model, or your own limits: nothing will pass",
                )
    for section, sources in (("accounts", config.accounts), ("profiles", config.profiles)):
        for name, source in sources.items():
            yield from _other_path(source.base_url, (section, name, "base_url"), catalogue)
    yield from _shadowed_aliases(config)


def stale(config: Config, catalogue: Catalogue, today: date) -> Iterator[Finding]:
    """Yield free figures in use whose evidence is old, the oldest of each provider."""
    oldest: dict[str, tuple[str, str]] = {}
    for name, profile in config.profiles.items():
        entry = entry_of(profile, config, catalogue)
        if entry is None or profile.limits != FREE:
            continue
        model = model_of(profile, config, catalogue) or ""
        for limit in catalogue.free_limits(entry.id, model) or ():
            known = oldest.get(entry.id)
            if known is None or day_of(limit.as_of) < day_of(known[0]):
                oldest[entry.id] = limit.as_of, name
    for provider, (as_of, name) in oldest.items():
        if is_stale(as_of, today):
            yield Finding(
                path=("profiles", name, "limits"),
                found=f"free figures of {provider} from {as_of}, {age_days(as_of, today)} days old",
                expected=f"figures of the last {STALE_AFTER_DAYS} days: see spillover catalogue "
                f"{provider}, and write what holds today to {CATALOGUE_FILES[0]}",
            )


def retiring(config: Config, catalogue: Catalogue, today: date) -> Iterator[Finding]:
    """Yield models that their provider has switched off, or will."""
    for name, profile in config.profiles.items():
        entry, model = entry_of(profile, config, catalogue), model_of(profile, config, catalogue)
        gone = catalogue.retired(entry.id, model) if entry is not None and model else None
        if entry is None or gone is None:
            continue
        is_past = day_of(gone.on) <= today
        yield Finding(
            path=("profiles", name, "model"),
            found=f"{model!r}, which was retired on {gone.on} at {entry.id}"
            if is_past
            else f"{model!r}, which will be retired on {gone.on} at {entry.id}",
            expected=f"its successor {gone.successor}" if gone.successor else "another model",
        )


def missing_keys(
    config: Config, catalogue: Catalogue, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield what stays shut for want of a key: profiles that can't serve, and doors of the gateway."""
    for number, client_key in enumerate(config.server.client_keys):
        yield from _closed_door(client_key, ("server", "client_keys", number))
    yield from _closed_door(config.server.admin_key, ("server", "admin_key"))
    for name, profile in config.profiles.items():
        far = upstream_of(profile, config, catalogue=catalogue, environ=environ)
        if far.missing is not None:
            in_account = profile.account is not None and profile.account in config.accounts
            place = ("accounts", profile.account or "") if in_account else ("profiles", name)
            yield Finding(
                path=(*place, "api_key"),
                found=f"nothing ({far.missing})",
                expected=f"a key: the profile {name!r} starts as failed (key_missing)",
            )


def _closed_door(key: Secret | MissingSecret | None, path: KeyPath) -> Iterator[Finding]:
    if isinstance(key, MissingSecret):
        yield Finding(
            path=path,
            found=f"nothing ({key.wanted})",
            expected="a key: until there is one, what it opens stays closed",
        )


def _server(config: Config) -> Iterator[Finding]:
    server = config.server
    if not is_loopback_host(server.host):
        for key, value in (("client_keys", server.client_keys), ("admin_key", server.admin_key)):
            if value in {None, ()}:
                yield Finding(
                    path=("server", "host"),
                    found=f"{server.host!r} without {key}",
                    expected=f"127.0.0.1, or {key}: others can reach this address",
                )
    elif server.client_keys and server.admin_key is None:
        yield Finding(
            path=("server", "client_keys"),
            found="client_keys without admin_key",
            expected="admin_key too: without one nobody could open the dashboard and /api",
        )


def _source_of_profile(
    profile: Profile, path: KeyPath, config: Config, catalogue: Catalogue
) -> Iterator[Finding]:
    if profile.account is None:
        yield from _source(profile, path, catalogue)
        return
    account = config.accounts.get(profile.account)
    for key in ("base_url", "api_key", "protocol", "provider"):
        written = getattr(profile, key)
        same = account is not None and key == "provider" and written == account.provider
        if written is not None and not same:
            yield Finding(
                path=(*path, key),
                found=f"{key} beside account",
                expected=f"one of them: the account {profile.account!r} has its own {key}",
            )


def _source(source: Profile | Account, path: KeyPath, catalogue: Catalogue) -> Iterator[Finding]:
    if source.provider is None and source.base_url is None:
        yield Finding(
            path=path, found="neither provider nor base_url", expected="one of them, or both"
        )
    if source.provider is not None and catalogue.provider(source.provider) is None:
        near = catalogue.nearest(source.provider)
        yield Finding(
            path=(*path, "provider"),
            found=repr(source.provider),
            expected="a provider of the catalogue, or base_url: alone",
            nearest=near[0] if near else None,
        )
    entry = None if source.provider is None else catalogue.provider(source.provider)
    yield from dialects.faults(source, path, entry)


def _model(
    profile: Profile, path: KeyPath, config: Config, catalogue: Catalogue
) -> Iterator[Finding]:
    if profile.model is not None:
        return
    entry = catalogue.provider(provider_name(profile, config) or "")
    if entry is None or entry.default_model.id is None:
        models = catalogue.models(entry.id) if entry else {}
        known = f" (such as {', '.join(list(models)[:3])})" if models else ""
        yield Finding(path=path, found="no model", expected=f"model: the upstream's name{known}")


def _limits(
    profile: Profile, path: KeyPath, config: Config, catalogue: Catalogue
) -> Iterator[Finding]:
    model = model_of(profile, config, catalogue)
    provider = provider_name(profile, config)
    specs = limits_of(profile, config, catalogue)
    place = (*path, "limits")
    if specs is None:
        if provider is None:
            yield Finding(
                path=place,
                found="free, which means nothing at an address without a provider",
                expected="own amounts, or provider: beside base_url",
            )
            return
        if model is None:  # told already
            return
        near = catalogue.nearest_model_with_figures(provider, model)
        gone = catalogue.retired(provider, model)
        retired = f", which is retired from {gone.on} on" if gone is not None else ""
        yield Finding(
            path=place,
            found=f"free, but no free figures are known for {model!r} at {provider!r}{retired}",
            expected="own amounts, or a model with figures" if near else "own amounts",
            nearest=(gone.successor if gone is not None else None) or near,
        )
        return
    account = config.accounts.get(profile.account or "")
    if account is not None and account.limits != FREE:
        specs = (*specs, *account.limits)
    yield from _priced(specs, profile, place, config=config, catalogue=catalogue)


def _priced(
    specs: tuple[LimitSpec, ...],
    profile: Profile,
    path: KeyPath,
    *,
    config: Config,
    catalogue: Catalogue,
) -> Iterator[Finding]:
    """What is counted in money or neurons needs to know what a token costs."""
    metrics = {spec.metric for spec in specs}
    model = model_of(profile, config, catalogue)
    if Metric.COST in metrics and price_of(profile, config, catalogue) is None:
        yield Finding(
            path=path,
            found=f"a limit on cost, but no price is known for {model!r}",
            expected="price: {input: …, output: …} in US dollars per million tokens",
        )
    if Metric.NEURONS in metrics and rates_of(profile, config, catalogue) is None:
        yield Finding(
            path=path,
            found=f"a limit on neurons, but none are known per token of {model!r}",
            expected="a provider that counts neurons (cloudflare), "
            "and a price: where the catalogue has none for the model",
        )


def _far_local(
    name: str,
    profile: Profile,
    config: Config,
    *,
    catalogue: Catalogue,
    environ: Mapping[str, str],
) -> Iterator[Finding]:
    """A local server at another machine's address is not local by itself."""
    far = upstream_of(profile, config, catalogue=catalogue, environ=environ)
    if profile.tier is not None or far.entry is None or far.entry.kind is not Kind.LOCAL:
        return
    if not is_loopback(far.base_url):
        why = f"{far.base_url}, which is not this machine"
    elif is_cloud_model(profile.model or ""):
        why = f"{profile.model!r}, which runs in the cloud"
    else:
        return
    yield Finding(
        path=("profiles", name), found=why, expected="tier: local (or free), else it counts as paid"
    )


def _other_path(written: str | None, path: KeyPath, catalogue: Catalogue) -> Iterator[Finding]:
    """A provider's host with a part of the catalogue's path alone hardly answers."""
    if written is None:
        return
    parts = urlsplit(written)
    usual = {
        urlsplit(entry.base_url).path: entry.base_url
        for entry in catalogue.providers.values()
        if urlsplit(entry.base_url).hostname == parts.hostname
    }
    wanted = [
        base_url
        for known, base_url in usual.items()
        if known.startswith(parts.path) or known.endswith(parts.path)
    ]
    if parts.path not in usual and wanted:
        yield Finding(path=path, found=written, expected=f"{wanted[0]}, as the catalogue has it")


def _shadowed_aliases(config: Config) -> Iterator[Finding]:
    everything = False
    for alias in config.aliases:
        if everything:
            yield Finding(
                path=("aliases", alias),
                found=f"{alias!r} below '*'",
                expected="it above '*', for the first match counts",
            )
        everything = everything or alias == "*"
        if alias in config.chains or alias in config.profiles:
            yield Finding(
                path=("aliases", alias),
                found=f"{alias!r}, which is a chain or profile",
                expected="another name: chains and profiles are looked up first",
            )

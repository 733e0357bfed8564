"""Join what a profile says with what the catalogue knows: model, tier, limits, price, rank.

What is written always wins. Refuses to know keys and counters.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from spillover.catalogue import Catalogue, Kind, ModelFacts, Provider
from spillover.config.addresses import is_loopback
from spillover.config.limits import FREE, LimitSpec
from spillover.core.values import NANOUSD_PER_USD, Price, Tier

if TYPE_CHECKING:
    from spillover.config.schema import Config, Profile

_TOKENS_PER_PRICE: Final = 1_000_000
_CLOUD_ENDINGS: Final = (":cloud", "-cloud")


def provider_name(profile: Profile, config: Config) -> str | None:
    """Return the provider as written for a profile or its account."""
    account = config.accounts.get(profile.account or "")
    return account.provider if account is not None else profile.provider


def entry_of(profile: Profile, config: Config, catalogue: Catalogue) -> Provider | None:
    """Return the catalogue's entry of a profile's provider."""
    return catalogue.provider(provider_name(profile, config) or "")


def model_of(profile: Profile, config: Config, catalogue: Catalogue) -> str | None:
    """Return the upstream model of a profile: as written, else the catalogue's default."""
    if profile.model is not None:
        return profile.model
    entry = entry_of(profile, config, catalogue)
    return entry.default_model.id if entry is not None else None


def facts_of(profile: Profile, config: Config, catalogue: Catalogue) -> ModelFacts:
    """Return what the catalogue knows of a profile's model; empty where it knows nothing."""
    name = provider_name(profile, config) or ""
    model = model_of(profile, config, catalogue) or ""
    return catalogue.model_facts(name, model) or ModelFacts()


def limits_of(
    profile: Profile, config: Config, catalogue: Catalogue
) -> tuple[LimitSpec, ...] | None:
    """Return a profile's own limits; None: `free` was asked for and no figure is known."""
    if profile.limits != FREE:
        return profile.limits
    model = model_of(profile, config, catalogue) or ""
    free = catalogue.free_limits(provider_name(profile, config) or "", model)
    if free is None:
        return None
    return tuple(
        LimitSpec(metric=limit.metric, amount=limit.amount, window=limit.window, per=limit.per)
        for limit in free
    )


def price_of(profile: Profile, config: Config, catalogue: Catalogue) -> Price | None:
    """Return the price of a profile's tokens, rounded up; None where it is not known.

    Nobody is billed for the tokens of a server of one's own, wherever it runs.
    """
    written = profile.price
    if written is not None:
        own = _price(written.input, written.output)
        if written.cached_input is None:
            return own
        return replace(own, cached_input=_price(written.cached_input, 0.0).input)
    model = model_of(profile, config, catalogue) or ""
    entry = entry_of(profile, config, catalogue)
    own_server = entry is not None and entry.kind is Kind.LOCAL and not is_cloud_model(model)
    if own_server or profile.tier is Tier.LOCAL or model.endswith(":free"):
        return Price()
    usd = facts_of(profile, config, catalogue).price_usd
    return None if usd is None else _price(*usd)


def _price(input_usd: float, output_usd: float) -> Price:
    scale = NANOUSD_PER_USD // _TOKENS_PER_PRICE
    # Rounded first, for 0.15 * 1000 is a hair over 150 in binary.
    return Price(input=ceil(round(input_usd * scale, 6)), output=ceil(round(output_usd * scale, 6)))


def rates_of(profile: Profile, config: Config, catalogue: Catalogue) -> tuple[int, int] | None:
    """Return micro-neurons per input and output token, rounded up; None where not known.

    Neurons per million tokens and micro-neurons per token are the same number.
    """
    entry, price = entry_of(profile, config, catalogue), profile.price
    rates = facts_of(profile, config, catalogue).neurons
    if rates is None and entry is not None and price is not None:
        rates = entry.neurons((price.input, price.output))
    if rates is None:
        return None
    per_input, per_output = (ceil(round(rate, 3)) for rate in rates)
    return per_input, per_output


def rank_of(profile: Profile, config: Config, catalogue: Catalogue) -> int | None:
    """Return the place of a profile's model in the catalogue's order of quality; None: unranked."""
    model = model_of(profile, config, catalogue) or ""
    return catalogue.rank(provider_name(profile, config) or "", model)


def is_cloud_model(model: str) -> bool:
    """Return whether a local server passes this model on to a cloud (Ollama's marking)."""
    return model.lower().endswith(_CLOUD_ENDINGS)


def tier_of(profile: Profile, config: Config, catalogue: Catalogue, *, base_url: str) -> Tier:
    """Return what a profile costs: as written, else as far as the catalogue knows, else paid."""
    if profile.tier is not None:
        return profile.tier
    model = model_of(profile, config, catalogue) or ""
    entry = entry_of(profile, config, catalogue)
    local = entry is not None and entry.kind is Kind.LOCAL
    if local and is_loopback(base_url) and not is_cloud_model(model):
        return Tier.LOCAL
    if profile.limits == FREE or model.endswith(":free"):
        return Tier.FREE
    if entry is not None and catalogue.is_free(entry.id, model):
        return Tier.FREE
    return Tier.PAID

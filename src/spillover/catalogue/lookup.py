"""Load the catalogue's files and answer questions about them.

Refuses to guess: what the files don't say is None. Reading takes some 5 ms and happens once.
"""

from __future__ import annotations

import difflib
from copy import copy
from fnmatch import fnmatchcase
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, TypeVar

import msgspec

from spillover.catalogue.entries import (
    SPAN_S,
    Confidence,
    Entry,
    Figure,
    FreeRow,
    GuessedWait,
    ModelFacts,
    ModelRow,
    Provider,
    Rank,
    ResetKind,
    Retired,
    TierKind,
)
from spillover.core.values import (
    METRIC_SCALE,
    Calendar,
    CalendarUnit,
    Lifetime,
    LimitScope,
    Metric,
    Refill,
    Rolling,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_Row = TypeVar("_Row", FreeRow, Rank, GuessedWait, Retired)


class FreeLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of a free tier, ready to become a limit of a profile."""

    metric: Metric
    amount: int
    """Base units: requests, tokens, nano-dollars, micro-neurons, calls."""
    per: str | None
    window: Window | None
    scope: LimitScope
    source: str
    as_of: str
    confidence: Confidence


class _ProvidersFile(Entry, frozen=True, kw_only=True):
    collected: str
    about: str
    providers: tuple[Provider, ...]


class _ModelsFile(Entry, frozen=True, kw_only=True):
    source: str
    as_of: str
    note: str
    models: dict[str, msgspec.Raw]
    """Rows by model name, decoded when a provider is first asked about."""


class Catalogue:
    """The providers by name, with what is known of their free tiers and models."""

    def __init__(self, providers: bytes, models: bytes) -> None:
        """Read both files' bytes; raises msgspec.ValidationError if they are malformed."""
        read = msgspec.json.decode(providers, type=_ProvidersFile)
        self._models_bytes = models
        self._rows: dict[str, dict[str, ModelRow]] = {}
        self.collected: str = read.collected
        self.own: dict[str, str] = {}
        """Providers that a user's own file changed or added, and the file."""
        self.providers: dict[str, Provider] = {entry.id: entry for entry in read.providers}
        self._by_name = _by_name(self.providers)

    def changed(
        self,
        providers: dict[str, Provider],
        models: dict[str, dict[str, ModelRow]],
        *,
        by: str,
    ) -> Catalogue:
        """Return a catalogue with other entries and model rows, which `by` names the source of."""
        other = copy(self)
        other.own = self.own | dict.fromkeys(providers, by)
        other.providers = self.providers | providers
        other._by_name = _by_name(other.providers)  # noqa: SLF001 (it is a catalogue too)
        rows = {name: self.models(name) | models.get(name, {}) for name in providers}
        other._rows = self._rows | rows  # noqa: SLF001 (the same)
        return other

    @cached_property
    def _models(self) -> _ModelsFile:
        return msgspec.json.decode(self._models_bytes, type=_ModelsFile)

    def provider(self, name: str) -> Provider | None:
        """Return the provider of this id or alias, whatever its case."""
        return self._by_name.get(name) or self._by_name.get(name.lower())

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the provider ids and aliases most like a name, best first."""
        return tuple(difflib.get_close_matches(name.lower(), self._by_name, n=3, cutoff=0.5))

    def models(self, provider: str) -> dict[str, ModelRow]:
        """Return the known models of a provider by upstream name."""
        entry = self.provider(provider)
        if entry is None:
            return {}
        if entry.id not in self._rows:
            raw = self._models.models.get(entry.id)
            self._rows[entry.id] = (
                msgspec.json.decode(raw, type=dict[str, ModelRow]) if raw is not None else {}
            )
        return self._rows[entry.id]

    def model_facts(self, provider: str, model: str) -> ModelFacts | None:
        """Return what is known of a model, None if it is not listed."""
        entry, row = self.provider(provider), self.models(provider).get(model)
        if entry is None or row is None:
            return None
        caps = [free.context_tokens for free in _rows_for(entry, model)]
        return ModelFacts(
            context_tokens=min([n for n in (row.context, *caps) if n], default=None),
            max_output_tokens=row.max_output,
            lacks=frozenset(row.lacks),
            price_usd=row.price,
            neurons=row.neurons or entry.neurons(row.price),
            modalities=row.modalities,
            deprecated=row.status == "deprecated",
            source=row.source or self._models.source,
            as_of=row.as_of or self._models.as_of,
        )

    def facts_of(self, provider: str) -> dict[str, ModelFacts]:
        """Return what is known of every listed model of a provider, by upstream name."""
        facts = {model: self.model_facts(provider, model) for model in self.models(provider)}
        return {model: known for model, known in facts.items() if known is not None}

    def rank(self, provider: str, model: str) -> int | None:
        """Return a model's place in the order of quality, 1 the best; None: unranked."""
        entry = self.provider(provider)
        if entry is None:
            return None
        row = self.models(provider).get(model)
        if row is not None and row.rank is not None:
            return row.rank
        fitting = _most_specific(entry.ranks, model)
        return fitting[0].place if fitting else None

    def free_limits(self, provider: str, model: str) -> tuple[FreeLimit, ...] | None:
        """Return the free tier's limits for a model, None where no figure is known.

        Where several rows match, the most specific one's figure wins for each metric and window.
        A credit for newcomers is a limit too, on a window that never ends.
        """
        entry = self.provider(provider)
        if entry is None:
            return None
        found: dict[tuple[Metric, str | None], FreeLimit] = {}
        for row in _rows_for(entry, model):
            for figure in row.figures:
                found.setdefault((figure.metric, figure.per), _limit(entry, row, figure))
            for credit in _credits(entry, row):
                found.setdefault((credit.metric, credit.per), credit)
        return tuple(found.values()) or None

    def is_free(self, provider: str, model: str) -> bool:
        """Whether a recurring free tier covers the model (an amount of 0 covers nothing)."""
        entry = self.provider(provider)
        if entry is None or entry.tier_kind is not TierKind.RECURRING:
            return False
        rows = _rows_for(entry, model)
        return bool(rows) and all(figure.amount > 0 for row in rows for figure in row.figures)

    def nearest_model_with_figures(self, provider: str, model: str) -> str | None:
        """Return the model (or glob) with free figures that is most like a name."""
        entry = self.provider(provider)
        if entry is None:
            return None
        names = [name for row in entry.free if _applies(row) and row.gives for name in row.models]
        return next(iter(difflib.get_close_matches(model, names, n=1, cutoff=0.0)), None)

    def guessed_waits(self, provider: str, model: str) -> tuple[tuple[str, float | None], ...]:
        """Return (limit's name, seconds) by which to wait when a refusal states nothing.

        No seconds: until the limit's window ends. The most specific row of each limit counts.
        """
        entry = self.provider(provider)
        found: dict[str, float | None] = {}
        for row in _most_specific(() if entry is None else entry.guessed_waits, model):
            found.setdefault(f"{row.metric.value}_per_{row.per}", row.wait_s)
        return tuple(found.items())

    def retired(self, provider: str, model: str) -> Retired | None:
        """Return since when a model is gone, or from when on it will be; None: it is not known to."""
        entry = self.provider(provider)
        fitting = _most_specific(() if entry is None else entry.retired, model)
        return fitting[0] if fitting else None

    def window(self, provider: str, name: str) -> Window | None:
        """Return how a provider's `minute`, `day` … resets, None where that is not known."""
        entry = self.provider(provider)
        if entry is None or name not in entry.windows:
            return None
        if entry.windows[name].kind is ResetKind.UNKNOWN:
            return None
        return _window(entry, name)


def _by_name(providers: Mapping[str, Provider]) -> dict[str, Provider]:
    names = dict(providers)
    for entry in providers.values():
        for alias in entry.aliases:
            names.setdefault(alias, entry)
    return names


def _applies(row: FreeRow) -> bool:
    return row.condition is None


def _rows_for(entry: Provider, model: str) -> list[FreeRow]:
    """The rows that cover a model without a condition, the most specific first."""
    return [row for row in _most_specific(entry.free, model) if _applies(row)]


def _most_specific(rows: Iterable[_Row], model: str) -> list[_Row]:
    """The rows that name a model, exact names before globs, longer globs before shorter ones."""
    matches = [
        (max(len(name) + 1_000 * (name == model) for name in names), row)
        for row in rows
        if (names := [name for name in row.models if fnmatchcase(model, name)])
    ]
    return [row for _, row in sorted(matches, key=lambda match: -match[0])]


def _limit(entry: Provider, row: FreeRow, figure: Figure) -> FreeLimit:
    return FreeLimit(
        metric=figure.metric,
        amount=round(figure.amount * METRIC_SCALE.get(figure.metric, 1)),
        per=figure.per,
        window=None if figure.per is None else _window(entry, figure.per),
        scope=figure.scope or entry.pool.scope,
        source=row.source,
        as_of=row.as_of,
        confidence=row.confidence,
    )


def _credits(entry: Provider, row: FreeRow) -> Iterator[FreeLimit]:
    """What a row gives once: money to the account, tokens to whoever shares the provider's limits."""
    amounts = {Metric.COST: row.one_time_usd, Metric.TOKENS: row.one_time_tokens}
    for metric, amount in amounts.items():
        if amount is not None:
            yield FreeLimit(
                metric=metric,
                amount=round(amount * METRIC_SCALE.get(metric, 1)),
                per="lifetime",
                window=Lifetime(),
                scope=LimitScope.ACCOUNT if metric is Metric.COST else entry.pool.scope,
                source=row.source,
                as_of=row.as_of,
                confidence=row.confidence,
            )


def _window(entry: Provider, per: str) -> Window:
    """How a window resets; rolling where it is not known, for that never allows more."""
    known = entry.windows.get(per)
    kind = ResetKind.UNKNOWN if known is None else known.kind
    if kind is ResetKind.CALENDAR and known is not None:
        return Calendar(unit=CalendarUnit(per), zone=known.zone or "UTC")
    if kind is ResetKind.REFILL:
        return Refill(seconds=SPAN_S[per])
    return Rolling(seconds=SPAN_S[per])


@cache
def load() -> Catalogue:
    """Return the packaged catalogue, read once per process."""
    folder = files("spillover.catalogue")
    return Catalogue(
        folder.joinpath("providers.json").read_bytes(), folder.joinpath("models.json").read_bytes()
    )

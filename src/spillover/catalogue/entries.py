"""The shapes of the catalogue's entries, as its JSON files hold them.

Refuses to look anything up: `spillover.catalogue.lookup` does.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from spillover.core.values import CalendarUnit, Capability, LimitScope, Metric, StreamUsage
from spillover.protocols.usage_answers import UsageForm

_PLACE: Final = re.compile(r"\{(\w+)\}")

SPAN_S: Final[dict[str, float]] = {
    "second": 1.0,
    "minute": 60.0,
    "10m": 600.0,
    "hour": 3_600.0,
    "5h": 18_000.0,
    "day": 86_400.0,
    "week": 604_800.0,
    "month": 2_678_400.0,
}
"""Seconds in each window the figures name; a month is 31 days, so that none is ever exceeded."""

Date: TypeAlias = Annotated[str, Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$")]
"""A day, or a month where no day is known."""
Address: TypeAlias = Annotated[str, Meta(pattern=r"^https?://[^/\s][^\s]*[^/\s]$")]
UrlPath: TypeAlias = Annotated[str, Meta(pattern=r"^/[^/\s?#][^\s?#]*$")]
ListPath: TypeAlias = Annotated[str, Meta(pattern=r"^/[^\s#]+$")]
Amount: TypeAlias = Annotated[float, Meta(ge=0)]
Tokens: TypeAlias = Annotated[int, Meta(ge=1)]
Pair: TypeAlias = tuple[Amount, Amount]
"""Per million input and output tokens."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what the files hold: immutable, and no field may be misspelt."""


class Kind(StrEnum):
    """What a provider is."""

    CLOUD = "cloud"
    AGGREGATOR = "aggregator"
    HYPERSCALER = "hyperscaler"
    GATEWAY = "gateway"
    """A proxy of your own that reaches others, paid ones too: never local, wherever it runs."""
    LOCAL = "local"


class Pool(StrEnum):
    """What shares a provider's limits, hence whose counter a free limit is."""

    ACCOUNT = "account"
    """All models of a key together."""
    MODEL = "model"
    """Each model of a key for itself."""
    PROJECT = "project"
    """Each model of a project, whatever the key: its keys count as one account."""
    IP = "ip"
    """Everything from one address, whatever the key: its keys count as one account."""
    PROFILE = "profile"
    """Nothing is shared (local servers)."""

    @property
    def scope(self) -> LimitScope:
        """Whose counter a limit of this pool reads."""
        match self:
            case Pool.MODEL | Pool.PROJECT:
                return LimitScope.MODEL
            case Pool.ACCOUNT | Pool.IP:
                return LimitScope.ACCOUNT
            case Pool.PROFILE:
                return LimitScope.PROFILE

    @property
    def ignores_keys(self) -> bool:
        """Whether several keys count as one account."""
        return self in {Pool.PROJECT, Pool.IP}


class TierKind(StrEnum):
    """What a provider gives away."""

    RECURRING = "recurring"
    """A free amount that comes back."""
    CREDITS = "credits"
    """Money that comes back, spent at list prices."""
    ONE_TIME = "one_time"
    """A credit for newcomers, gone when it is spent."""
    PAID = "paid"
    LOCAL = "local"
    RETIRED = "retired"
    """It answers no more; kept for its error shapes."""


class ResetKind(StrEnum):
    """How a provider's window gives quota back."""

    ROLLING = "rolling"
    CALENDAR = "calendar"
    REFILL = "refill"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How well a figure is attested."""

    HIGH = "high"
    """Read from live headers or an official table."""
    MEDIUM = "medium"
    """A maintained list, or two reports that agree."""
    LOW = "low"
    """A single or an old report."""


_CALENDAR: Final = frozenset(unit.value for unit in CalendarUnit)


class Auth(Entry, frozen=True, kw_only=True):
    """How a key is presented."""

    header: str
    scheme: str | None = None
    """Word before the key (`Bearer`); None: the bare key."""
    optional: bool = False
    """The provider answers without a key too."""


class ResetWindow(Entry, frozen=True, kw_only=True):
    """How one of a provider's windows resets."""

    kind: ResetKind
    zone: str | None = None
    """IANA zone of a calendar window; None: not stated."""
    source: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Refuse a zone that there is not."""
        if self.zone is None:
            return
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError("a zone such as America/Los_Angeles") from None


class Figure(Entry, frozen=True, kw_only=True):
    """One amount of a free tier, as written: requests, tokens, US dollars, neurons or calls."""

    metric: Metric
    amount: Amount
    per: str | None = None
    """`second`, `minute`, `hour`, `day`, `month` or a duration; None: concurrency."""
    scope: LimitScope | None = None
    """Whose counter, where it differs from the provider's pool."""

    def __post_init__(self) -> None:
        """Refuse a window that nobody can measure."""
        if self.metric is Metric.CONCURRENCY:
            if self.per is not None:
                raise ValueError("no per: beside concurrency")
        elif self.per not in SPAN_S:
            raise ValueError(f"per: with one of {', '.join(SPAN_S)}")


class Was(Entry, frozen=True, kw_only=True):
    """What a row said at an earlier date, so that a remembered figure is recognised as old."""

    figures: tuple[Figure, ...]
    context_tokens: Tokens | None = None
    as_of: Date
    source: str


class FreeRow(Entry, frozen=True, kw_only=True):
    """What a provider's free tier allows for some models."""

    models: tuple[str, ...]
    """Upstream model names or globs (`*:free`)."""
    figures: tuple[Figure, ...] = ()
    """Empty: free, but no figure is published."""
    source: str
    as_of: Date
    """Date of the evidence; where that is undated, of its collection."""
    undated: bool = False
    confidence: Confidence
    condition: str | None = None
    """When this row holds instead of the usual one; such a row is shown, never applied."""
    one_time_usd: float | None = None
    one_time_tokens: int | None = None
    context_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    note: str | None = None
    was: tuple[Was, ...] = ()
    """Earlier figures, the newest first."""

    @property
    def gives(self) -> bool:
        """Whether an amount is known, of what comes back or of what is given once."""
        return bool(self.figures or self.one_time_usd or self.one_time_tokens)


class Rank(Entry, frozen=True, kw_only=True):
    """Where a provider's models stand in the order of quality."""

    models: tuple[str, ...]
    """Upstream model names or globs; the most specific one counts."""
    place: Annotated[int, Meta(ge=1)]
    """1 is the best; equal places leave the order to the chain."""
    reason: str
    as_of: Date


class GuessedWait(Entry, frozen=True, kw_only=True):
    """How long to stay away after a refusal that says what is spent, but not until when."""

    models: tuple[str, ...]
    """Upstream model names or globs; the most specific one counts."""
    metric: Metric
    per: str
    """The window: `minute`, `hour`, `day`, `week` or `month`."""
    amount: Amount | None = None
    """The limit that was known with it."""
    says: str | None = None
    """How such a refusal begins."""
    wait_s: Annotated[float, Meta(gt=0)] | None = None
    """None: until the window ends, in UTC."""
    instead: str | None = None
    """A model to fall back to."""
    source: str
    as_of: Date

    def __post_init__(self) -> None:
        """Refuse a window that has no name in a refusal."""
        if self.per not in _CALENDAR:
            raise ValueError(f"per: with one of {', '.join(sorted(_CALENDAR))}")


class DefaultModel(Entry, frozen=True, kw_only=True):
    """The model a profile gets when none is named."""

    id: str | None
    """None: ask the server which models it has."""
    source: str
    as_of: Date


class Retired(Entry, frozen=True, kw_only=True):
    """Models that a provider has switched off, or has said when it will."""

    models: tuple[str, ...]
    """Upstream model names or globs; the most specific one counts."""
    on: Date
    """The last day, as announced."""
    successor: str | None = None
    """The model to take instead; None: the provider names none."""
    source: str


class HeaderFact(Entry, frozen=True, kw_only=True):
    """One header in which a provider speaks of quota."""

    name: str
    kind: str
    format: str
    source: str
    metric: str | None = None
    window: str | None = None
    example: str | None = None
    when: str | None = None
    note: str | None = None


class QuotaEndpoint(Entry, frozen=True, kw_only=True):
    """Where a provider says what is left of an account, for nothing."""

    path: UrlPath
    """From the root of the address's origin."""
    source: str
    answer: UsageForm | None = None
    """How its answer is read; None: it is not asked."""
    note: str | None = None


class Provider(Entry, frozen=True, kw_only=True):
    """A company or API family."""

    id: str
    name: str
    kind: Kind
    base_url: Address
    """With `{VARIABLE}` where an environment variable belongs."""
    base_url_source: str
    auth: Auth
    pool: Pool
    tier_kind: TierKind
    stream_usage: StreamUsage
    default_model: DefaultModel
    models_path: ListPath
    as_of: Date
    aliases: tuple[str, ...] = ()
    key_env: tuple[str, ...] = ()
    """Environment variables that hold a key, the usual one first."""
    address_env: tuple[str, ...] = ()
    """Environment variables that hold the server's address."""
    env_unverified: tuple[str, ...] = ()
    native_protocol: str | None = None
    """The provider's own dialect, where it is not the one spoken here."""
    free: tuple[FreeRow, ...] = ()
    free_note: str | None = None
    ranks: tuple[Rank, ...] = ()
    """None fits a model: it is unranked, and comes after all that are ranked."""
    windows: dict[str, ResetWindow] = {}
    """By the window's name: `minute`, `hour`, `day`, `week`, `month`, `5h`."""
    headers: tuple[HeaderFact, ...] = ()
    wait_hints: str | None = None
    guessed_waits: tuple[GuessedWait, ...] = ()
    """What to do about refusals that state no wait."""
    retired: tuple[Retired, ...] = ()
    """Models that are gone, or soon will be."""
    stream_usage_note: str | None = None
    reserves_max_tokens: bool = False
    """The provider counts all of `max_tokens` against its limits before it answers."""
    counts_cached_input: bool = True
    """Tokens read from the provider's cache count against its token limits."""
    cached_note: str | None = None
    models_prove_key: bool = True
    """A wrong key is refused when models are listed; else listing them shows nothing about it."""
    key_check: str | None = None
    """Path that costs nothing and refuses a wrong key, where listing models does not."""
    key_check_source: str | None = None
    terms: str | None = None
    """What free use asks in return, or rules out."""
    first_token_s: float | None = None
    """How long the first token may take, where a minute is too short."""
    first_token_note: str | None = None
    neuron_usd: float | None = None
    """Price of one neuron in US dollars, where tokens are counted in neurons."""
    quota_endpoint: QuotaEndpoint | None = None
    pool_note: str | None = None
    quirks: tuple[str, ...] = ()
    note: str | None = None
    doc: str | None = None
    sources: tuple[str, ...] = ()
    undated: bool = False

    def __post_init__(self) -> None:
        """Refuse a window that no figure can name, and a calendar of one that has no start."""
        for name, window in self.windows.items():
            if name not in SPAN_S:
                raise ValueError(f"windows: with the names {', '.join(SPAN_S)}")
            if window.kind is ResetKind.CALENDAR and name not in _CALENDAR:
                raise ValueError(f"no calendar window but {', '.join(sorted(_CALENDAR))}")

    @property
    def places(self) -> tuple[str, ...]:
        """Environment variables that the address needs."""
        return tuple(dict.fromkeys(_PLACE.findall(self.base_url)))

    def neurons(self, price_usd: tuple[float, float] | None) -> tuple[float, float] | None:
        """Return neurons per million input and output tokens at a price; None: not counted so."""
        if self.neuron_usd is None or price_usd is None:
            return None
        per_input, per_output = price_usd
        return per_input / self.neuron_usd, per_output / self.neuron_usd


class ModelRow(Entry, frozen=True, kw_only=True):
    """What is known of one model at one provider."""

    context: Tokens | None = None
    max_output: Tokens | None = None
    lacks: tuple[Capability, ...] = ()
    modalities: tuple[str, ...] = ()
    price: Pair | None = None
    """US dollars per million input and output tokens."""
    neurons: Pair | None = None
    """Neurons per million input and output tokens, where published; else they follow from the
    price."""
    status: str | None = None
    reasoning: bool = False
    rank: Annotated[int, Meta(ge=1)] | None = None
    """Place in the order of quality, where it is not the provider's."""
    source: str | None = None
    """None: the file's."""
    as_of: Date | None = None
    """None: the file's."""
    note: str | None = None


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What routing needs to know of one model at one provider; None and empty: not known."""

    context_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    lacks: frozenset[Capability] = frozenset()
    price_usd: tuple[float, float] | None = None
    """US dollars per million input and output tokens."""
    neurons: Pair | None = None
    """Neurons per million input and output tokens."""
    modalities: tuple[str, ...] = ()
    deprecated: bool = False
    source: str = ""
    as_of: str = ""

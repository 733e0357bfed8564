"""The values that everything decides over: profiles, limits, usage, demands, failures.

Refuses to know files, wire formats, clocks and storage. Instants are epoch seconds (float, UTC)
and end in `_at`; spans are seconds and end in `_s`; money is integer nano-dollars and neurons are
integer micro-neurons, so that sums over a million calls stay exact.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

NANOUSD_PER_USD: Final = 1_000_000_000
MICRONEURONS_PER_NEURON: Final = 1_000_000
CUSTOM_PROVIDER: Final = "custom"
"""The provider of a profile that names an address alone: no catalogue knows it."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False, gc=False):
    """Base of every value: immutable, slotted, keyword-only, comparable by content.

    What can't change can't come to hold itself: the garbage collector is spared the look.
    """


class Metric(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    """Input and output together."""
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    COST = "cost"
    """US dollars; amounts are kept in nano-dollars."""
    NEURONS = "neurons"
    """Units a provider derives from tokens; amounts are kept in micro-neurons."""
    CONCURRENCY = "concurrency"
    """Calls in flight; has no window."""


METRIC_SCALE: Final[dict[Metric, int]] = {
    Metric.COST: NANOUSD_PER_USD,
    Metric.NEURONS: MICRONEURONS_PER_NEURON,
}
"""Base units in one written unit; 1 where a metric is not listed."""


Amounts: TypeAlias = tuple[int, int, int, int, int, int]
"""One amount for each countable metric, in the order of `METRIC_INDEX`."""

METRIC_INDEX: Final[dict[Metric, int]] = {
    Metric.REQUESTS: 0,
    Metric.TOKENS: 1,
    Metric.INPUT_TOKENS: 2,
    Metric.OUTPUT_TOKENS: 3,
    Metric.COST: 4,
    Metric.NEURONS: 5,
}
NOTHING: Final[Amounts] = (0, 0, 0, 0, 0, 0)
Parts: TypeAlias = tuple[tuple[int, int], ...]
"""(index of the metric, amount) of what is not zero."""


@lru_cache(maxsize=256)
def parts_of(amounts: Amounts) -> Parts:
    """Return what of `amounts` counts; one call after the other uses the same."""
    return tuple([(metric, amount) for metric, amount in enumerate(amounts) if amount])


class Tier(StrEnum):
    """What a profile costs its user."""

    FREE = "free"
    PAID = "paid"
    LOCAL = "local"


class Status(StrEnum):
    """Of a profile; listed from the weakest to the strongest: a later one hides the earlier."""

    ACTIVE = "active"
    COOLDOWN = "cooldown"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    DISABLED = "disabled"


class LimitScope(StrEnum):
    """Whose counter a limit reads."""

    PROFILE = "profile"
    MODEL = "model"
    ACCOUNT = "account"


class Protocol(StrEnum):
    """The dialect an upstream speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    RESPONSES = "openai-responses"


class Operation(StrEnum):
    """What a client asks for."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"


class Capability(StrEnum):
    """A feature that a request may need and a model may lack."""

    TOOLS = "tools"
    VISION = "vision"
    JSON_SCHEMA = "json_schema"
    CHAT = "chat"
    EMBEDDINGS = "embeddings"


class StreamUsage(StrEnum):
    """How a provider reports the usage of a stream."""

    ASK = "ask"
    """Only when `stream_options.include_usage` is set."""
    NATIVE = "native"
    """Unasked; the option is accepted or harmless to leave out."""
    NEVER = "never"
    """The option is rejected: it must not be sent."""


class FailureClass(StrEnum):
    """What a failed attempt teaches."""

    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    PAYMENT_REQUIRED = "payment_required"
    AUTH_INVALID = "auth_invalid"
    MODEL_NOT_FOUND = "model_not_found"
    CONTEXT_LENGTH = "context_length"
    BAD_REQUEST = "bad_request"
    CONTENT_FILTER = "content_filter"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY = "bad_gateway"
    TIMEOUT = "timeout"
    NETWORK = "network"


class FaultScope(StrEnum):
    """Where a fault lies."""

    ACCOUNT = "account"
    PROFILE = "profile"
    PROVIDER = "provider"
    REQUEST = "request"


class Source(StrEnum):
    """Where a stated instant or span was read."""

    HEADER = "header"
    BODY = "body"
    CATALOGUE = "catalogue"
    CONFIG = "config"
    DEFAULT = "default"
    LEDGER = "ledger"


class Confidence(StrEnum):
    """How far an instant can be trusted."""

    STATED = "stated"
    """The provider said so."""
    KNOWN = "known"
    """It follows from a window whose boundary is known."""
    GUESSED = "guessed"


class SkipReason(StrEnum):
    """Why the ladder leaves a profile out."""

    DISABLED = "disabled"
    FAILED = "failed"
    COOLDOWN = "cooldown"
    EXHAUSTED = "exhausted"
    LIMIT = "limit"
    CONTEXT_TOO_SMALL = "context_too_small"
    LACKS_CAPABILITY = "lacks_capability"
    POLICY = "policy"
    PRIVACY = "privacy"
    SPEND_GATE = "spend_gate"
    HOURS = "hours"
    TRIED = "tried"


class RoutingPolicy(StrEnum):
    """Which tiers may serve at all, and in what order of tiers."""

    ANY = "any"
    AUTO_CHEAPEST = "auto-cheapest"
    FREE_TIER = "free-tier"
    LOCAL_ONLY = "local-only"
    BYOK_PAID = "byok-paid"


class CalendarUnit(StrEnum):
    """The unit at whose start a calendar window resets."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


UNIT_S: Final[dict[CalendarUnit, float]] = {
    CalendarUnit.MINUTE: 60.0,
    CalendarUnit.HOUR: 3_600.0,
    CalendarUnit.DAY: 86_400.0,
    CalendarUnit.WEEK: 604_800.0,
    CalendarUnit.MONTH: 2_678_400.0,
}
"""Seconds in each unit. A month is 31 days, so that none is ever exceeded."""


class Rolling(Value, frozen=True, kw_only=True, tag="rolling"):
    """Usage leaves as it ages: nothing older than `seconds` counts."""

    seconds: float


class Calendar(Value, frozen=True, kw_only=True, tag="calendar"):
    """Usage counts until the zone's next minute, hour, midnight, Monday or first of month."""

    unit: CalendarUnit
    zone: str = "UTC"


class Refill(Value, frozen=True, kw_only=True, tag="refill"):
    """A bucket of `burst` units that refills by the limit's amount in every `seconds`."""

    seconds: float
    burst: int | None = None
    """Capacity in base units; None: the limit's amount."""


class Lifetime(Value, frozen=True, kw_only=True, tag="lifetime"):
    """Usage counts for good: a credit that never comes back."""


Window: TypeAlias = Rolling | Calendar | Refill | Lifetime


class Limit(Value, frozen=True, kw_only=True):
    """An amount of a metric per window, on the counter of one owner."""

    metric: Metric
    amount: int
    """Base units (requests, tokens, nano-dollars, micro-neurons, calls). 0: nothing may pass."""
    window: Window | None
    """None for concurrency alone."""
    owner: str
    """Key of the counter, as `owner_of_profile` and its kin spell it."""
    scope: LimitScope = LimitScope.PROFILE
    per: str | None = None
    """The window's length as shown to users: `minute`, `day`, `5h`."""

    @property
    def name(self) -> str:
        """The limit as users write it: `requests_per_minute`, `concurrency`."""
        return self.metric.value if self.per is None else f"{self.metric.value}_per_{self.per}"


def owner_of_profile(name: str) -> str:
    """Return the counter key of a profile."""
    return f"profile:{name}"


def owner_of_model(account: str, model: str) -> str:
    """Return the counter key of a model under an account."""
    return f"model:{account}|{model}"


def owner_of_account(account: str) -> str:
    """Return the counter key of an account."""
    return f"account:{account}"


class Usage(Value, frozen=True, kw_only=True, array_like=True):
    """What one call used, or is expected to use."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0
    microneurons: int = 0
    cached_tokens: int = 0
    """The part of `input_tokens` that the provider read from its cache."""

    @property
    def amounts(self) -> Amounts:
        """The amounts by metric, as counters add them."""
        return (
            self.requests,
            self.input_tokens + self.output_tokens,
            self.input_tokens,
            self.output_tokens,
            self.cost_nanousd,
            self.microneurons,
        )


class Price(Value, frozen=True, kw_only=True):
    """Nano-dollars per token (a written price in USD per million tokens, times 1,000)."""

    input: int = 0
    output: int = 0
    cached_input: int | None = None
    """Of input that the provider read from its cache; None: as of all input."""


class Profile(Value, frozen=True, kw_only=True):
    """A named pair of account and upstream model with its limits, as the core sees it."""

    name: str
    title: str = ""
    provider: str
    account: str
    """Ledger identity of the account: stable, holds no secret."""
    account_name: str = ""
    """The account as shown to users."""
    model: str
    tier: Tier
    limits: tuple[Limit, ...] = ()
    alternatives: tuple[str, ...] = ()
    """Upstream models tried in order, counted on this profile, when the provider lacks `model`."""
    price: Price | None = None
    rank: int | None = None
    """Place in the catalogue's order of quality, 1 the best; None comes after all that have one."""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    lacks: frozenset[Capability] = frozenset()
    """What the model is known not to have; unknown counts as had."""
    embedding_space: str = ""
    """Vectors of one space may be compared; empty: the upstream model's name."""
    reserves_max_tokens: bool = False
    """The provider itself counts all of `max_tokens` up front (Groq, Cerebras)."""
    counts_cached_input: bool = True
    """Whether tokens read from the provider's cache count against its token limits."""
    image_tokens: int = 1_600
    microneurons_per_input_token: int = 0
    microneurons_per_output_token: int = 0
    minute_window: Window | None = None
    """How the provider's minute resets, where the catalogue knows it."""
    day_window: Window | None = None
    guessed_waits: tuple[tuple[str, float | None], ...] = ()
    """Seconds by the spent limit (`requests_per_day`) when none are stated; None: to its window's end."""
    restarts: bool = False
    """We run its server, and start it anew when it fails."""
    pool: LimitScope = LimitScope.PROFILE
    """Whose the provider's own limits are, where the catalogue knows it."""
    key_missing: bool = False
    """The configured credential resolved to nothing: the profile starts as failed."""


class Demand(Value, frozen=True, kw_only=True):
    """What a request asks for, as far as routing and counting need to know."""

    operation: Operation = Operation.CHAT
    stream: bool = False
    chars: int = 0
    """Characters of text, tool schemas included, wide ones not."""
    wide_chars: int = 0
    """Characters of scripts that tokenise to about one token each (CJK, kana, hangul)."""
    images: int = 0
    choices: int = 1
    """`n`: how many answers are asked for."""
    max_output_tokens: int | None = None
    needs: frozenset[Capability] = frozenset()
    session: str | None = None
    policy: RoutingPolicy | None = None
    """A narrower policy than the chain's, asked for by the request."""
    spend_allowed: bool = False
    """The request itself agrees to reach a paid profile (`x-spillover-spend: yes`)."""
    probe: bool = False
    """A user has a profile tested: what is held against it does not stand in the way."""


class Failure(Value, frozen=True, kw_only=True):
    """What an attempt's failure means: the fruit of classification."""

    failure: FailureClass
    scope: FaultScope
    status: int | None = None
    """HTTP status, where the provider answered one."""
    code: str | None = None
    """The provider's own code or type, where it gave one."""
    message: str = ""
    """The provider's message, redacted, at most 300 characters."""
    stated_wait_s: float | None = None
    """The wait the provider states."""
    reset_at: float | None = None
    """An absolute reset of the spent metric, where the provider states one."""
    source: Source = Source.DEFAULT
    confidence: Confidence = Confidence.GUESSED
    quota_window: CalendarUnit | None = None
    """The window that is spent, where the answer names it."""
    metric: Metric | None = None
    """What is spent, where the answer names it: requests or tokens."""
    retry_elsewhere: bool = True
    """Another provider may accept the same request."""
    permanent: bool = False
    """Waiting won't mend it."""
    names_key: bool = False
    """The text blames the credential itself, not just the request."""
    concurrency: bool = False
    """Too many calls at once rather than too many in a window."""
    never_sent: bool = False
    """The request did not reach the provider: nothing was used."""
    after_content: bool = False
    """It happened behind the commit point."""
    reset_mid_send: bool = False
    """The connection broke while in use (reset, broken pipe): worth one more send."""
    mended: bool = False
    """What the provider objected to was ours and is left out from now on: worth one more send."""

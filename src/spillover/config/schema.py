"""Every setting of `spillover.yaml`: its type, its default, what it does and what follows from it.

The descriptions are the reference (`docs/configuration.md`) and the hints of editors.
Refuses to look at other settings than the one it reads: `spillover.config.checks` compares them.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from spillover.config.fielddocs import field_docs
from spillover.config.fields import (
    CacheField,
    Cooldowns,
    Credential,
    DialectField,
    Duration,
    FailbackField,
    Header,
    HoursField,
    Key,
    LimitsField,
    Line,
    Name,
    NotifyAddress,
    Pause,
    Retries,
    Size,
    Storage,
    Text,
    Told,
    Url,
    UrlPath,
    Variable,
    WhenExhausted,
    refuse,
)
from spillover.core.chains import Failback, Gate, Strategy
from spillover.core.levels import LogLevel
from spillover.core.managed import Restart
from spillover.core.values import Capability, RoutingPolicy, StreamUsage, Tier


class Settings(BaseModel):
    """Base of every group of settings: an unknown name is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        strict=False,
    )


class Server(Settings):
    """Where the gateway listens and who may call it."""

    host: Text = "127.0.0.1"
    """Address to listen on. Any other than this machine's own needs `client_keys` and `admin_key`,
    or the gateway doesn't start."""
    port: int = Field(default=4_400, ge=0, le=65_535)
    """Port to listen on; 0 takes a free one. `--port` wins over it."""
    max_body: Size = 64_000_000
    """Largest request body, such as `64MB`. A larger one is answered 413."""
    allowed_hosts: tuple[Text, ...] = ()
    """Host names, besides this machine's own, under which clients may call (containers, a reverse
    proxy). Requests under any other name are refused, so that no web page can reach the gateway."""
    client_keys: tuple[Key, ...] = ()
    """Keys that clients must present, each as `${VARIABLE}`, `keyring:NAME` or `file:PATH`.
    None: every local client may call. One that is missing opens nothing."""
    admin_key: Credential = None
    """Key for the dashboard and `/api`, needed as soon as there are `client_keys`."""
    log_level: LogLevel = LogLevel.INFO
    """What is logged, to the file and to standard error: this and what matters more. `info` has a line
    for each request and each event, `warning` only what went wrong; `debug` tells of requests on the
    terminal too. See `spillover logs`."""


MOST_PRICE_USD: Final = 100_000.0
"""Of a million tokens: no model is dearer, and the ledger can store what the largest call costs."""


class Price(Settings):
    """What a model costs."""

    input: float = Field(default=0.0, ge=0, le=MOST_PRICE_USD)
    """US dollars per million input tokens."""
    output: float = Field(default=0.0, ge=0, le=MOST_PRICE_USD)
    """US dollars per million output tokens."""
    cached_input: float | None = Field(default=None, ge=0, le=MOST_PRICE_USD)
    """US dollars per million input tokens that the provider read from its cache. Default: as `input`.
    A reservation holds the price of fresh ones; what the provider reports settles it."""


class LocalServer(Settings):
    """A local server that the gateway starts, watches and stops; see `docs/upstreams.md`."""

    command: tuple[Text, ...] = Field(min_length=1)
    """Program and arguments, run without a shell in the configuration's folder. Others can see them:
    secrets belong in `env`."""
    env: dict[Variable, Credential] = {}
    """Variables for the command, beside the gateway's own. Values may name secrets as `api_key` does."""
    health: UrlPath | None = None
    """Path to ask on its host and port; any answer below 500 is healthy. Default: none, an open port
    is healthy."""
    health_every: Pause = 10.0
    """How often its health, memory and age are looked at. The third check in a row that fails has it
    replaced."""
    start_within: Pause = 60.0
    """How long it may take to become healthy. A slower one is ended and started again."""
    restart: Restart = Restart.ON_FAILURE
    """When it is started again after it ended: `on_failure` (not after a clean exit, unless a request
    then fails), `always` or `never`. The pause before it doubles from 0.5 s to 60 s."""
    max_memory: Size | None = None
    """Memory, such as `1GiB`, over which it is recycled when no request is in flight. Default: none."""
    max_age: Pause | None = None
    """Age after which it is recycled when no request is in flight. Default: none."""
    log: Text | None = None
    """File for its output, relative to the configuration's; at 5 MB a new one is begun, and 3 old ones
    are kept. Default: `upstreams/NAME.log` in the state folder."""


class Account(Settings):
    """One credential at one provider; its limits and its health are shared by its profiles."""

    provider: Line | None = None
    """A provider of the catalogue (`spillover catalogue`). May be left out beside `base_url`."""
    base_url: Url | None = None
    """Address of the API, up to and including the version (`https://api.example.com/v1`).
    Default: the catalogue's."""
    protocol: DialectField = None
    """Dialect the upstream speaks: `openai` (chat completions, which nearly all do), `anthropic`,
    `gemini` or `openai-responses`. Default: `anthropic` for Anthropic itself, else `openai`."""
    api_key: Credential = None
    """Credential: `${VARIABLE}`, `keyring:NAME` or `file:PATH`. Left out, the provider's usual
    environment variable is read, for the catalogue's address only."""
    headers: dict[Header, Credential] = {}
    """Further headers for each request to the upstream. Values may name secrets as `api_key` does."""
    limits: LimitsField = ()
    """Limits of all the account's profiles together, written as for a profile. Default: none."""
    upstream: LocalServer | None = None
    """Local server that the gateway runs for the account's profiles. Default: none."""


class Profile(Settings):
    """A named pair of account and upstream model with its limits: the unit of quota and health."""

    title: Text | None = None
    """Free text shown beside the name. Default: none."""
    provider: Line | None = None
    """A provider of the catalogue (`spillover catalogue`), and/or `base_url`."""
    account: Name | None = None
    """An entry of `accounts`, in the place of `provider`, `base_url` and `api_key`. Left out,
    profiles with equal provider, address and key share one account by themselves."""
    base_url: Url | None = None
    """Address of the API, up to and including the version. Default: the catalogue's."""
    protocol: DialectField = None
    """Dialect the upstream speaks: `openai` (chat completions, which nearly all do), `anthropic`,
    `gemini` or `openai-responses`. Default: `anthropic` for Anthropic itself, else `openai`."""
    api_key: Credential = None
    """Credential: `${VARIABLE}`, `keyring:NAME` or `file:PATH`. Left out, the provider's usual
    environment variable is read, for the catalogue's address only. A profile whose key is missing
    starts as failed, and the rest serves."""
    headers: dict[Header, Credential] = {}
    """Further headers for each request to the upstream. Values may name secrets as `api_key` does."""
    model: Line | None = None
    """The upstream's name of the model. Default: the catalogue's for that provider."""
    alternatives: tuple[Line, ...] = ()
    """Upstream models tried in order when the provider lacks `model`; counted on this profile."""
    tier: Tier | None = None
    """What it costs: `free`, `paid` or `local`. Default: `local` for a local server's own models,
    `free` for what the catalogue knows as free, else `paid`."""
    limits: LimitsField = ()
    """Amounts that may be used per window: a mapping (`tokens_per_hour: 5K`), a list of entries
    (`{requests: 20, per: day, window: calendar, timezone: Europe/Paris}`), or `free` for the
    catalogue's figures. A credit that does not come back is `per: lifetime`
    (`cost_per_lifetime: 5`). Blank or `unlimited` is no limit; 0 lets nothing pass."""
    price: Price | None = None
    """US dollars per million tokens, for `cost` limits and comparisons. Default: the catalogue's."""
    context_tokens: int | None = Field(default=None, ge=1)
    """Tokens the model reads at most. Default: the catalogue's. Longer requests pass it by."""
    max_output_tokens: int | None = Field(default=None, ge=1)
    """Tokens the model writes at most. Default: the catalogue's."""
    lacks: tuple[Capability, ...] | None = None
    """What the model can't do: `tools`, `vision`, `json_schema`, `chat`, `embeddings`. Requests that
    need it pass the profile by. Default: the catalogue's; unknown counts as able."""
    embedding_space: Line | None = None
    """Name of the space that its vectors lie in: embeddings fall back within one space only.
    Default: the model's name."""
    stream_usage: StreamUsage | None = None
    """How the upstream reports the tokens of a stream: `ask` sends `stream_options`, `native` and
    `never` don't. Default: the catalogue's, else `ask`."""
    errors_in_text: bool = False
    """Whether an answer whose whole text is an error (`Error: API request failed (429): …`, `Rate limit
    exceeded. Please try again later.`, `[ERROR] …`) is taken as that error, as some relays tell theirs.
    In a stream its first content counts."""
    probe_every: Pause | None = None
    """How often the gateway sends it a request of one token, counted like any, while nothing else is
    heard of it: `10m`. Never against a spent limit or a wait that is known. Default: never."""
    upstream: LocalServer | None = None
    """Local server that the gateway runs for this profile, and for those with the same `command`.
    Default: none."""


class Member(Settings):
    """A profile's place in a chain."""

    profile: Name
    """Name of a profile."""
    weight: int = Field(default=1, ge=1, le=1_000_000)
    """Share of the requests under `strategy: weighted`."""
    hours: HoursField | None = None
    """Daily span in which it may serve: `18:00-09:00 America/New_York`, in UTC unless a zone is
    named, by the wall clock there. It may pass midnight, so that a provider's peak is left out by the
    span from its end to its start. Default: always."""


class SpendGate(Settings):
    """Whether a fallback from a free profile may reach a paid one."""

    on_quota: Gate = Gate.ALLOW
    """When the free one's quota is spent: `allow`, `ask` (the request must carry
    `x-spillover-spend: yes`) or `never`."""
    on_outage: Gate = Gate.ALLOW
    """When the free one fails: `allow`, `ask` or `never`."""


class Timeouts(Settings):
    """How long each phase may take."""

    connect: Pause = 5.0
    """To connect to the upstream."""
    first_token: Pause = 60.0
    """From the send to the first content of a stream. The catalogue raises it for providers that
    are known to be slow, such as local servers."""
    stall: Pause = 60.0
    """Between two events of a stream."""
    total: Pause = 1_800.0
    """For one attempt as a whole."""
    deadline: Pause = 300.0
    """For a request with all its attempts and waits, up to the first content."""


class Chain(Settings):
    """The ordered profiles that a client names as its model, and how to walk them."""

    title: Text | None = None
    """Free text shown beside the name. Default: none."""
    profiles: tuple[Member, ...]
    """Profiles in order of preference: names, or `{profile: name, weight: 3, hours: …}`.
    A chain that needs no other setting is written as this list alone."""
    strategy: Strategy = Strategy.PRIORITY
    """How profiles that may serve are ordered: `priority` (as written), `round_robin`, `weighted`,
    `least_used` (most room first), `cheapest` (local and free cost nothing, an unknown price comes
    last), `fastest` (by time to first content and tokens a second of the latest calls; one request
    in twenty tries another first) or `quality` (by the catalogue's ranks; who has none comes last).
    The routing policies `free-tier` and `auto-cheapest` order by themselves."""
    routing_policy: RoutingPolicy | None = None
    """Which tiers may serve: see the global setting, which is the default."""
    privacy: bool = False
    """Only local profiles may serve. The global setting can't be taken back here."""
    failback: FailbackField = Failback()
    """When a preferred profile is taken again: `immediate` (as soon as it can), `sticky` (stay with
    the last that worked until it can't) or `{after: 5m}` (after quiet time)."""
    when_exhausted: WhenExhausted = 0.0
    """What to do when nothing can serve: `fail` at once, or `{wait: 30s}` in a fair queue."""
    patience: Duration = 0.0
    """How long to wait for a preferred profile that will be free within it, before falling back."""
    truncate: Literal["never", "middle"] = "never"
    """What to do with a conversation that is too long for every profile: `never` shorten it, or leave
    out the oldest turns in its `middle`, whole messages only, and say so in `x-spillover-truncated`.
    System messages, the first turn, the last one and the last question stay."""
    cache: CacheField = None
    """How long a whole answer is kept for the same client key, to be given again to the very same
    request: `10m`, or `{ttl: 10m, max_size: 64MB}`, which is how much is kept (the longest unused goes
    first). In memory alone, streams too; never with tools, never errors. `x-spillover-cache` says `hit`
    or `miss`; a request with `x-spillover-cache: no` is answered anew. Default: never."""
    spend_gate: SpendGate = SpendGate()
    """Whether a fallback from a free profile may reach a paid one."""
    timeouts: Timeouts = Timeouts()
    """How long each phase may take."""
    retries: Retries = {}
    """Sends beyond the first to the same profile, by failure class: `{server_error: 2}`.
    Default: the failure table's."""
    cooldown: Cooldowns = {}
    """How long a profile rests after a failure that states no wait: one duration for all, or by
    failure class. `{fixed: 60s}` holds even when the provider states another wait."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, written: Any) -> Any:
        """A list alone is the chain's profiles."""
        if isinstance(written, (list, tuple)):
            return {"profiles": written}
        if not isinstance(written, dict):
            raise refuse("a list of profiles, or a mapping with profiles:")
        return written

    @field_validator("profiles", mode="before")
    @classmethod
    def _members(cls, written: Any) -> Any:
        """A bare name is a member with nothing special."""
        if not isinstance(written, (list, tuple)):
            raise refuse("a list of profiles")
        return [{"profile": entry} if not isinstance(entry, dict) else entry for entry in written]


class Notify(Settings):
    """Where people are told of transitions, and of which."""

    to: NotifyAddress
    """`desktop`, or an address as [Apprise](https://appriseit.com/services/) spells it: `ntfy://topic`,
    `slack://…`, `discord://…`, `mailto://…`; an `https://…` of no service known to it gets a POST of
    JSON. Kept as a secret: its parts may come from `${VARIABLE}`."""
    events: tuple[Told, ...] | None = None
    """Of what: `fallback`, `recovered`, `unserved` (a chain has nobody left), `exhausted`, `failed`,
    `budget`, `config_rejected`, `ledger`, `cooldown`. Default: all but `cooldown`."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, written: Any) -> Any:
        """A bare address is told of everything usual."""
        return written if isinstance(written, dict) else {"to": written}


class Config(Settings):
    """The whole of `spillover.yaml`."""

    server: Server = Server()
    """Where the gateway listens and who may call it."""
    storage: Storage = "sqlite"
    """Where usage is kept: `sqlite` (a file in the user's state folder), `sqlite:///path` (from this
    file's folder; `sqlite:////path` from the root), or `memory` (lost at the end, for trials)."""
    routing_policy: RoutingPolicy = RoutingPolicy.ANY
    """Which tiers may serve, and in what order: `any`, `free-tier` (local and free first by the
    catalogue's ranks, those that the conversation is about to outgrow last; then the rest behind the
    spend gate), `auto-cheapest`, `local-only` or `byok-paid`."""
    privacy: bool = False
    """Only local profiles may serve, in every chain. Switched on while the gateway runs, it holds for
    requests under way too: nothing more is sent to others."""
    on_ledger_error: Literal["local", "fail_closed"] = "local"
    """When usage can't be stored: `local` counts in memory until it can, `fail_closed` answers 503."""
    accounts: dict[Name, Account] = {}
    """Credentials shared by several profiles, by name. Optional."""
    profiles: dict[Name, Profile] = {}
    """The profiles by name."""
    chains: dict[Name, Chain] = {}
    """The chains by name; clients name them as their model. Left out, the chain `default` holds all
    profiles in the order written."""
    aliases: dict[Line, Name] = {}
    """Client's model name to chain or profile; globs such as `gpt-*`, the first match counts."""
    notify: tuple[Notify, ...] = ()
    """Where people are told of transitions ([notices](notices.md)): `desktop`, an address such as
    `ntfy://topic`, or `{to: "ntfy://topic", events: [failed, budget]}`."""


class _Described(GenerateJsonSchema):
    """Leaves out defaults that JSON has no words for; the descriptions tell them."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"non-serializable-default"}  # noqa: RUF012 (pydantic declares it so)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, as `check --schema` prints it for editors."""
    schema = Config.model_json_schema(mode="validation", schema_generator=_Described)
    definitions = schema["$defs"]
    for name, group in (("Config", schema), *definitions.items()):
        for field, described in group.get("properties", {}).items():
            described["description"] = field_docs()[name][field]
    chain = definitions["Chain"]
    members = chain["properties"]["profiles"]
    members["items"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Member"}]}
    notify = definitions["Notify"]
    definitions["Notify"] = {"anyOf": [{"type": "string", "description": "Short form."}, notify]}
    definitions["Chain"] = {"anyOf": [{**members, "description": "Short form."}, chain]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "spillover.yaml",
        **{key: value for key, value in schema.items() if key != "title"},
    }

"""The tables by which a failure is recognised: which words, codes and statuses mean what.

Rules of this file:
- Order is meaning: the first sign that matches wins. A provider's own signs stand before
  everybody's, words that name a cause before codes and statuses that many causes share. Billing
  stands before quota and quota before rate: providers send all three as 429.
- A pattern names a phrase, never a bare word or number that an innocent sentence may hold.
- Every row says where its knowledge comes from.

Refuses to know how evidence is read and what is done about a class.
"""

from __future__ import annotations

import re
from typing import Final

from spillover.core.evidence import Shape
from spillover.core.values import CalendarUnit, FailureClass, FaultScope, Value

_ACCOUNT, _PROFILE = FaultScope.ACCOUNT, FaultScope.PROFILE
_PROVIDER, _REQUEST = FaultScope.PROVIDER, FaultScope.REQUEST


class Sign(Value, frozen=True, kw_only=True):
    """What a failure looks like, and what it then means. All conditions that are set must hold."""

    failure: FailureClass
    scope: FaultScope | None
    """None: the profile at a provider of `PER_MODEL_QUOTAS` or when the text names the model,
    else the account."""
    source: str
    """Where this was learned."""
    providers: frozenset[str] = frozenset()
    """Catalogue ids; empty: any provider."""
    statuses: frozenset[int] = frozenset()
    """An error without one (in a stream, inside 200) counts as 200; empty: any status."""
    shapes: frozenset[Shape] = frozenset()
    codes: frozenset[str] = frozenset()
    """One of them stands among the evidence's codes; empty: not looked at."""
    words: re.Pattern[str] | None = None
    """Found in the evidence's lower-case text."""
    elsewhere: bool | None = None
    """Whether another provider may accept the same request; None: as the class has it."""
    window: CalendarUnit | None = None
    """The window that is spent, where the sign itself says so."""
    permanent: bool = False
    names_key: bool = False
    concurrency: bool = False


def _any(words: str) -> frozenset[str]:
    return frozenset(words.split())


PER_MODEL_QUOTAS: Final = _any(
    "anthropic azure bedrock cerebras gemini github-models groq mistral moonshot openai vertex"
)
"""Providers whose rate limits count one model of an account (their rate-limit pages)."""

NAMES_MODEL: Final = re.compile(
    r"for (?:the )?model\b|rate-limited upstream|limit_rpm/|(?:of|on|for) this model\b"
)
"""Words of a rate limit that bears on one model alone."""

WINDOWS: Final[tuple[tuple[CalendarUnit, re.Pattern[str]], ...]] = (
    (CalendarUnit.MONTH, re.compile(r"per[ _-]?month|\bmonthly\b|/ ?month\b")),
    (CalendarUnit.WEEK, re.compile(r"per[ _-]?week|\bweekly\b|/ ?week\b")),
    (
        CalendarUnit.DAY,
        re.compile(r"per[ _-]?day|\bdaily\b|/ ?day\b|\b[rt]pd\b|per 86400 ?s|modelbyday|userbyday"),
    ),
    (CalendarUnit.HOUR, re.compile(r"per[ _-]?hour|\bhourly\b|/ ?hour\b|\b[rt]ph\b|per 3600 ?s")),
    (
        CalendarUnit.MINUTE,
        re.compile(r"per[ _-]?min|/ ?min(?:ute)?\b|\b(?:rpm|i?tpm|otpm)\b|per 60 ?s|byminute"),
    ),
)
"""Words that name the window that is spent, the longest first: it is the one that binds."""


_OWN: Final = (
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROFILE,
        providers=_any("gemini"),
        statuses=frozenset({429}),
        words=re.compile(r"\blimit: 0\b"),
        permanent=True,
        source="a free tier without this model answers 'limit: 0' (ai.google.dev forum, 2026)",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=_any("vertex"),
        words=re.compile(r"resource exhausted\. please try again later"),
        source="dynamic shared quota, not the project's own (Vertex AI, error code 429)",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        providers=_any("zai zhipuai"),
        codes=_any("1302 1303"),
        concurrency=True,
        source="Z.ai error codes: too many requests at once",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        providers=_any("zai zhipuai"),
        codes=_any("1308 1310"),
        source="Z.ai error codes: the plan's 5-hour or weekly limit",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=_any("cloudflare"),
        codes=_any("3040"),
        source="Workers AI errors: no data centre has capacity",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=_any("cloudflare"),
        codes=_any("5007"),
        source="Workers AI errors: no such model",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROVIDER,
        providers=_any("kilo"),
        words=re.compile(r"rate limit exceeded for free models"),
        window=CalendarUnit.HOUR,
        source="200 free requests per hour and address (kilo.ai docs)",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        providers=_any("lmstudio"),
        shapes=frozenset({Shape.HOLLOW}),
        source="LM Studio ends a stream empty when the prompt does not fit (its bug tracker)",
    ),
)
"""Signs of one provider."""

_REQUEST_SIGNS: Final = (
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_REQUEST,
        codes=_any(
            "content_filter content_policy_violation responsibleaipolicyviolation "
            "data_inspection_failed datainspectionfailed moderation_blocked prohibited_content "
            "blocklist prompt_blocked"
        ),
        source="codes of OpenAI, Azure, DashScope and Gemini",
    ),
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_REQUEST,
        statuses=frozenset({200, 400, 403, 422, 498, 500}),
        words=re.compile(
            r"content (?:management|filtering|safety|usage) polic|blocked input"
            r"|(?:input|prompt|request|content) (?:was|has been|is) (?:flagged|blocked by)"
            r"|rejected (?:as a result of|by) (?:our|the) safety|requires moderation on"
        ),
        source="messages of Azure, OpenAI, Cohere and OpenRouter",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        codes=_any(
            "context_length_exceeded exceed_context_size_error context_window_exceeded "
            "request_too_large tokens_limit_reached string_above_max_length prompt_too_long"
        ),
        source="codes of OpenAI, llama.cpp, Anthropic and GitHub Models",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        statuses=frozenset({200, 400, 413, 422, 500}),
        words=re.compile(
            r"(?:maximum|model'?s?|available|the) context (?:length|window|size)"
            r"|context (?:length|window|size)(?: has been| was| limit)? exceeded"
            r"|(?:prompt|input|request|message) (?:is )?too (?:long|large)"
            r"|token count .{0,40}exceeds the max|truncate prompt with n_keep"
            r"|max_tokens must be at least 1, got -|reduce the length of the"
        ),
        source="messages of OpenAI, Anthropic, Gemini, Kilo, llama.cpp, LM Studio and vLLM",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        statuses=frozenset({413}),
        source="RFC 9110; Groq's 413 says that one request passes the whole minute's tokens",
    ),
)
"""Signs that the request itself can't be served here."""

_BILLING: Final = (
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        words=re.compile(r"monthly included credits"),
        window=CalendarUnit.MONTH,
        source="Hugging Face answers 402 when a month's credits are used",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        codes=_any(
            "insufficient_quota insufficient_balance insufficient_credits insufficient_user_quota "
            "exceeded_current_quota_error billing_hard_limit_reached billing_not_active arrearage "
            "payment_required payment_method_required"
        ),
        permanent=True,
        source="codes of OpenAI, Moonshot, DashScope, SambaNova and one-api",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_PROFILE,
        codes=_any("allocationquota.freetieronly"),
        permanent=True,
        source="DashScope: the model's free allowance is used up and paying is switched off",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        words=re.compile(
            r"insufficient (?:account )?(?:balance|credits?|funds)|credit balance is too low"
            r"|(?:doesn't|does not|don't|do not) have (?:any |enough )?credits|out of credits"
            r"|run out of credits|used all available credits|reached its .{0,20}spending limit"
            r"|can only afford|payment (?:method )?is required|account is in good standing"
        ),
        permanent=True,
        source="messages of Anthropic, DeepSeek, MiniMax, Z.ai, xAI, OpenRouter and DashScope",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_PROFILE,
        statuses=frozenset({401, 402, 403}),
        words=re.compile(
            r"this model requires .{0,60}(?:plan|subscription)|requires a subscription"
        ),
        permanent=True,
        source="Ollama Cloud gates models by plan under a good key",
    ),
)
"""Signs that money is missing."""

_KEY: Final = (
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        codes=_any("organization_restricted account_deactivated deactivated_workspace"),
        names_key=True,
        permanent=True,
        source="codes of Groq and OpenAI",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        words=re.compile(r"(?:organi[sz]ation|account|workspace) has been (?:disabled|suspended)"),
        names_key=True,
        permanent=True,
        source="Anthropic answers 400 for a disabled organisation",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        codes=_any(
            "invalid_api_key incorrect_api_key api_key_invalid api_key_expired invalid_key "
            "authentication_error invalid_authentication invalid_authentication_error token_expired"
        ),
        names_key=True,
        source="codes of OpenAI, Gemini, Anthropic and Moonshot",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        statuses=frozenset({200, 400, 401, 403}),
        words=re.compile(
            r"(?:invalid|incorrect|wrong|missing|expired|revoked|unknown|malformed) "
            r"(?:x-)?api[ _-]?key|api[ _-]?key (?:is |was |has been |has )?"
            r"(?:not valid|invalid|not found|missing|expired|revoked|disabled|deleted)"
            r"|(?:provide|pass) (?:an?|your|a valid) api[ _-]?key|no api[ _-]?key"
            r"|invalid (?:bearer|access|auth(?:entication|orization)?) (?:token|key|credentials?)"
        ),
        names_key=True,
        source="messages of OpenAI, Gemini, xAI, Anthropic and Azure",
    ),
)
"""Signs that the credential is to blame."""

_MODEL: Final = (
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        codes=_any("extra_forbidden unsupported_parameter unsupported_value unknown_parameter"),
        elsewhere=True,
        source="Mistral and OpenAI name fields that others accept",
    ),
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        statuses=frozenset({200, 400, 404, 422}),
        words=re.compile(
            r"no endpoints found that support|extra (?:inputs|fields) (?:are )?not permitted"
            r"|unsupported (?:parameter|value|field)|not supported with this model"
            r"|(?:unknown|unrecognized) (?:request argument|parameter|field|name \")"
            r"|(?:does|do) not support (?:tool|function|image|vision|audio|json|response_format"
            r"|structured|stream_options|this parameter)|(?:tool use|tools) (?:is|are) not supported"
        ),
        elsewhere=True,
        source="messages of OpenRouter, Mistral, Databricks, OpenAI, Gemini and Ollama",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        codes=_any(
            "model_not_found model_unavailable model_decommissioned model_not_supported "
            "model_terms_required model_permission_blocked_org deploymentnotfound unknown_model "
            "invalid_model"
        ),
        source="codes of OpenAI, LLM7, Groq, Azure, GitHub Models and Mistral",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        statuses=frozenset({200, 400, 404, 410}),
        words=re.compile(
            r"\bmodel\b.{0,100}(?:was removed|has been (?:retired|decommissioned|removed)"
            r"|no longer (?:available|supported))|not found for account"
        ),
        permanent=True,
        source="messages of Cohere, Groq, Anthropic and NVIDIA",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        statuses=frozenset({200, 400, 401, 403, 404, 410, 422}),
        words=re.compile(
            r"\bmodels?\b.{0,100}(?:not found|(?:does not|doesn't) exist|is not available)"
            r"|(?:unknown|no such) model|is not a valid model|provided model identifier is invalid"
            r"|no endpoints (?:found for|available matching)"
            r"|not allowed to use publisher model"
        ),
        source="messages of OpenAI, Cohere, Gemini, NVIDIA, OpenRouter, Bedrock and Vertex",
    ),
)
"""Signs that the model, or what it is asked for, is missing here."""

_SHORTAGE: Final = (
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROVIDER,
        statuses=frozenset({200, 400, 429, 498, 500, 502, 503, 529}),
        words=re.compile(r"\bserver (?:is )?(?:busy|overloaded)|no more data centers|^overloaded$"),
        source="messages of Ollama, Anthropic and Cloudflare",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        codes=_any(
            "overloaded_error engine_overloaded_error engine_overloaded queue_exceeded "
            "model_capacity_exhausted capacity_exceeded over_capacity model_overloaded "
            "service_tier_capacity_exceeded"
        ),
        source="codes of Anthropic, Moonshot, Cerebras, Gemini, Groq and Mistral",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        statuses=frozenset({200, 400, 429, 498, 500, 502, 503, 529}),
        words=re.compile(
            r"\b(?:is|are|currently) overloaded|experiencing (?:very )?high (?:demand|traffic|load)"
            r"|no capacity available|at (?:full )?capacity|capacity exceeded"
            r"|maximum pending requests|total request limit reached|\bloading model\b"
            r"|model is (?:currently )?loading|no available (?:model provider|channel|worker)"
        ),
        source="messages of OpenAI, Gemini, Mistral, NVIDIA, OpenRouter, Cerebras and llama.cpp",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        statuses=frozenset({200, 400, 403, 429, 503}),
        words=re.compile(
            r"concurrent ?(?:requests|connections|calls|sessions)|concurrency (?:limit|quota)"
            r"|too many (?:simultaneous|parallel|in-flight) requests"
        ),
        concurrency=True,
        source="GitHub Models, Anthropic, Ollama Cloud and OpenRouter count calls in flight",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        codes=_any("freeusagelimiterror gousagelimiterror usage_limit_reached"),
        source="codes of OpenCode Zen and ChatGPT plans",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=None,
        statuses=frozenset({200, 400, 401, 402, 403, 429}),
        words=re.compile(
            r"\busage limit|\bquota will reset|rate limit for your plan|free allocation"
            r"|free (?:tier|quota|usage)[^.]{0,40}(?:exhausted|used up|reached)"
        ),
        source="messages of Ollama Cloud, Gemini, NVIDIA and Cloudflare",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=None,
        statuses=frozenset({200, 400, 401, 403, 429, 500, 503}),
        codes=_any(
            "rate_limit_exceeded rate_limit_error rate_limit_reached_error rate_limited "
            "too_many_requests too_many_requests_error request_quota_exceeded "
            "token_quota_exceeded resource_exhausted throttlingexception ratelimitreached 429"
        ),
        source="codes of OpenAI, Groq, Anthropic, Moonshot, Mistral, Cerebras, Gemini and Bedrock",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=None,
        statuses=frozenset({200, 400, 403, 500, 503}),
        words=re.compile(
            r"rate limit (?:exceeded|reached)|exceeded (?:the|your) .{0,40}rate limit"
            r"|too many requests|limited to \d+ requests"
        ),
        source="relays that hand an upstream's 429 on under another status",
    ),
)
"""Signs that room is missing; which window is spent is told by `WINDOWS`."""


def _status(
    failure: FailureClass, scope: FaultScope | None, *statuses: int, elsewhere: bool | None = None
) -> Sign:
    return Sign(
        failure=failure,
        scope=scope,
        statuses=frozenset(statuses),
        elsewhere=elsewhere,
        source="RFC 9110, and Cloudflare's and nginx's own statuses",
    )


_STATUSES: Final = (
    _status(FailureClass.RATE_LIMITED, None, 429),
    _status(FailureClass.AUTH_INVALID, _ACCOUNT, 401, 403),
    _status(FailureClass.PAYMENT_REQUIRED, _ACCOUNT, 402),
    _status(FailureClass.MODEL_NOT_FOUND, _PROFILE, 404, 410),
    _status(FailureClass.TIMEOUT, _PROVIDER, 408, 504, 522, 524),
    _status(FailureClass.OVERLOADED, _PROVIDER, 498, 503, 529),
    _status(FailureClass.BAD_GATEWAY, _PROVIDER, 502),
    _status(FailureClass.SERVER_ERROR, _PROVIDER, 500, 520, 521, 523, 525, 526, 527),
    # The address is wrong for this protocol, which says nothing of the request.
    _status(FailureClass.BAD_GATEWAY, _PROVIDER, 301, 302, 303, 307, 308),
    _status(FailureClass.BAD_REQUEST, _REQUEST, 405, 501, elsewhere=True),
    _status(FailureClass.BAD_REQUEST, _REQUEST, 400, 422),
)
"""What a status means when nothing else is told."""

_GENERIC: Final = (
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        statuses=frozenset({200}),
        codes=_any("unavailable service_unavailable"),
        source="error events in streams, which have no status",
    ),
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        statuses=frozenset({200}),
        codes=_any("invalid_request_error invalid_argument badrequesterror bad_request"),
        source="error events in streams, which have no status",
    ),
    Sign(
        failure=FailureClass.SERVER_ERROR,
        scope=_PROFILE,
        statuses=frozenset({200}),
        source="an answer of 200 that is empty, garbage, or an error without a name",
    ),
)
"""Signs that are only looked at when the error came without a status."""

SIGNS: Final[tuple[Sign, ...]] = (
    *_OWN,
    *_REQUEST_SIGNS,
    *_BILLING,
    *_KEY,
    *_MODEL,
    *_SHORTAGE,
    *_STATUSES,
    *_GENERIC,
)
"""All signs, in the order in which they are tried."""

"""The signs of single providers: what a code or a phrase means with them and nowhere else.

Rules of this file:
- They stand before everybody's signs, and the more specific of a provider before its others.
- Numbers mean something only with the provider that gave them out.

Refuses to know signs that several providers share.
"""

from __future__ import annotations

from typing import Final

from spillover.core.evidence import Shape
from spillover.core.signs import Phrases, Sign, names, statuses
from spillover.core.values import CalendarUnit, FailureClass, FaultScope

_ACCOUNT, _PROFILE = FaultScope.ACCOUNT, FaultScope.PROFILE
_PROVIDER, _REQUEST = FaultScope.PROVIDER, FaultScope.REQUEST

_GEMINI: Final = names("gemini google")
_ZAI: Final = names("zai zhipuai zhipu")
_ALIBABA: Final = names("alibaba dashscope")
_CLOUDFLARE: Final = names("cloudflare")
_MINIMAX: Final = names("minimax")
_SILICONFLOW: Final = names("siliconflow")

_GOOGLE: Final = (
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROFILE,
        providers=_GEMINI,
        statuses=statuses(429),
        words=Phrases(r"\blimit: 0\b"),
        permanent=True,
        source="a free tier without this model answers 'limit: 0' (ai.google.dev forum, 2026)",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=names("vertex"),
        words=Phrases(r"resource exhausted\. please try again later"),
        source="dynamic shared quota, not the project's own (Vertex AI, error code 429)",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        providers=_GEMINI | names("vertex"),
        codes=names("billing_disabled"),
        permanent=True,
        source="google.rpc.ErrorInfo reasons (googleapis/googleapis error_reason.proto)",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        providers=_GEMINI | names("vertex"),
        codes=names(
            "service_disabled consumer_suspended consumer_invalid api_key_service_blocked "
            "api_key_http_referrer_blocked api_key_ip_address_blocked account_state_invalid "
            "access_token_expired access_token_scope_insufficient"
        ),
        names_key=True,
        source="google.rpc.ErrorInfo reasons (googleapis/googleapis error_reason.proto)",
    ),
)

_CHINA: Final = (
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        providers=_ZAI,
        codes=names("1302 1303"),
        concurrency=True,
        source="Z.ai error codes: too many requests at once",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        providers=_ZAI,
        codes=names("1304"),
        window=CalendarUnit.DAY,
        source="Z.ai error codes: the day's calls",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        providers=_ZAI,
        codes=names("1308 1310"),
        source="Z.ai error codes: the plan's 5-hour or weekly limit",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=_ZAI,
        codes=names("1305 1312"),
        source="Z.ai error codes: the service or the model is overloaded",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        providers=_ZAI,
        codes=names("1113 1309"),
        permanent=True,
        source="Z.ai error codes: no balance, or the plan has expired",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=_ZAI,
        codes=names("1211 1212 1220 1221 1222 1311"),
        source="Z.ai error codes: no such model, or not in this plan",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        providers=_ZAI,
        codes=names("1000 1001 1002 1003 1004 1100 1110 1111 1112 1120 1121"),
        names_key=True,
        source="Z.ai error codes: token and account",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        providers=_ZAI,
        codes=names("1261"),
        source="Z.ai error codes: the prompt is too long",
    ),
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_REQUEST,
        providers=_ZAI,
        codes=names("1300 1301"),
        source="Z.ai error codes: unsafe or sensitive content",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_PROFILE,
        providers=_ALIBABA,
        statuses=statuses(200, 429),
        codes=names(
            "insufficient_quota limit_requests limit_burst_rate throttling throttling.ratequota "
            "throttling.allocationquota throttling.burstrate throttling.user"
        ),
        window=CalendarUnit.MINUTE,
        source="Model Studio error codes: requests or tokens per minute, though it says quota",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_PROFILE,
        providers=_ALIBABA,
        codes=names("allocationquota.freetieronly"),
        permanent=True,
        source="DashScope: the model's free allowance is used up and paying is switched off",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        providers=_ALIBABA,
        codes=names(
            "arrearage prepaidbilloverdue postpaidbilloverdue commoditynotpurchased "
            "accessdenied.unpurchased"
        ),
        permanent=True,
        source="Model Studio error codes: money is owed, or the service was never bought",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=_ALIBABA,
        codes=names("model.accessdenied modelnotfound model_not_supported"),
        source="Model Studio error codes",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        providers=_ALIBABA,
        words=Phrases(r"range of input length should be"),
        source="Model Studio names the range of a prompt's length",
    ),
    Sign(
        failure=FailureClass.TIMEOUT,
        scope=_PROFILE,
        providers=_MINIMAX,
        codes=names("1001"),
        source="MiniMax error codes",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        providers=_MINIMAX,
        codes=names("1041"),
        concurrency=True,
        source="MiniMax error codes: connections",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        providers=_MINIMAX,
        codes=names("1002 1039 2045"),
        window=CalendarUnit.MINUTE,
        source="MiniMax error codes: requests or tokens per minute",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        providers=_MINIMAX,
        codes=names("2056"),
        source="MiniMax error codes: the plan's usage limit",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        providers=_MINIMAX,
        codes=names("1004 2049"),
        names_key=True,
        source="MiniMax error codes",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        providers=_MINIMAX,
        codes=names("1008"),
        permanent=True,
        source="MiniMax error codes: no balance",
    ),
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_REQUEST,
        providers=_MINIMAX,
        codes=names("1026 1027"),
        source="MiniMax error codes: sensitive input or output",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=_MINIMAX,
        codes=names("2061"),
        source="MiniMax error codes: the plan is without this model",
    ),
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        providers=_MINIMAX,
        codes=names("1042 2013"),
        source="MiniMax error codes: parameters and characters",
    ),
    Sign(
        failure=FailureClass.SERVER_ERROR,
        scope=_PROFILE,
        providers=_MINIMAX,
        codes=names("1000 1013 1024 1033"),
        source="MiniMax error codes: faults of its own",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        providers=_SILICONFLOW,
        codes=names("30001 30011"),
        permanent=True,
        source="SiliconFlow error codes: no balance",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=_SILICONFLOW,
        codes=names("20012 30003"),
        source="SiliconFlow error codes: no such model, or it is switched off",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=_SILICONFLOW,
        codes=names("50505 50508"),
        source="SiliconFlow error codes: the model's service is overloaded",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=names("modelscope"),
        words=Phrases(r"insufficient balance \(1008\)", "has no provider supported"),
        permanent=True,
        source="ModelScope relays a retired model's supplier (freellmapi)",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=None,
        providers=names("volcengine"),
        codes=names("setlimitexceeded quotaexceeded"),
        source="Ark error codes: the model's own inference limit, or its free allowance",
    ),
)

_OTHERS: Final = (
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=_CLOUDFLARE,
        codes=names("3040"),
        source="Workers AI errors: no data centre has capacity",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        providers=_CLOUDFLARE,
        codes=names("3036 4006"),
        window=CalendarUnit.DAY,
        source="Workers AI errors: the day's free neurons",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        providers=_CLOUDFLARE,
        codes=names("3041 3042 5007 5016 5018"),
        source="Workers AI errors: no such model, or not for this account",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        providers=_CLOUDFLARE,
        codes=names("3006"),
        source="Workers AI errors: the request is too large",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        providers=_CLOUDFLARE,
        codes=names("3023 10000 10001 9109"),
        names_key=True,
        source="Workers AI and Cloudflare API errors: token and account",
    ),
    Sign(
        failure=FailureClass.TIMEOUT,
        scope=_PROFILE,
        providers=_CLOUDFLARE,
        codes=names("3007 3008"),
        source="Workers AI errors: the model took too long",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROVIDER,
        providers=names("kilo"),
        words=Phrases("rate limit exceeded for free models"),
        window=CalendarUnit.HOUR,
        source="200 free requests per hour and address (kilo.ai docs)",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROVIDER,
        providers=names("github-models"),
        statuses=statuses(410),
        permanent=True,
        source="GitHub Models was retired on 2026-07-30: every call is answered 410",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=names("nvidia"),
        words=Phrases("degraded function cannot be invoked"),
        source="NVIDIA answers 400 while a model's function is down",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_PROFILE,
        providers=names("mistral"),
        statuses=statuses(429),
        words=Phrases("ratelimit-remaining-req-minute", "ratelimit-remaining-tokens-minute"),
        window=CalendarUnit.MINUTE,
        source="Mistral's headers count one model; without them it may be the workspace's rate",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROFILE,
        providers=names("groq"),
        statuses=statuses(429),
        words=Phrases("ratelimit-remaining-requests"),
        window=CalendarUnit.DAY,
        source="Groq's request headers count the day (console.groq.com, rate limits)",
    ),
    Sign(
        failure=FailureClass.BAD_GATEWAY,
        scope=_PROFILE,
        providers=names("openrouter kilo"),
        statuses=statuses(502),
        words=Phrases("provider returned error"),
        source="OpenRouter: the chosen model is down, not OpenRouter",
    ),
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_PROFILE,
        providers=names("azure"),
        codes=names("content_filter responsibleaipolicyviolation"),
        source="Azure's filters belong to a deployment",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        providers=names("mistral"),
        codes=names("3505"),
        source="Mistral: the service tier of this model has no capacity",
    ),
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        providers=names("groq"),
        codes=names("tool_use_failed json_validate_failed output_parse_failed"),
        elsewhere=True,
        source="Groq could not parse what its model wrote; another model often can",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        providers=names("together"),
        statuses=statuses(429),
        codes=names("credit_limit"),
        source="Together names its rate limit 'credit_limit'",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        providers=names("openrouter"),
        statuses=statuses(401),
        words=Phrases("user not found", "no auth credentials found", "no cookie auth"),
        names_key=True,
        source="OpenRouter's words for a key that is none",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        providers=names("lmstudio"),
        shapes=frozenset({Shape.HOLLOW}),
        source="LM Studio ends a stream empty when the prompt does not fit (its bug tracker)",
    ),
)

PROVIDER_SIGNS: Final[tuple[Sign, ...]] = (*_GOOGLE, *_CHINA, *_OTHERS)
"""All signs of single providers, in the order in which they are tried."""

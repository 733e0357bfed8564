"""The signs that a provider has none to give: no such model, no capacity, no quota left.

Refuses to know requests, keys, money and providers by name.
"""

from __future__ import annotations

from typing import Final

from spillover.core.signs import Phrases, Sign, names, statuses
from spillover.core.values import CalendarUnit, FailureClass, FaultScope

_ACCOUNT, _PROFILE, _PROVIDER = FaultScope.ACCOUNT, FaultScope.PROFILE, FaultScope.PROVIDER

MODEL_SIGNS: Final = (
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        codes=names("model_decommissioned model_deprecated model_retired"),
        permanent=True,
        source="codes of Groq and OpenAI",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        statuses=statuses(200, 400, 404, 410, 422),
        words=Phrases(
            r"\bmodels?\b.{0,100}\b(?:was|were|has been|have been|been|is|are) (?:retired"
            r"|decommissioned|removed|deprecated|discontinued|sunset|shut ?down)",
            r"\bmodel\b.{0,100}\b(?:no longer (?:available|supported|served|exists)"
            r"|reached (?:its|the) end of (?:its )?life)",
            r"not found for account",
        ),
        permanent=True,
        source="messages of Cohere, Groq, Anthropic, Bedrock and NVIDIA",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        codes=names(
            "model_not_found model_unavailable model_not_supported model_not_available "
            "model_terms_required model_permission_blocked_org model_permission_blocked_project "
            "deploymentnotfound unknown_model unavailable_model invalid_model no_access "
            "modelnotopen invalidendpointormodel.notfound key_model_access_denied "
            "team_model_access_denied modelerror notfounderror resource_not_found_error "
            "model_access_denied modelnotfounderror not_found_error"
        ),
        source="codes of OpenAI, LLM7, Groq, Azure, GitHub Models, Mistral, Ark, LiteLLM, Zen, "
        "vLLM, Moonshot, Together and Anthropic",
    ),
    Sign(
        failure=FailureClass.MODEL_NOT_FOUND,
        scope=_PROFILE,
        statuses=statuses(200, 400, 401, 403, 404, 410, 422, 500, 503),
        words=Phrases(
            r"\bmodels?\b.{0,100}\b(?:not found|(?:does not|doesn't|do not|not) exist"
            r"|(?:is|are) not (?:available|accessible|enabled|deployed|loaded))",
            r"\bmodels?\b.{0,60}not (?:currently )?supported(?! (?:with|by this|for this))",
            r"(?:unknown|no such|unavailable|invalid|unsupported) model\b",
            r"not found the model",
            r"invalid model name",
            r"(?:is not a valid|not a valid) model",
            r"provided model identifier is invalid",
            r"no endpoints (?:found (?:for|matching)|available matching)",
            r"no allowed providers",
            r"not allowed to (?:use|access|call) (?:this )?(?:publisher )?model",
            r"access to (?:the |this )?model",
            r"don't have access to (?:it|the model)",
            r"on-demand throughput isn't supported",
            r"unable to access model",
            r"must be verified to use the model",
            r"api deployment for this resource does not exist",
            r"no models? loaded",
            r"(?:try )?pulling it first",
            r"模型(?:.{0,40})(?:不存在|未找到|不支持|已下线|未开通)",
            r"对于模型 .{0,60}无可用渠道",
        ),
        source="messages of OpenAI, Cohere, Gemini, NVIDIA, OpenRouter, Bedrock, Vertex, Azure, "
        "Together, Moonshot, LM Studio, Ollama and one-api",
    ),
)
"""Signs that the model is missing here."""

CAPACITY_SIGNS: Final = (
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROVIDER,
        statuses=statuses(200, 400, 429, 498, 500, 502, 503, 529),
        words=Phrases(
            *(
                rf"\b{what} (?:is )?(?:too |currently |temporarily )?(?:busy|overloaded)"
                for what in ("server", "service", "system")
            ),
            r"no more data centers",
            r"(?:^|: )overloaded\.?$",
            r"(?:服务器|系统|服务)正?繁忙",
            r"(?:服务器|系统|服务)正?过载",
        ),
        source="messages of Ollama, DeepSeek, Fireworks, Anthropic and Cloudflare",
    ),
    Sign(
        failure=FailureClass.SERVER_ERROR,
        scope=_PROFILE,
        statuses=statuses(200, 400, 404, 500, 503),
        words=Phrases(
            r"model (?:has )?(?:crashed|unloaded)",
            r"failed to load (?:the )?model",
            "runner process has terminated",
        ),
        source="LM Studio and Ollama, whose model broke down under the request",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        codes=names(
            "overloaded_error engine_overloaded_error engine_overloaded queue_exceeded "
            "model_capacity_exhausted capacity_exceeded over_capacity model_overloaded "
            "service_tier_capacity_exceeded serveroverloaded modelnotreadyexception nocapacity "
            "upstream_provider_shared_pool_capacity no_available_channel slow_down"
        ),
        source="codes of Anthropic, Moonshot, Cerebras, Gemini, Groq, Mistral, Ark, Bedrock, Azure "
        "and OpenAI",
    ),
    Sign(
        failure=FailureClass.OVERLOADED,
        scope=_PROFILE,
        statuses=statuses(200, 400, 429, 498, 500, 502, 503, 529),
        words=Phrases(
            r"\b(?:is|are|currently|temporarily|be) overloaded",
            r"overloaded (?:or|with)",
            r"(?:is|are|currently) processing too many requests",
            r"experiencing (?:very |unusually )?(?:high|heavy) (?:demand|traffic|load|usage)",
            r"no capacity available",
            r"(?:at|over|beyond|exceed(?:s|ed)) (?:its )?(?:full |maximum |max )?capacity",
            r"(?:tier )?capacity (?:exceeded|exhausted|reached)",
            r"(?:out of|insufficient|lacks?|limited) capacity",
            r"maximum pending requests",
            r"total request limit reached",
            r"\bloading model\b",
            r"\bmodel (?:\S{1,100} )?is (?:currently |still )?(?:loading|busy|starting|warming)",
            r"model busy",
            r"no (?:available|healthy) (?:model provider|channel|worker|upstream|backend|instance)",
            r"no (?:deployments|instances) available",
            r"there is no available",
            r"more system memory",
            r"queue is full",
            r"访问量过大",
            r"上游负载已饱和",
            r"当前(?:模型)?(?:负载|请求)过高",
            r"无可用渠道",
        ),
        source="messages of OpenAI, Gemini, Mistral, NVIDIA, OpenRouter, Cerebras, Groq, Chutes, "
        "DeepInfra, Azure, LiteLLM, Ollama, llama.cpp, Hugging Face, Z.ai and one-api",
    ),
)
"""Signs that capacity is missing, not the caller's quota."""

QUOTA_SIGNS: Final = (
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_ACCOUNT,
        statuses=statuses(200, 400, 403, 429, 503),
        words=Phrases(
            r"concurren(?:t|cy) (?:api )?(?:requests?|connections?|calls?|sessions?|limit|quota"
            r"|exceeded)",
            r"(?:user)?concurrentrequests",
            r"(?:max|maximum|organization|request|high|exceeded) concurrency",
            r"too many (?:simultaneous|parallel|in-flight|concurrent)",
            r"(?:requests?|calls?) (?:are |is )?already (?:in progress|queued|running)",
            r"in_flight_budget",
            r"in-flight (?:budget|limit|request)",
            r"并发",
        ),
        concurrency=True,
        source="GitHub Models, Anthropic, Ollama Cloud, OpenRouter, Moonshot and Pollinations "
        "count calls in flight",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_PROVIDER,
        statuses=statuses(429),
        words=Phrases(r"error (?:code:? )?1015\b"),
        source="Cloudflare's front door counts addresses, not keys",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        statuses=statuses(200, 402, 429),
        words=Phrases("openrouter_free_tier_daily"),
        window=CalendarUnit.DAY,
        source="OpenRouter's metadata.limit_source",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=_PROFILE,
        statuses=statuses(200, 429),
        words=Phrases("upstream_provider_shared_pool", "rate-limited upstream"),
        source="OpenRouter's metadata: a pool that all its users share",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROFILE,
        statuses=statuses(200, 401, 429),
        codes=names("freeusagelimiterror"),
        source="OpenCode Zen's free models",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        codes=names(
            "gousagelimiterror usage_limit_reached usage_limit_exceeded monthlylimiterror "
            "userlimiterror servicequotaexceededexception promotion_model_limit_reached "
            "daily_limit_exceeded monthly_limit_exceeded quota_exceeded"
        ),
        source="codes of OpenCode Zen, ChatGPT plans, Bedrock, Kilo and GitHub Copilot",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        codes=names("monthly_request_count"),
        window=CalendarUnit.MONTH,
        source="Kiro answers 402 with this reason",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_PROFILE,
        statuses=statuses(200, 400, 403, 429),
        words=Phrases(r"today's quota for (?:the )?model"),
        window=CalendarUnit.DAY,
        source="ModelScope counts a model's day apart",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=None,
        statuses=statuses(200, 400, 401, 402, 403, 429),
        words=Phrases(
            r"today's (?:quota|limit|free)",
            r"(?:quota|limit) for today",
            r"(?:again|back|resets?|until) tomorrow",
            r"今[日天](?:的)?(?:额度|配额|次数|调用)",
            r"明[日天](?:再|后)",
        ),
        window=CalendarUnit.DAY,
        source="messages of ModelScope and Chinese relays",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=None,
        statuses=statuses(200, 400, 401, 402, 403, 429),
        words=Phrases(
            r"\busage limits?\b",
            r"\bquota will reset",
            "rate limit for your plan",
            "free allocation",
            r"free (?:tier|quota|usage|allowance|credits?|requests?)[^.]{0,40}(?:exhausted|used up"
            r"|reached|exceeded|consumed)",
            *(
                rf"{spent} (?:all )?(?:of )?(?:your|the) (?:free|daily|monthly|weekly|included|trial)"
                for spent in ("used up", "exhausted", "consumed")
            ),
            r"(?:5|five)-hour limit",
            *(
                rf"{span} (?:usage |request |token )?(?:limit|quota)"
                for span in ("daily", "weekly", "monthly", "session", "hourly")
            ),
            r"you've hit your (?:\w{1,12} )?limit",
            *(
                rf"{again} (?:in|after) (?:about |~)?\d{{1,4}}(?:\.\d{{1,3}})? (?:hours?|days?"
                r"|weeks?)\b"
                for again in ("try again", "retry", "available(?: again)?", "resets?")
            ),
            r"使用上限",
            *(rf"{quota}(?:将|已|达)" for quota in ("限额", "配额", "额度")),
        ),
        source="messages of Ollama Cloud, Gemini, NVIDIA, Cloudflare, Claude plans and Z.ai; waits "
        "that are told in hours or days are those of plans",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=None,
        statuses=statuses(200, 400, 401, 402, 403, 429, 500, 503),
        codes=names(
            "rate_limit_exceeded rate_limit_error rate_limit_reached_error rate_limited "
            "rate_limit ratelimiterror ratelimitexceeded rate_limit_reached too_many_requests "
            "toomanyrequests too_many_requests_error request_quota_exceeded token_quota_exceeded "
            "resource_exhausted resourceexhausted throttlingexception throttling ratelimitreached requestbursttoofast "
            "toomanyrequestsexception limit_requests tokens_per_minute_exceeded requestlimitexceeded "
            "429"
        ),
        source="codes of OpenAI, Groq, Anthropic, Moonshot, Mistral, Cerebras, Gemini, Bedrock, Ark "
        "and LiteLLM",
    ),
    Sign(
        failure=FailureClass.RATE_LIMITED,
        scope=None,
        statuses=statuses(200, 400, 401, 402, 403, 500, 502, 503),
        words=Phrases(
            r"rate[ -]limit(?:s|ed|ing)? (?:exceeded|reached|hit|error)",
            r"(?:exceeded|hit|reached|due to) (?:the |your |its |a )?(?:.{0,40} )?rate[ -]limit",
            "rate limited",
            r"(?:you are|being|been) rate[ -]limited",
            "too many requests",
            r"limited to \d+ (?:api )?(?:requests|calls)",
            r"(?:qps|rpm|tpm|requests?) limit (?:is )?(?:reached|exceeded)",
            r"\w{0,20}qpsoverflow",
            r"http (?:status )?(?:code )?429",
            r"(?:status|error) code:? 429",
            r"请求(?:过于)?频繁",
            r"(?:请求|调用)(?:次数|频率|速率)(?:过|超|达)",
            r"速率限制",
        ),
        source="relays that hand an upstream's 429 on under another status",
    ),
)
"""Signs that the caller's quota is spent; which window is told by the words for windows."""

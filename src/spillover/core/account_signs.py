"""The signs that an account can't be served: money is missing, or the credential is to blame.

Refuses to know requests, models and providers by name.
"""

from __future__ import annotations

from typing import Final

from spillover.core.evidence import Shape
from spillover.core.signs import Phrases, Sign, names, statuses
from spillover.core.values import CalendarUnit, FailureClass, FaultScope

_ACCOUNT, _PROFILE = FaultScope.ACCOUNT, FaultScope.PROFILE

BILLING_SIGNS: Final = (
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        words=Phrases("monthly included credits"),
        window=CalendarUnit.MONTH,
        source="Hugging Face answers 402 when a month's credits are used",
    ),
    Sign(
        failure=FailureClass.QUOTA_EXHAUSTED,
        scope=_ACCOUNT,
        words=Phrases(r"key limit exceeded", "specified api usage limits"),
        source="limits that people set themselves at OpenRouter and Anthropic",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        codes=names(
            "insufficient_quota insufficient_balance insufficient_credits insufficient_credit "
            "insufficient_funds insufficient_user_quota exceeded_current_quota_error "
            "billing_hard_limit_reached billing_not_active billing_error arrearage "
            "payment_required payment_method_required not_enough_balance accountoverdueerror "
            "budget_exceeded customer_verification_required spend_limit_reached "
            "openrouter_credits credits_required pre_consume_token_quota_failed"
        ),
        permanent=True,
        source="codes of OpenAI, Moonshot, DashScope, SambaNova, one-api, Novita, Ark, Anthropic, "
        "LiteLLM, Vercel, Groq and OpenRouter",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_PROFILE,
        codes=names("allocationquota.freetieronly"),
        permanent=True,
        source="DashScope: the model's free allowance is used up and paying is switched off",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_PROFILE,
        statuses=statuses(401, 402, 403),
        words=Phrases(
            r"this model requires .{0,60}(?:plan|subscription)",
            "requires a subscription",
            r"(?:upgrade|subscribe) (?:your plan )?to (?:use|access) this model",
            r"not (?:available|included) (?:on|in) your (?:current )?plan",
        ),
        permanent=True,
        source="Ollama Cloud and others gate models by plan under a good key",
    ),
    Sign(
        failure=FailureClass.PAYMENT_REQUIRED,
        scope=_ACCOUNT,
        words=Phrases(
            r"insufficient (?:account )?(?:balance|credits?|funds)",
            "credit balance is too low",
            r"balance is (?:too low|insufficient|not enough|zero|negative|\$?0)",
            r"not enough (?:balance|credits?|funds)",
            r"(?:doesn't|does not|don't|do not) have (?:any |enough |sufficient )?credits",
            "out of credits",
            "no credits remaining",
            r"credits? (?:are |is |have been )?(?:depleted|exhausted|used up)",
            r"(?:credits|balance) required",
            r"requires? (?:more )?credits",
            "used all available credits",
            r"(?:reached|exceeded) (?:its|your|the) .{0,20}spend(?:ing)? (?:limit|cap)",
            r"spend(?:ing)? (?:limit|cap) (?:reached|exceeded)",
            "spend alert threshold",
            "billing hard limit",
            r"credit limit exceeded",
            "can only afford",
            r"max tokens limit exceeded",
            r"prompt tokens limit exceeded",
            r"payment (?:method )?is required",
            "no payment method",
            r"valid credit card",
            "add a payment method to your account to continue",
            "requires billing to be enabled",
            r"account is (?:not active|in good standing|overdue|inactive)",
            r"(?:please )?check your billing details",
            r"failure to pay",
            r"budget has been exceeded",
            r"extra usage is required",
            r"account balance is",
            *(rf"{money}已?(?:不足|用尽|耗尽|用完)" for money in ("余额", "余量", "额度")),
            r"欠费",
            r"请充值",
        ),
        permanent=True,
        source="messages of Anthropic, DeepSeek, MiniMax, Z.ai, xAI, OpenRouter, DashScope, Kilo, "
        "Vercel, Chutes, Fireworks, Together, Groq, Google, LiteLLM and one-api",
    ),
)
"""Signs that money is missing."""

KEY_SIGNS: Final = (
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        codes=names(
            "organization_restricted organization_disabled account_deactivated account_suspended "
            "deactivated_workspace"
        ),
        names_key=True,
        permanent=True,
        source="codes of Groq and OpenAI",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        statuses=statuses(200, 400, 401, 403),
        words=Phrases(
            r"(?:organi[sz]ation|account|workspace|project|consumer|user|team)[^.]{0,60} "
            r"(?:has been|is|was) (?:currently )?(?:disabled|suspended|restricted|deactivated"
            r"|banned|blocked|terminated)",
        ),
        names_key=True,
        permanent=True,
        source="Anthropic answers 400 for a disabled organisation, Groq for a restricted one",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=FaultScope.PROVIDER,
        statuses=statuses(200, 400, 401, 403, 451),
        codes=names("unsupported_country_region_territory unsupported_location"),
        permanent=True,
        source="OpenAI: the key is fine, but not from this country",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=FaultScope.PROVIDER,
        statuses=statuses(200, 400, 401, 403, 451),
        words=Phrases(
            r"(?:country|region|territory|location)[^.]{0,40} (?:is )?not (?:supported|available)",
            r"not available in your (?:country|region|location)",
            r"check your network settings",
        ),
        permanent=True,
        source="messages of Gemini, OpenAI, Anthropic and Groq about where a request comes from",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        statuses=statuses(200, 400, 401, 403),
        codes=names(
            "invalid_api_key incorrect_api_key api_key_invalid api_key_expired invalid_key "
            "authentication_error invalid_authentication invalid_authentication_error "
            "token_expired wrong_api_key invalidapikey invalid_token unrecognizedclientexception "
            "expiredtokenexception invalidsignatureexception missing_api_key autherror "
            "authenticationerror failed_to_auth token_not_found_in_db expired_key "
            "incompletesignature missingauthenticationtoken invalidclienttokenid unauthenticated"
        ),
        names_key=True,
        source="codes of OpenAI, Gemini, Anthropic, Moonshot, Cerebras, Bedrock, Zen, Ark, Novita "
        "and LiteLLM",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        statuses=statuses(200, 400, 401, 403),
        words=Phrases(
            r"(?:invalid|incorrect|wrong|missing|expired|revoked|unknown|malformed|bad) "
            r"(?:x-)?(?:proxy server )?(?:your )?api[ _-]?(?:key|token)",
            r"api[ _-]?key (?:you provided )?(?:is |was |has been |has |format is )?"
            r"(?:not valid|invalid|not found|missing|expired|revoked|disabled|deleted|incorrect"
            r"|reported as leaked|required)",
            r"api key: .{0,40} is invalid",
            r"(?:provide|pass) (?:an?|your|a valid) (?:valid )?api[ _-]?key",
            r"no api[ _-]?key",
            r"invalid (?:subscription|authentication|authorization)",
            r"invalid (?:bearer|access|auth(?:entication|orization)?) (?:token|key|credentials?)",
            r"(?:token|credentials?) (?:is|was|has|have) (?:been )?(?:invalid|expired|revoked"
            r"|incorrect|missing)",
            r"(?:access|auth|bearer) token (?:invalid|expired|revoked|missing)",
            r"security token included in the request",
            r"virtual key expected",
            "invalid proxy server token",
            r"invalid username or password",
            r"unregistered callers",
            r"insufficient authentication scopes",
            r"(?:missing|no|invalid) (?:the )?'?authorization'? header",
            r"does not have sufficient permissions to call inference",
            r"`?models`? permission is required",
            r"please bind your .{0,20}account",
            r"be a member of an organization",
            r"token[^.]{0,30} expired",
            r"(?:无效|错误|过期)的(?:令牌|密钥|api|token)",
            r"(?:令牌|密钥|api key|apikey|token)(?:已)?(?:无效|过期|失效|错误|不正确)",
            r"身份验证失败",
            r"鉴权失败",
            r"认证失败",
        ),
        names_key=True,
        source="messages of OpenAI, Gemini, xAI, Anthropic, Azure, Cohere, Hugging Face, Bedrock, "
        "GitHub, LiteLLM, ModelScope and one-api",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=_ACCOUNT,
        statuses=statuses(401, 403),
        words=Phrases(
            r"(?:invalid|incorrect|wrong|expired|missing|bad|malformed|no|user) "
            r"(?:token|credentials?|signature|auth)\b",
            r"(?:user|request) (?:is )?not authenticated",
            r"(?:could not|failed to|unable to) (?:validate|verify|authenticate)",
        ),
        names_key=True,
        source="messages of GitHub, SiliconFlow, DeepInfra and OpenRouter; in a 400 a token may be "
        "one of the text",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=FaultScope.PROVIDER,
        statuses=statuses(403),
        words=Phrases(r"error code: 10\d\d\b", "error 1020", "cloudflare to restrict access"),
        source="Cloudflare's front door: an address, a country or a user agent is kept out",
    ),
    Sign(
        failure=FailureClass.AUTH_INVALID,
        scope=FaultScope.PROVIDER,
        statuses=statuses(403),
        shapes=frozenset({Shape.HTML}),
        source="a page instead of JSON is the front door's refusal (an address, a user agent, a "
        "challenge), not the API's word on a key",
    ),
)
"""Signs that the credential is to blame, or where it is used from."""

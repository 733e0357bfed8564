"""The signs that a request itself can't be served here: its content, its size, what it asks for.

Refuses to know keys, money, quotas and providers by name.
"""

from __future__ import annotations

from typing import Final

from spillover.core.signs import Phrases, Sign, names, statuses
from spillover.core.values import FailureClass, FaultScope

_PROFILE, _REQUEST = FaultScope.PROFILE, FaultScope.REQUEST

CONTENT_SIGNS: Final = (
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_REQUEST,
        codes=names(
            "content_filter content_policy_violation responsibleaipolicyviolation "
            "data_inspection_failed datainspectionfailed moderation_blocked prohibited_content "
            "blocklist prompt_blocked content_moderation_error contentpolicyviolationerror "
            "inputtextsensitivecontentdetected outputtextsensitivecontentdetected "
            "inputimagesensitivecontentdetected sensitivecontentdetected error_toxic"
        ),
        source="codes of OpenAI, Azure, DashScope, Gemini, Ark, LiteLLM and Cohere",
    ),
    Sign(
        failure=FailureClass.CONTENT_FILTER,
        scope=_REQUEST,
        statuses=statuses(200, 400, 403, 406, 422, 451, 498, 500),
        words=Phrases(
            r"content (?:management|filtering|safety|usage|moderation) polic",
            "blocked input",
            r"(?:input|prompt|request|content|message) (?:was|has been|is) (?:flagged|blocked by)",
            "requires moderation",
            r"(?:output|response|completion) (?:was |has been )?blocked by content",
            r"rejected (?:as a result of|by) (?:our|the) (?:safety|content|moderation)",
            "violates usage guidelines",
            "violating our usage policy",
            r"considered (?:to be )?high risk",
            "content exists risk",
            r"inappropriate content",
            r"potentially (?:unsafe|harmful) (?:input|content|prompt)",
            r"包含敏感",
            r"敏感(?:词|内容|信息)",
            r"内容(?:违规|安全)",
        ),
        source="messages of Azure, OpenAI, Anthropic, Cohere, OpenRouter, xAI, Moonshot, DeepSeek, "
        "DashScope and Chinese relays",
    ),
)
"""Signs that what is asked is refused by policy."""

SIZE_SIGNS: Final = (
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        codes=names(
            "context_length_exceeded exceed_context_size_error context_window_exceeded "
            "tokens_limit_reached string_above_max_length prompt_too_long "
            "contextwindowexceedederror token_limit_exceeded max_tokens_exceeded context_too_long "
            "input_too_long model_max_prompt_tokens_exceeded"
        ),
        source="codes of OpenAI, llama.cpp, GitHub Models, LiteLLM, Novita and GitHub Copilot",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_REQUEST,
        codes=names("request_too_large"),
        source="Anthropic limits the bytes of a request, whatever the model (its error page)",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        statuses=statuses(429),
        words=Phrases(r"request too large for", r"request is too large for"),
        source="OpenAI answers 429 when one request passes a whole minute's tokens",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        statuses=statuses(200, 400, 413, 422, 500),
        words=Phrases(
            r"(?:maximum|model's?|available|the|current|max) context (?:length|window|size|limit)",
            r"context (?:length|window|size)(?: has been| was| limit| is)? exceeded",
            r"exceed(?:s|ed|ing)? (?:the |its |this |your )?(?:model'?s? )?(?:maximum |max )?"
            r"(?:context|prompt|input|model token)",
            r"(?:prompt|input|request|messages?|conversation) (?:is |are |was )?too (?:long|large)",
            r"too large for model",
            r"exceed context limit",
            r"token count .{0,40}exceeds the (?:max|limit)",
            r"(?:longer|greater|larger|more) than the (?:maximum )?(?:model|context|sequence) length",
            r"maximum (?:prompt|input|sequence) length",
            r"maximum number of (?:input )?tokens",
            r"context the overflows",
            r"truncate prompt with n_keep",
            r"max_tokens must be at least 1, got -",
            r"reduce (?:the|your) (?:length|size) of the",
            r"reduce your (?:message|prompt|request) size",
            r"please reduce (?:the )?(?:length|prompt|your prompt)",
            r"too many (?:input |total |prompt )?tokens(?! per|,? please wait)",
            r"max_new_tokens.{0,10} must be <=",
            r"current length is \d+ while limit is",
            r"request body too large",
            r"(?:payload|entity|body) too large",
            r"(?:上下文|输入|提示词|请求)(?:长度|内容)?(?:过长|超长|超出|超过)",
            r"(?:超过|超出)(?:了)?(?:模型)?(?:的)?(?:最大)?(?:上下文|输入)",
        ),
        source="messages of OpenAI, Anthropic, Gemini, Kilo, llama.cpp, LM Studio, vLLM, Mistral, "
        "Cohere, Together, xAI, Moonshot, Cerebras and Chinese relays",
    ),
    Sign(
        failure=FailureClass.CONTEXT_LENGTH,
        scope=_PROFILE,
        statuses=statuses(413),
        source="RFC 9110; Groq's 413 says that one request passes the whole minute's tokens",
    ),
)
"""Signs that a request is too long for this model."""

FEATURE_SIGNS: Final = (
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_PROFILE,
        statuses=statuses(200, 400, 404, 422, 500, 501),
        words=Phrases(
            r"no endpoints found that (?:can )?(?:support|handle)",
            r"not supported (?:with|by|for) (?:this|the) model",
            "not a chat model",
            r"(?:does|do) not support (?:tools?|functions?|images?|vision|audio|video|json|thinking"
            r"|response_format|structured|stream|system|developer|parallel|this parameter|chat)",
            r"(?:does|do)n't support (?:tools?|functions?|images?|vision|audio|json)",
            r"(?:tool use|tools|function calling|tool calling|json mode) (?:is|are) not"
            r" (?:supported|enabled|available)",
            r"(?:instruction|modality) is not enabled",
            r"(?:image|audio|video|vision) (?:input|content)s? (?:is|are) not supported",
            r"requires --(?:jinja|enable-auto-tool-choice)",
            r"tool choice requires --",
        ),
        elsewhere=True,
        source="messages of OpenRouter, OpenAI, Gemini, Ollama, llama.cpp and vLLM about a model "
        "that lacks what is asked for",
    ),
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        codes=names("extra_forbidden unsupported_parameter unsupported_value unknown_parameter"),
        elsewhere=True,
        source="Mistral and OpenAI name fields that others accept",
    ),
    Sign(
        failure=FailureClass.BAD_REQUEST,
        scope=_REQUEST,
        statuses=statuses(200, 400, 404, 422),
        words=Phrases(
            r"extra (?:inputs|fields) (?:are )?not permitted",
            r"additional properties are not allowed",
            r"unsupported (?:parameter|value|field)",
            r"(?:unknown|unrecognized|unexpected) (?:request argument|parameter|field|keyword arg)",
            r"unknown name \"",
            r"property '[^']{1,60}' is unsupported",
            r"is not supported for this (?:endpoint|provider)",
            r"roles? must alternate",
            r"unexpected role",
            r"expected last role",
            r"tool call id was",
            r"unknown variant `",
        ),
        elsewhere=True,
        source="messages of Mistral, Databricks, OpenAI, Gemini, Groq, vLLM and DeepSeek about a stricter "
        "reading of the request than others have",
    ),
)
"""Signs that another provider or model may take the same request."""

"""Who is meant by the provider names of Roo Code, Kilo Code and Cline, and which settings are theirs.

The three share their beginnings, and so the names of their settings. Sources: provider-settings.ts
(packages/types/src of Kilo Code and Roo Code), src/shared/api.ts of Cline; addresses from the
handlers in src/api/providers there. Refuses to know where in a file the settings stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.importers.drafting import Far
from spillover.config.importers.reading import mapping, number_of, text_of, whole
from spillover.config.schema import MOST_PRICE_USD

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider is set up in these editors."""

    provider: str | None
    """The catalogue's name; None: it has none, or the address says who it is."""
    key: str = ""
    model: str = "apiModelId"
    url: str = ""
    base_url: str = ""
    """The address that the editor itself knows, where the catalogue doesn't."""
    protocol: str | None = None
    versioned: bool = False


def _way(provider: str | None, stem: str = "", *, own_model: bool = False, **more: Any) -> Way:
    """A provider whose settings begin with one word: `groqApiKey`, perhaps `groqModelId`."""
    key = f"{stem}ApiKey" if stem else ""
    if own_model:
        more["model"] = f"{stem}ModelId"
    return Way(provider=provider, key=key, **more)


WAYS: Final[dict[str, Way]] = {
    "anthropic": Way(provider="anthropic", key="apiKey", url="anthropicBaseUrl", versioned=True),
    "baseten": _way("baseten", "baseten"),
    "cerebras": _way("cerebras", "cerebras"),
    "chutes": _way("chutes", "chutes"),
    "deepinfra": _way("deepinfra", "deepInfra", own_model=True, url="deepInfraBaseUrl"),
    "deepseek": _way("deepseek", "deepSeek", url="deepSeekBaseUrl"),
    "doubao": _way("volcengine", "doubao", url="doubaoBaseUrl"),
    "fireworks": _way("fireworks", "fireworks"),
    "gemini": _way("gemini", "gemini"),
    "groq": _way("groq", "groq"),
    "huggingface": _way("huggingface", "huggingFace", own_model=True),
    "kilocode": Way(provider="kilo", key="kilocodeToken", model="kilocodeModel"),
    "litellm": _way("litellm", "litellm", own_model=True, url="litellmBaseUrl", versioned=True),
    "lmstudio": _way("lmstudio", "lmStudio", own_model=True, url="lmStudioBaseUrl", versioned=True),
    "minimax": _way("minimax", "minimax"),
    "mistral": _way("mistral", "mistral"),
    "moonshot": _way("moonshot", "moonshot", url="moonshotBaseUrl"),
    "ollama": _way("ollama", "ollama", own_model=True, url="ollamaBaseUrl", versioned=True),
    "openai": _way(None, "openAi", own_model=True, url="openAiBaseUrl"),
    "openai-native": _way("openai", "openAiNative", url="openAiNativeBaseUrl", versioned=True),
    "openai-responses": _way(
        None, "openAi", own_model=True, url="openAiBaseUrl", protocol="openai-responses"
    ),
    "openrouter": _way("openrouter", "openRouter", own_model=True, url="openRouterBaseUrl"),
    "ovhcloud": _way(
        "ovhcloud", "ovhCloudAiEndpoints", own_model=True, url="ovhCloudAiEndpointsBaseUrl"
    ),
    "qwen": _way("alibaba", "qwen"),
    "requesty": _way("requesty", "requesty", own_model=True, url="requestyBaseUrl", versioned=True),
    "sambanova": _way("sambanova", "sambaNova"),
    "together": _way("together", "together", own_model=True),
    "vercel-ai-gateway": _way("vercel", "vercelAiGateway", own_model=True),
    "xai": _way("xai", "xai"),
    "zai": _way("zai", "zai"),
    # These the catalogue doesn't know; each speaks OpenAI's protocol.
    "featherless": _way(None, "featherless", base_url="https://api.featherless.ai/v1"),
    "glama": _way(None, "glama", own_model=True, base_url="https://glama.ai/api/gateway/openai/v1"),
    "inception": _way(
        None,
        "inceptionLabs",
        own_model=True,
        url="inceptionLabsBaseUrl",
        base_url="https://api.inceptionlabs.ai/v1",
    ),
    "io-intelligence": _way(
        None,
        "ioIntelligence",
        own_model=True,
        base_url="https://api.intelligence.io.solutions/api/v1",
    ),
    "nano-gpt": _way(None, "nanoGpt", own_model=True, base_url="https://nano-gpt.com/api/v1"),
    "synthetic": _way(None, "synthetic", base_url="https://api.synthetic.new/openai/v1"),
    "unbound": _way(None, "unbound", own_model=True, base_url="https://api.getunbound.ai/v1"),
    "zenmux": _way(
        None, "zenmux", own_model=True, url="zenmuxBaseUrl", base_url="https://zenmux.ai/api/v1"
    ),
}
"""By the editor's name of the provider."""

_SIGNED_IN: Final = "it is used by signing in, not with a key"
UNREACHABLE: Final = {
    "bedrock": "AWS signs requests with keys of its own: add bedrock with a Bedrock API key",
    "vertex": "Google signs in with a service account: add vertex by hand",
    "sap-ai-core": "SAP signs in with a service key of its own",
    "claude-code": _SIGNED_IN,
    "cline": _SIGNED_IN,
    "gemini-cli": _SIGNED_IN,
    "openai-codex": _SIGNED_IN,
    "qwen-code": _SIGNED_IN,
    "roo": _SIGNED_IN,
    "vscode-lm": "the editor itself asks VS Code's models; nobody else can",
    "human-relay": "it asks a person",
    "fake-ai": "it is for the editor's own tests",
}
"""Providers that a gateway can't stand in for, and why."""

_ZAI_LINES: Final = {
    "international_coding": "https://api.z.ai/api/coding/paas/v4",
    "china_coding": "https://open.bigmodel.cn/api/coding/paas/v4",
    "china_api": "https://open.bigmodel.cn/api/paas/v4",
}
_CLIENTS: Final = {
    "modelTemperature": "temperature",
    "reasoningEffort": "reasoning effort",
    "modelMaxThinkingTokens": "thinking budget",
    "rateLimitSeconds": "rate limit in seconds",
    "verbosity": "verbosity",
}
"""What the client goes on sending itself."""
_PER_MILLION: Final = {
    "inputPrice": "input",
    "outputPrice": "output",
    "cacheReadsPrice": "cached_input",
}


def far_of(settings: dict[str, Any], catalogue: Catalogue) -> Far | str:
    """Return the far end that an editor's settings of a provider describe, or why there is none."""
    named = text_of(settings.get("apiProvider"))
    if named in UNREACHABLE:
        return UNREACHABLE[named]
    way = WAYS.get(named)
    if way is None:
        entry = catalogue.provider(named) if named else None
        if entry is None:
            return "it names no provider" if not named else "nobody here knows its provider"
        way = Way(provider=entry.id, key=f"{named}ApiKey")
    if named == "openai" and settings.get("openAiUseAzure") is True:
        way = msgspec.structs.replace(way, provider="azure")
    url = text_of(settings.get(way.url)) if way.url else ""
    return Far(
        provider=way.provider,
        model=text_of(settings.get(way.model)) or text_of(settings.get("apiModelId")),
        base_url=url or way.base_url or _ZAI_LINES.get(text_of(settings.get("zaiApiLine")), ""),
        protocol=way.protocol,
        versioned=way.versioned and bool(url),
        key=settings.get(way.key) if way.key else None,
        headers=settings.get("openAiHeaders") if way.key == "openAiApiKey" else None,
        settings=_known_of_model(mapping(settings.get("openAiCustomModelInfo")))
        if way.key == "openAiApiKey"
        else {},
        left_out=tuple(told for key, told in _CLIENTS.items() if settings.get(key)),
    )


def _known_of_model(written: dict[str, Any]) -> dict[str, Any]:
    """What a person told the editor of a model that it doesn't know."""
    context, output = whole(written.get("contextWindow")), whole(written.get("maxTokens"))
    found: dict[str, Any] = {}
    if context is not None:
        found["context_tokens"] = context
    if output is not None:
        found["max_output_tokens"] = output
    lacks = [
        lacking
        for lacking, told in (("vision", "supportsImages"), ("tools", "supportsNativeTools"))
        if written.get(told) is False
    ]
    price = {to: number_of(written.get(key)) for key, to in _PER_MILLION.items()}
    given = {to: usd for to, usd in price.items() if usd is not None and usd <= MOST_PRICE_USD}
    return found | ({"lacks": lacks} if lacks else {}) | ({"price": given} if given else {})

"""Read one deployment of LiteLLM's `model_list`: who `provider/model` means, its key and limits.

Sources: docs.litellm.ai, the page of each provider. Refuses to know groups and fallbacks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from spillover.config.importers.drafting import Far, Variable
from spillover.config.importers.reading import entries, mapping, number_of, text_of, whole
from spillover.config.schema import MOST_PRICE_USD

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue

_VARIABLE: Final = re.compile(r"os\.environ/(?P<name>[A-Za-z_][A-Za-z0-9_]*)")

_PREFIXES: Final[dict[str, str | None]] = {
    "azure_ai": None,
    "cohere_chat": "cohere",
    "custom_openai": None,
    "dashscope": "alibaba",
    "fireworks_ai": "fireworks",
    "github": "github-models",
    "hosted_vllm": "vllm",
    "litellm_proxy": "litellm",
    "llamafile": "llamacpp",
    "lm_studio": "lmstudio",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "openai_like": None,
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vercel_ai_gateway": "vercel",
}
"""LiteLLM's names of providers, where they are not the catalogue's; None: the address says who."""
_VERSIONED: Final = frozenset({"anthropic", "litellm", "lmstudio", "ollama", "llamacpp"})
"""Providers to whose address LiteLLM adds the version."""
_UNREACHABLE: Final = {
    "bedrock": "AWS signs requests with keys of its own: add bedrock with a Bedrock API key",
    "bedrock_converse": "AWS signs requests with keys of its own: add bedrock with a Bedrock API key",
    "sagemaker": "AWS signs requests with keys of its own",
    "vertex_ai": "Google signs in with a service account: add vertex by hand",
    "vertex_ai_beta": "Google signs in with a service account: add vertex by hand",
    "watsonx": "IBM signs in with tokens of its own",
    "replicate": "it does not speak OpenAI's protocol",
}
_BARE: Final = (
    (re.compile(r"(?:gpt-|chatgpt-|o\d|text-embedding-)"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"deepseek-(?:chat|reasoner)"), "deepseek"),
)
"""Who a model without a provider is from."""
_MODES: Final = frozenset({"chat", "completion", "embedding", "responses"})
_MILLION: Final = 1_000_000
_COSTS: Final = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
}
_LIMITS: Final = {
    "rpm": "requests_per_minute",
    "tpm": "tokens_per_minute",
    "max_parallel_requests": "concurrency",
}
_CLIENTS: Final = ("temperature", "max_tokens", "timeout", "api_version", "organization", "tags")
"""What may stand in litellm_params and has no place in a profile."""


class Environment:
    """The variables and the named credentials that a configuration brings along."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Read a configuration's `environment_variables` and `credential_list`."""
        self._variables = mapping(config.get("environment_variables"))
        listed = [mapping(each) for each in entries(config.get("credential_list"))]
        self._credentials = {
            text_of(each.get("credential_name")): mapping(each.get("credential_values"))
            for each in listed
        }

    def params(self, written: Any) -> dict[str, Any]:
        """Return the parameters of a deployment, with what the credential that it names says."""
        params = mapping(written)
        named = self._credentials.get(text_of(params.get("litellm_credential_name")))
        return {**mapping(named), **params}

    def key(self, written: Any) -> Any:
        """Return a key: itself, or the variable that holds it where the file does not."""
        named = _VARIABLE.fullmatch(text_of(written))
        if named is None:
            return written
        return self._variables.get(named["name"]) or Variable(named["name"])

    def text(self, written: Any) -> str:
        """Return a text that may be in a variable of the file; empty where it is in another."""
        named = _VARIABLE.fullmatch(text_of(written))
        return text_of(self._variables.get(named["name"]) if named is not None else written)


def far_of(written: dict[str, Any], environment: Environment, catalogue: Catalogue) -> Far | str:
    """Return the far end of a deployment, or why it can't be taken over."""
    params, known = (
        environment.params(written.get("litellm_params")),
        mapping(written.get("model_info")),
    )
    mode = text_of(known.get("mode"))
    if mode and mode not in _MODES:
        return "it is for something else than text"
    model, address = text_of(params.get("model")), params.get("api_base") or params.get("base_url")
    base_url = environment.text(address)
    if address and not base_url:
        return "its address is in a variable: write it into the file"
    provider, model, why = _provider(
        model, base_url, text_of(params.get("custom_llm_provider")), catalogue
    )
    if why:
        return why
    settings: dict[str, Any] = {}
    limits = {to: whole(params.get(key) or written.get(key)) for key, to in _LIMITS.items()}
    given = {key: amount for key, amount in limits.items() if amount is not None}
    settings |= {"limits": given} if given else {}
    context = whole(known.get("max_input_tokens"))
    settings |= {"context_tokens": context} if context is not None else {}
    price = _price({**known, **params})
    settings |= {"price": price} if price else {}
    return Far(
        provider=provider,
        model=model,
        base_url=base_url,
        versioned=provider in _VERSIONED,
        key=environment.key(params.get("api_key")),
        headers=params.get("extra_headers"),
        settings=settings,
        left_out=tuple(key for key in _CLIENTS if params.get(key)),
    )


def _provider(
    model: str, base_url: str, custom: str, catalogue: Catalogue
) -> tuple[str | None, str, str]:
    """The catalogue's provider, the model there, and why neither can be had."""
    prefix, slash, rest = model.partition("/")
    if custom:
        prefix, slash, rest = custom, "/", model
    if slash:
        if prefix in _UNREACHABLE:
            return None, rest, _UNREACHABLE[prefix]
        if prefix == "openai" and base_url:
            return None, rest, ""  # any server that speaks OpenAI's protocol
        if prefix in _PREFIXES:
            return _PREFIXES[prefix], rest, ""
        entry = catalogue.provider(prefix)
        if entry is not None:
            return entry.id, rest, ""
    bare = next((each for looks, each in _BARE if looks.match(model)), None)
    if bare is not None:
        return bare, model, ""
    why = "nobody here knows its provider" if model else "its litellm_params name no model"
    return None, model, why


def _price(written: dict[str, Any]) -> dict[str, float]:
    """US dollars per million tokens, from those per token."""
    found = {to: number_of(written.get(key)) for key, to in _COSTS.items()}
    price = {to: round(usd * _MILLION, 6) for to, usd in found.items() if usd is not None}
    return {to: usd for to, usd in price.items() if usd <= MOST_PRICE_USD}

"""Take over what CortexIDE exports of its settings: providers, their models, and the routing policy.

The export is the state of its settings service, `{settingsOfProvider, modelSelectionOfFeature,
overridesOfModel, globalSettings}` (common/cortexideSettingsTypes.ts there; Void's is alike). Its
free-tier router has amounts of its own by provider: here the catalogue's hold (`limits: free`).
Refuses to know what the router has counted: it is not in the export.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from spillover.config.importers.drafting import Drafter, Far
from spillover.config.importers.reading import entries, mapping, read_json, text_of, whole
from spillover.config.routing import DEFAULT
from spillover.core.values import RoutingPolicy
from spillover.errors import RequestError

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue
    from spillover.config.importers.plan import Plan

_PREFIX: Final = "cortexide."
_PROVIDERS: Final = {
    "openAI": "openai",
    "openRouter": "openrouter",
    "openAICompatible": None,
    "vLLM": "vllm",
    "lmStudio": "lmstudio",
    "liteLLM": "litellm",
    "xAI": "xai",
    "mlx": None,
}
"""Where its names are not the catalogue's; None: the endpoint says who it is."""
_ELSEWHERE: Final = {
    "googleVertex": "Google signs in with a service account: add vertex by hand",
    "microsoftAzure": "its address is made of a resource: add azure by hand",
    "awsBedrock": "AWS signs requests with keys of its own: add bedrock with a Bedrock API key",
    "appleFoundationModels": "the editor alone can ask it",
}
_VERSIONED: Final = frozenset({"ollama", "vLLM", "lmStudio", "liteLLM", "mlx"})


def plan(source: bytes, catalogue: Catalogue) -> Plan:
    """Return what an export of CortexIDE comes to; raises RequestError if it is none."""
    values = read_json(source)
    state = {str(key).removeprefix(_PREFIX): value for key, value in mapping(values).items()}
    providers = mapping(state.get("settingsOfProvider"))
    if not providers:
        raise RequestError(
            "it is no export of CortexIDE: expected settingsOfProvider (Settings, Export Settings)"
        )
    draft = Drafter(catalogue, values)
    chain = draft.reserve(DEFAULT)
    settings = mapping(state.get("globalSettings"))
    policy = _policy(draft, settings.get("routingPolicy", state.get("routingPolicy")))
    contexts = mapping(state.get("overridesOfModel"))
    found: dict[tuple[str, str], str] = {}
    for provider, written in providers.items():
        _take(
            draft, provider, mapping(written), found, _Ways(policy, mapping(contexts.get(provider)))
        )
    chat = mapping(mapping(state.get("modelSelectionOfFeature")).get("Chat"))
    chosen = (text_of(chat.get("providerName")), text_of(chat.get("modelName")))
    if found:
        members = [found[each] for each in sorted(found, key=lambda each: each != chosen)]
        more: dict[str, Any] = {} if policy is None else {"routing_policy": policy.value}
        if settings.get("privacyMode") is True:
            more["privacy"] = True
        draft.chain("every model that is shown", chain, members, **more)
    return draft.plan()


class _Ways:
    """What holds for all models of a provider."""

    def __init__(self, policy: RoutingPolicy | None, overrides: dict[str, Any]) -> None:
        self.free = policy is RoutingPolicy.FREE_TIER
        self.overrides = overrides


def _take(
    draft: Drafter,
    provider: str,
    written: dict[str, Any],
    found: dict[tuple[str, str], str],
    ways: _Ways,
) -> None:
    """Take over the models of a provider that was set up, each as a profile."""
    endpoint, key = text_of(written.get("endpoint")), text_of(written.get("apiKey"))
    filled = written.get("_didFillInProviderSettings")
    if filled is False or not (endpoint or key or filled):
        return
    if provider in _ELSEWHERE:
        draft.leave(provider, _ELSEWHERE[provider])
        return
    known = _PROVIDERS.get(provider, provider)
    if known is not None and draft.catalogue.provider(known) is None and not endpoint:
        draft.leave(provider, "nobody here knows its provider")
        return
    entry = draft.catalogue.provider(known) if known is not None else None
    shown = [mapping(each) for each in entries(written.get("models"))]
    models = [text_of(each.get("modelName")) for each in shown if each.get("isHidden") is not True]
    if not any(models):
        draft.leave(provider, "none of its models is shown")
    for model in filter(None, dict.fromkeys(models)):
        settings: dict[str, Any] = {}
        context = whole(mapping(ways.overrides.get(model)).get("contextWindow"))
        if context is not None:
            settings["context_tokens"] = context
        if ways.free and entry is not None and draft.catalogue.is_free(entry.id, model):
            settings["limits"] = "free"
        far = Far(
            provider=entry.id if entry is not None else None,
            model=model,
            base_url=endpoint,
            versioned=provider in _VERSIONED,
            key=key,
            headers=_headers(written.get("headersJSON")),
            settings=settings,
        )
        source = f"{provider} · {model}"
        name = draft.profile(source, far, wanted=f"{provider}-{model.rpartition('/')[2]}")
        if name is not None:
            found[provider, model] = name


def _headers(written: Any) -> Any:
    try:
        return json.loads(written) if isinstance(written, str) and written.strip() else None
    except (ValueError, RecursionError):
        return None


def _policy(draft: Drafter, written: Any) -> RoutingPolicy | None:
    """The routing policy: the names are the same in both."""
    if written is None:
        return None
    try:
        return RoutingPolicy(text_of(written))
    except ValueError:
        draft.leave("routingPolicy", "nobody here knows it")
        return None

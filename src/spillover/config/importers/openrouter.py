"""Take over a list of models as OpenRouter's requests have it: `models`, tried in their order.

`["a/b", "c/d"]`, `{"models": [...], "route": "fallback"}`, or a whole request with both `model`
(tried first) and `models`; JSON or YAML. Refuses to know the rest of a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.config.importers.drafting import Drafter, Far
from spillover.config.importers.reading import entries, mapping, read_either, text_of
from spillover.errors import RequestError

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue
    from spillover.config.importers.plan import Plan

_PROVIDER: Final = "openrouter"
_OTHERS: Final = {
    "provider": "the order of providers behind a model is OpenRouter's: clients may go on sending it",
    "transforms": "clients may go on sending it; truncate: middle does the like here",
    "plugins": "clients may go on sending it",
}


def plan(source: bytes, catalogue: Catalogue) -> Plan:
    """Return what a list of models comes to; raises RequestError if it is none."""
    values = read_either(source)
    whole = mapping(values)
    listed = values if isinstance(values, list) else entries(whole.get("models"))
    models = [whole.get("model"), *listed] if whole.get("model") else list(listed)
    if not models:
        raise RequestError('it is no list of models: expected ["a/b", …] or {"models": ["a/b", …]}')
    draft = Drafter(catalogue, values)
    chain = draft.reserve(_PROVIDER)
    members: dict[str, str] = {}
    for place, written in enumerate(models, 1):
        model = _model(written)
        if not model:
            draft.leave(f"entry {place}", "it names no model")
        elif model not in members:
            far = Far(provider=_PROVIDER, model=model, key=whole.get("api_key"))
            name = draft.profile(model, far, wanted=model.rpartition("/")[2])
            members |= {model: name} if name is not None else {}
    if members:
        draft.chain("models", chain, list(members.values()))
    for key, why in _OTHERS.items():
        if key in whole:
            draft.leave(key, why)
    return draft.plan()


def _model(written: Any) -> str:
    return text_of(mapping(written).get("id")) if isinstance(written, dict) else text_of(written)

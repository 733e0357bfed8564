"""Take over what Cline keeps of its providers: it has no export, but files that say the same.

`~/.cline/data/settings/providers.json` holds them all with their keys; `globalState.json` of earlier
versions names one for acting and one for planning, and leaves the keys to the editor.
Refuses to know which of the two a person has: the file says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spillover.config.importers.drafting import Drafter, Far
from spillover.config.importers.editors import UNREACHABLE, WAYS, far_of
from spillover.config.importers.reading import mapping, read_json, text_of
from spillover.config.routing import DEFAULT
from spillover.errors import RequestError

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue
    from spillover.config.importers.plan import Plan

_MODES: Final = ("act", "plan")
_OPENAI: Final = {"openai-compatible": "openai", "openai": "openai"}
"""What providers.json calls a server of one's own."""


def plan(source: bytes, catalogue: Catalogue) -> Plan:
    """Return what a file of Cline's comes to; raises RequestError if it is none."""
    values = read_json(source)
    whole = mapping(values)
    state = mapping(whole.get("apiConfiguration")) or whole
    draft = Drafter(catalogue, values)
    chain = draft.reserve(DEFAULT)
    providers = mapping(whole.get("providers"))
    if providers:
        names = _of_providers(draft, providers, text_of(whole.get("lastUsedProvider")), catalogue)
    elif any(f"{mode}ModeApiProvider" in state for mode in _MODES):
        names = _of_modes(draft, state, catalogue)
    else:
        raise RequestError(
            "it is no file of Cline: expected providers.json, or a globalState.json with "
            "actModeApiProvider in it (both below ~/.cline/data)"
        )
    if names:
        draft.chain("all of them, the one in use first", chain, names)
    return draft.plan()


def _of_providers(
    draft: Drafter, providers: dict[str, Any], current: str, catalogue: Catalogue
) -> list[str]:
    names = []
    for id_ in sorted(providers, key=lambda each: each != current):
        settings = mapping(mapping(providers[id_]).get("settings"))
        far = _far(text_of(settings.get("provider")) or id_, settings, catalogue)
        if isinstance(far, str):
            draft.leave(id_, far)
            continue
        names.append(draft.profile(id_, far))
    return [name for name in names if name is not None]


def _far(provider: str, settings: dict[str, Any], catalogue: Catalogue) -> Far | str:
    if provider in UNREACHABLE:
        return UNREACHABLE[provider]
    way = WAYS.get(_OPENAI.get(provider, provider))
    entry = catalogue.provider(provider) if way is None else None
    url = text_of(settings.get("baseUrl"))
    if way is None and entry is None and not url:
        return "nobody here knows its provider"
    named = way.provider if way is not None else entry.id if entry is not None else None
    return Far(
        provider=named,
        model=text_of(settings.get("model")),
        base_url=url or (way.base_url if way is not None else ""),
        versioned=way is not None and way.versioned and bool(url),
        protocol=way.protocol if way is not None else None,
        key=settings.get("apiKey"),
        headers=settings.get("headers"),
    )


def _of_modes(draft: Drafter, state: dict[str, Any], catalogue: Catalogue) -> list[str]:
    """One profile for acting, one for planning where that is another; their names lead to them."""
    names: list[str] = []
    before: dict[str, Any] = {}
    for mode in _MODES:
        settings = _of_mode(state, f"{mode}Mode")
        if settings == before or not settings.get("apiProvider"):
            continue
        before = settings
        far = far_of(settings, catalogue)
        source = f"{mode} mode"
        if isinstance(far, str):
            draft.leave(source, far)
            continue
        name = draft.profile(source, far, wanted=f"{settings['apiProvider']}-{mode}")
        if name is not None:
            names.append(name)
            draft.alias(mode, name)
    return names


def _of_mode(state: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The settings of a mode, called as if there were one only; those of both modes among them."""
    own = {
        key[len(prefix) : len(prefix) + 1].lower() + key[len(prefix) + 1 :]: value
        for key, value in state.items()
        if key.startswith(prefix)
    }
    # Settings of neither mode are of the time before there were modes, or hold for both.
    common = {
        key: value
        for key, value in state.items()
        if not key.startswith(("actMode", "planMode")) and key not in {"apiProvider", "apiModelId"}
    }
    return {**common, **own, "apiProvider": text_of(own.get("apiProvider"))}

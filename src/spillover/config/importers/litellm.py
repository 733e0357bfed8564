"""Take over a configuration of the LiteLLM proxy: deployments, groups, fallbacks and aliases.

A group (`model_name`) becomes a chain of its deployments, followed by those of the groups that it
falls back to. Sources: docs.litellm.ai, "Config.yaml" and "Configuration and defaults" of the router.
Refuses to know what the proxy does besides routing: budgets, teams, callbacks, guardrails.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from spillover.config.fields import MOST_RETRIES
from spillover.config.importers.drafting import Drafter
from spillover.config.importers.litellm_models import Environment, far_of
from spillover.config.importers.reading import (
    entries,
    mapping,
    number_of,
    read_either,
    text_of,
    whole,
)
from spillover.errors import RequestError

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue
    from spillover.config.importers.plan import Plan

_STRATEGIES: Final = {
    "least-busy": "least_used",
    "usage-based-routing": "least_used",
    "usage-based-routing-v2": "least_used",
    "latency-based-routing": "fastest",
    "cost-based-routing": "cheapest",
}
"""`simple-shuffle`, the usual one, becomes `weighted` or `round_robin`."""
_LAST: Final = 1_000_000
_LONGEST_S: Final = 86_400
_MOST_MEMBERS: Final = 20_000
_SECTIONS: Final = {
    "guardrails": "Spillover has no guardrails",
    "mcp_servers": "Spillover serves models alone",
    "callbacks": "see docs/http.md for events and metrics",
    "success_callback": "see docs/http.md for events and metrics",
    "failure_callback": "see docs/http.md for events and metrics",
    "vector_store_registry": "Spillover serves models alone",
}
_REDIS: Final = ("redis_host", "redis_port", "redis_password", "redis_url")
_ROUTER: Final = {
    "context_window_fallbacks": "a request that is too long finds a larger profile in its own chain",
    "content_policy_fallbacks": "a refusal by policy is answered as it is",
    "allowed_fails": "a failure benches a profile as its class says, not as often as it came",
    "allowed_fails_policy": "a failure benches a profile as its class says",
    "retry_policy": "retries are set by class: retries: {server_error: 2}",
    "cache": "answers are not kept",
    "drop_params": "what an upstream does not take is left out, and named in x-spillover-dropped",
    "enable_pre_call_checks": "requests that can't fit are never sent",
    "max_budget": "limits: {cost_per_day: …} is a budget of a profile or an account",
    **dict.fromkeys(_REDIS, "usage is kept in one SQLite file"),
}
"""Settings of the router that have no place here; in the order in which they are told."""


class _Deployment:
    """One entry of model_list that was taken over."""

    def __init__(self, name: str, written: dict[str, Any]) -> None:
        params = mapping(written.get("litellm_params"))
        self.name = name
        self.order = whole(params.get("order"))
        self.weight = whole(params.get("weight"))


def plan(source: bytes, catalogue: Catalogue) -> Plan:
    """Return what a configuration of LiteLLM comes to; raises RequestError if it is none."""
    values = read_either(source)
    config = mapping(values)
    listed = entries(config.get("model_list"))
    if not listed:
        raise RequestError("it is no configuration of LiteLLM: expected model_list with entries")
    draft = Drafter(catalogue, values)
    groups = dict.fromkeys(
        filter(None, (text_of(mapping(each).get("model_name")) for each in listed))
    )
    chains = {group: draft.reserve(group) for group in groups}
    taken = _deployments(draft, listed, Environment(config))
    router = {**mapping(config.get("litellm_settings")), **mapping(config.get("router_settings"))}
    _chains(draft, chains, taken, router)
    made = {group: chain for group, chain in chains.items() if taken[group]}
    for group, chain in made.items():
        if group != chain:
            draft.alias(group, chain)
    for alias, written in mapping(router.get("model_group_alias")).items():
        target = text_of(written) or text_of(mapping(written).get("model"))
        if target in made:
            draft.alias(alias, made[target])
        else:
            draft.leave(f"the alias {alias}", "the group that it names was not taken over")
    _leave_the_rest(draft, config, router)
    return draft.plan()


def _deployments(
    draft: Drafter, listed: list[Any], environment: Environment
) -> dict[str, list[_Deployment]]:
    taken: dict[str, list[_Deployment]] = defaultdict(list)
    for place, each in enumerate(listed, 1):
        written = mapping(each)
        group = text_of(written.get("model_name"))
        source = f"{group or 'unnamed'} (entry {place})"
        if not group:
            draft.leave(source, "it has no model_name")
            continue
        far = far_of(written, environment, draft.catalogue)
        if isinstance(far, str):
            draft.leave(source, far)
            continue
        tail = far.model.rpartition("/")[2] or group
        name = draft.profile(source, far, wanted=f"{far.provider or 'own'}-{tail}")
        if name is not None:
            taken[group].append(_Deployment(name, written))
    return taken


def _chains(
    draft: Drafter,
    chains: dict[str, str],
    taken: dict[str, list[_Deployment]],
    router: dict[str, Any],
) -> None:
    """Make each group a chain, with the groups that it falls back to behind it."""
    fallbacks, default = _fallbacks(router)
    ways = _ways(router)
    left = _MOST_MEMBERS
    for group, chain in chains.items():
        own = taken[group]
        if not own:
            continue
        ordered = sorted(own, key=lambda each: each.order or _LAST)
        behind = []
        for other in fallbacks.get(group, default):
            if other in taken and other != group:
                behind += sorted(taken[other], key=lambda each: each.order or _LAST)
            elif other != group:
                draft.leave(f"the fallback of {group}", "it names no group that was taken over")
        names = dict.fromkeys(each.name for each in [*ordered, *behind])
        left -= len(names)
        if left < 0:
            raise RequestError(f"its fallbacks list more than {_MOST_MEMBERS:,} deployments")
        more = dict(ways)
        strategy = _strategy(router, own)
        if strategy and not behind:
            more = {"strategy": strategy, **more}
        elif strategy:
            draft.note(
                f"{chain} keeps to the order of its list: its fallbacks would be mixed in else"
            )
        members = [
            {"profile": each.name, "weight": min(each.weight, _LAST)}
            if strategy == "weighted" and not behind and each.weight
            else each.name
            for each in own
        ]
        draft.chain(group, chain, members if strategy and not behind else list(names), **more)


def _strategy(router: dict[str, Any], own: list[_Deployment]) -> str | None:
    """How a group's deployments are chosen; None: in their order."""
    if len(own) == 1 or any(each.order for each in own):
        return None
    named = text_of(router.get("routing_strategy")) or "simple-shuffle"
    if named in _STRATEGIES:
        return _STRATEGIES[named]
    return "weighted" if any(each.weight for each in own) else "round_robin"


def _fallbacks(router: dict[str, Any]) -> tuple[dict[str, list[str]], list[str]]:
    """The groups that each group falls back to, and those that any other does."""
    found = {
        str(group): [text_of(each) for each in entries(others)]
        for entry in entries(router.get("fallbacks"))
        for group, others in mapping(entry).items()
    }
    default = [text_of(each) for each in entries(router.get("default_fallbacks"))]
    return found, found.pop("*", default)


def _ways(router: dict[str, Any]) -> dict[str, Any]:
    """What holds for every chain: time limits, retries, cooldowns."""
    ways: dict[str, Any] = {}
    total = number_of(router.get("timeout")) or number_of(router.get("request_timeout"))
    first = number_of(router.get("stream_timeout"))
    spans = {"first_token": first, "total": total}
    timeouts = {key: _seconds(span) for key, span in spans.items() if span is not None}
    retries, rest = whole(router.get("num_retries")), number_of(router.get("cooldown_time"))
    if timeouts:
        ways["timeouts"] = timeouts
    if retries is not None:
        most = min(retries, MOST_RETRIES)
        ways["retries"] = {"server_error": most, "bad_gateway": most}
    if rest is not None:
        ways["cooldown"] = _seconds(rest)
    return ways


def _seconds(span: float) -> str:
    return f"{min(max(round(span, 3), 0.001), _LONGEST_S):.15g}s"


def _leave_the_rest(draft: Drafter, config: dict[str, Any], router: dict[str, Any]) -> None:
    general = mapping(config.get("general_settings"))
    if general.get("master_key"):
        draft.leave(
            "general_settings.master_key",
            "clients on this machine need no key here, and any that they send is accepted; "
            "server.client_keys asks for one",
        )
    if general.get("database_url"):
        draft.leave("general_settings.database_url", "usage is kept in one SQLite file")
    for key, why in _ROUTER.items():
        if router.get(key):
            draft.leave(key, why)
    for key, why in _SECTIONS.items():
        if config.get(key) or router.get(key):
            draft.leave(key, why)

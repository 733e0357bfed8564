"""Fit a plan from another tool into a configuration: under names that are free, once each.

What is there already is left alone, unless it is to be replaced. Refuses to know where secrets are
kept, and to write anything.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.config.edits import is_implicit
from spillover.config.importers.plan import Names
from spillover.config.routing import DEFAULT
from spillover.config.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spillover.config.importers.plan import Plan
    from spillover.config.schema import Profile

_CONCEALED: Final = ("api_key", "headers")


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written, credentials still being themselves."""

    profiles: dict[str, dict[str, Any]]
    chains: dict[str, Any]
    aliases: dict[str, str]
    names: dict[str, str]
    """What each name of the plan became."""
    present: frozenset[str]
    """Names of what is in the configuration already, just so."""
    notes: tuple[str, ...]


class _Fitting:
    """One plan on its way into one document."""

    def __init__(
        self, plan: Plan, document: dict[str, Any], known: Mapping[str, Profile], *, replace: bool
    ) -> None:
        self.plan = plan
        self.document = document
        self.known = known
        self.replace = replace
        self.there = {kind: dict(document.get(kind) or {}) for kind in ("profiles", "chains")}
        self.names: dict[str, str] = {}
        self.present: set[str] = set()
        self.notes: list[str] = []
        self.implicit = bool(self.there["profiles"]) and is_implicit(document)
        own = {DEFAULT} if self.implicit else set()
        # A name that clients use already must go on meaning what it means.
        aliases = {alias for alias in document.get("aliases") or {} if not is_glob(alias)}
        self.free = Names({*self.there["profiles"], *self.there["chains"], *own, *aliases})

    def profiles(self) -> dict[str, dict[str, Any]]:
        written = {}
        for name, settings in self.plan.profiles.items():
            called = self._called(name, "profiles")
            there = next((each for each in called if self._is_same(each, settings)), None)
            if there is not None:
                self.names[name] = there
                self.present.add(there)
                continue
            self.names[name] = self._name(name, "profiles")
            written[self.names[name]] = settings
        return written

    def chains(self, tool: str) -> dict[str, Any]:
        written = {}
        for name, chain in self.plan.chains.items():
            members = [self._member(member) for member in chain["profiles"]]
            settings = {**chain, "profiles": members}
            short = members if set(settings) == {"profiles"} else settings
            taken = name == DEFAULT and (DEFAULT in self.there["chains"] or self.implicit)
            wanted = tool if taken and not self.replace else name
            called = self._called(wanted, "chains")
            same = (each for each in called if self.there["chains"][each] in (short, settings))
            there = next(same, None)
            if there is not None:
                self.names[name] = there
                self.present.add(there)
                continue
            self.names[name] = self._name(wanted, "chains")
            written[self.names[name]] = short
        return written

    def aliases(self) -> dict[str, str]:
        written = {}
        there = self.document.get("aliases") or {}
        for alias, target in self.plan.aliases.items():
            to = self.names.get(target, target)
            if alias in {*self.there["profiles"], *self.there["chains"]}:
                self.notes.append(f"{alias!r} is no alias here, for something is called so already")
            elif alias in there and there[alias] != to and not self.replace:
                self.notes.append(f"the alias {alias!r} leads to {there[alias]} already: left so")
            elif there.get(alias) != to:
                written[alias] = to
        return written

    def _name(self, wanted: str, kind: str) -> str:
        if self.replace and wanted in self.there[kind]:
            return wanted
        return self.free.give(wanted)

    def _member(self, member: Any) -> Any:
        if isinstance(member, dict):
            return {**member, "profile": self.names[member["profile"]]}
        return self.names[member]

    def _called(self, name: str, kind: str) -> Iterator[str]:
        """Yield what is there under a name, or under those that an earlier import gave for it."""
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        called = itertools.chain([name], () if self.replace else numbered)
        there = itertools.takewhile(self.there[kind].__contains__, called)
        return (each for each in there if each not in self.present)

    def _is_same(self, name: str, settings: dict[str, Any]) -> bool:
        """Whether a profile that is there is the same, with the same key."""
        written, loaded = self.there["profiles"][name], self.known[name]
        plain = {key: value for key, value in settings.items() if key not in _CONCEALED}
        if plain != {key: value for key, value in written.items() if key not in _CONCEALED}:
            return False
        key = settings.get("api_key")
        same_key = (
            loaded.api_key == key if isinstance(key, Secret) else written.get("api_key") == key
        )
        return same_key and loaded.headers == settings.get("headers", {})


def adopted(
    plan: Plan,
    document: dict[str, Any],
    known: Mapping[str, Profile],
    *,
    tool: str,
    replace: bool = False,
) -> Adopted:
    """Return what of a plan is to be written into a document, whose profiles are `known`.

    With `replace`, what has the same name makes room; else the newcomer takes another name.
    """
    fitting = _Fitting(plan, document, known, replace=replace)
    profiles = fitting.profiles()
    chains = fitting.chains(tool)
    aliases = fitting.aliases()
    return Adopted(
        profiles=profiles,
        chains=chains,
        aliases=aliases,
        names=fitting.names,
        present=frozenset(fitting.present),
        notes=tuple(fitting.notes),
    )


def merge(document: dict[str, Any], wanted: Adopted, profiles: dict[str, dict[str, Any]]) -> None:
    """Put what was adopted into a document; `profiles` are its, with references for credentials."""
    if is_implicit(document) and document.get("profiles") and (wanted.chains or profiles):
        document["chains"] = {DEFAULT: list(document["profiles"])}
    for kind, entries in (("profiles", profiles), ("chains", wanted.chains)):
        if entries:
            document[kind] = {**(document.get(kind) or {}), **entries}
    if wanted.aliases:  # the first match counts: names before globs that are there, globs behind
        there = document.get("aliases") or {}
        plain = {alias: to for alias, to in wanted.aliases.items() if not is_glob(alias)}
        rest = {alias: to for alias, to in there.items() if alias not in plain}
        document["aliases"] = plain | rest | wanted.aliases


def is_glob(alias: str) -> bool:
    """Return whether an alias stands for many names."""
    return any(sign in alias for sign in "*?[")

"""Change what a configuration says: profiles, chains, and what holds for all of them.

Works on the document as written, before anything is expanded, and changes it in place.
Refuses to know files, and whether the result can be used: the loader checks it.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from spillover.config.fields import A_NAME, NAME
from spillover.config.findings import nearest
from spillover.config.routing import DEFAULT
from spillover.errors import EditRefused, RequestError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

Document: TypeAlias = dict[str, Any]

GLOBALS: Final = ("routing_policy", "privacy", "aliases", "notify")
"""What holds for all chains, or for the whole gateway, and is no matter of access."""


def add_profile(document: Document, name: str, settings: Mapping[str, Any]) -> None:
    """Add a profile, in no chain but the implicit one of all; raises EditRefused, RequestError."""
    _new_name(document, name)
    _section(document, "profiles")[name] = _given(settings)


def put_in_chain(document: Document, chain: str, profile: str, place: int | None) -> None:
    """Put a profile into a chain, last or at a place counted from 0; raises UnknownName."""
    if is_implicit(document) and chain == DEFAULT:
        if place is None:
            return  # it is in it already, last
        others = [name for name in document["profiles"] if name != profile]
        document["chains"] = {DEFAULT: others}
    members = list(members_of(_chain(document, chain)))
    at = len(members) if place is None else place
    members[at:at] = [profile]
    _set_members(document, chain, members)


def merge_profile(document: Document, name: str, settings: Mapping[str, Any]) -> None:
    """Change settings of a profile; None takes one out. Raises UnknownName."""
    written = _entry(document, "profiles", name)
    document["profiles"][name] = _merged(written, settings)


def remove_profile(document: Document, name: str, *, from_chains: bool) -> tuple[str, ...]:
    """Remove a profile, out of its chains too if so asked; return the chains that it was in.

    Raises EditRefused where chains or aliases name it, and UnknownName.
    """
    _entry(document, "profiles", name)
    chains = chains_with(document, name)
    aliases = _aliases_of(document, name)
    if aliases or (chains and not from_chains):
        _refuse_in_use("profile", name, chains=() if from_chains else chains, aliases=aliases)
    for chain in chains:
        members = members_of(document["chains"][chain])
        rest = [member for member in members if member_name(member) != name]
        if not rest:
            raise EditRefused(
                "in_use",
                f"the chain {chain!r} holds the profile {name!r} alone: remove the chain first, "
                "or put another profile into it",
                names={"chains": (chain,), "aliases": ()},
            )
        _set_members(document, chain, rest)
    del document["profiles"][name]
    return chains


def add_chain(document: Document, name: str, settings: Mapping[str, Any]) -> None:
    """Add a chain; raises EditRefused, RequestError and UnknownName (of its profiles).

    The implicit chain of all profiles is written out first, lest it be gone.
    """
    _new_name(document, name)
    if is_implicit(document) and name != DEFAULT:
        _spell_out(document)
    given = _given(settings)
    _check_members(document, given.get("profiles"))
    _section(document, "chains")[name] = _short(given)


def merge_chain(document: Document, name: str, settings: Mapping[str, Any]) -> None:
    """Change settings of a chain; None takes one out, `profiles` are all of them in their order.

    A profile that is given by its name keeps its weight and hours. Raises UnknownName.
    """
    if is_implicit(document) and name == DEFAULT:
        _spell_out(document)
    written = _chain(document, name)
    changes = dict(settings)
    if isinstance(changes.get("profiles"), list):
        _check_members(document, changes["profiles"])
        known = {member_name(member): member for member in members_of(written)}
        changes["profiles"] = [
            known.get(each, each) if isinstance(each, str) else _like(each, known)
            for each in changes["profiles"]
        ]
    if isinstance(written, list) and set(changes) == {"profiles"}:
        document["chains"][name] = changes["profiles"]
        return
    long = {"profiles": written} if isinstance(written, list) else written
    merged = _merged(long, changes)
    short = isinstance(written, list) and set(merged) == {"profiles"}
    document["chains"][name] = merged["profiles"] if short else merged


def rename_chain(document: Document, name: str, to: str) -> None:
    """Give a chain another name, in its place; aliases that lead to it follow.

    Raises EditRefused, RequestError and UnknownName.
    """
    if is_implicit(document) and name == DEFAULT:
        _spell_out(document)
    _chain(document, name)
    if name == to:
        return
    _new_name(document, to)
    document["chains"] = {
        to if each == name else each: chain for each, chain in document["chains"].items()
    }
    for alias in _aliases_of(document, name):
        document["aliases"][alias] = to


def remove_chain(document: Document, name: str) -> None:
    """Remove a chain; raises EditRefused where aliases name it or it is the last, and UnknownName."""
    _chain(document, name)
    aliases = _aliases_of(document, name)
    if aliases:
        _refuse_in_use("chain", name, chains=(), aliases=aliases)
    if len(document["chains"]) == 1:
        raise EditRefused("in_use", f"{name!r} is the last chain: there must be one")
    del document["chains"][name]


def merge_globals(document: Document, settings: Mapping[str, Any]) -> None:
    """Change what holds for all; None takes a setting out."""
    merged = _merged(document, settings)
    document.clear()
    document.update(merged)


def is_implicit(document: Document) -> bool:
    """Whether no chains are written, so that one holds all profiles in their order."""
    return not document.get("chains")


def chains_with(document: Document, profile: str) -> tuple[str, ...]:
    """Return the written chains that a profile is in."""
    return tuple(
        name
        for name, chain in (document.get("chains") or {}).items()
        if profile in map(member_name, members_of(chain))
    )


def members_of(chain: Any) -> list[Any]:
    """Return the entries of a chain in either form."""
    members = chain.get("profiles") if isinstance(chain, dict) else chain
    return members if isinstance(members, list) else []


def member_name(member: Any) -> str:
    """Return the profile that an entry of a chain names."""
    return str(member.get("profile") if isinstance(member, dict) else member)


def free_name(document: Document, wanted: str) -> str:
    """Return a name that no profile and no chain has."""
    taken = {*(document.get("profiles") or {}), *(document.get("chains") or {})}
    numbered = (f"{wanted}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if name not in taken)


def profile_of(document: Document, providers: frozenset[str], model: str) -> str | None:
    """Return the first profile that asks a provider, by any of its names, for a model."""
    accounts = document.get("accounts") or {}
    for name, written in (document.get("profiles") or {}).items():
        profile = written if isinstance(written, dict) else {}
        account = accounts.get(profile.get("account"))
        source = account if isinstance(account, dict) else profile
        provider = str(source.get("provider") or "").lower()
        if provider in providers and profile.get("model") == model:
            return str(name)
    return None


def check_name(name: str) -> None:
    """Refuse what can't be a name; raises RequestError."""
    if NAME.fullmatch(name) is None:
        raise RequestError(f"{name[:80]!r} is no name: expected {A_NAME}", param="name")


def _new_name(document: Document, name: str) -> None:
    check_name(name)
    for section, kind in (("profiles", "profile"), ("chains", "chain")):
        if name in (document.get(section) or {}):
            raise EditRefused("name_taken", f"a {kind} is called {name!r} already")


def _section(document: Document, name: str) -> dict[str, Any]:
    if not document.get(name):
        document[name] = {}
    section: dict[str, Any] = document[name]
    return section


def _entry(document: Document, section: str, name: str) -> Any:
    known = document.get(section) or {}
    if name not in known:
        names = tuple(known)
        raise UnknownName(section[:-1], name, names=names, nearest=nearest(name, names))
    return known[name]


def _chain(document: Document, name: str) -> Any:
    return _entry(document, "chains", name)


def _spell_out(document: Document) -> None:
    document["chains"] = {DEFAULT: list(document.get("profiles") or {})}


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value is not None}


def _merged(written: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    return _given({**(written if isinstance(written, dict) else {}), **settings})


def _short(chain: dict[str, Any]) -> Any:
    return chain["profiles"] if set(chain) == {"profiles"} else chain


def _set_members(document: Document, chain: str, members: list[Any]) -> None:
    written = document["chains"][chain]
    document["chains"][chain] = (
        {**written, "profiles": members} if isinstance(written, dict) else members
    )


def _like(member: Any, known: Mapping[str, Any]) -> Any:
    """An entry as it is written: a bare name where it says no more."""
    if not isinstance(member, dict):
        return member
    given = _given(member)
    was = known.get(member_name(given))
    return was if isinstance(was, str) and set(given) == {"profile"} else given


def _check_members(document: Document, members: Any) -> None:
    """Refuse names that no profile has; a chain's is told by the loader, which knows why."""
    names = tuple(document.get("profiles") or {})
    for member in members if isinstance(members, list) else ():
        name = member_name(member)
        if name not in names and name not in (document.get("chains") or {}):
            raise UnknownName("profile", name, names=names, nearest=nearest(name, names))


def _aliases_of(document: Document, target: str) -> tuple[str, ...]:
    aliases = document.get("aliases") or {}
    return tuple(name for name, to in aliases.items() if to == target)


def _refuse_in_use(
    kind: str, name: str, *, chains: tuple[str, ...], aliases: tuple[str, ...]
) -> None:
    named = [f"the chain {each!r}" for each in chains] + [f"the alias {each!r}" for each in aliases]
    hint = "; ?from_chains=true takes it out of them" if chains and not aliases else ""
    raise EditRefused(
        "in_use",
        f"the {kind} {name!r} is named by {', '.join(named)}{hint}",
        names={"chains": chains, "aliases": aliases},
    )

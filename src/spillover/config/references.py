"""Check that names lead somewhere: chains to profiles, aliases to both, none to two things.

Works on the document itself, before its types are known, so that these errors show beside all others.
Refuses to know types and values: the schema checks them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spillover.config.findings import Finding, nearest
from spillover.config.routing import AUTO, DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spillover.config.findings import KeyPath


def findings(document: dict[str, Any]) -> Iterator[Finding]:
    """Yield every name that leads nowhere, or to two things."""
    profiles, chains = _names(document, "profiles"), _names(document, "chains")
    accounts = _names(document, "accounts")
    yield from _shared(profiles, chains)
    for name in chains:
        yield from _chain(document["chains"][name], ("chains", name), profiles, chains)
    for name in profiles:
        written = document["profiles"][name]
        account = _text(written.get("account")) if isinstance(written, dict) else None
        if account is not None and account not in accounts:
            yield _unknown(("profiles", name, "account"), account, "an account", accounts)
    aliases = document.get("aliases")
    if isinstance(aliases, dict):
        for alias, written in aliases.items():
            target = _text(written)
            if target is not None and target not in {*profiles, *chains}:
                path = ("aliases", alias)
                yield _unknown(path, target, "a chain or profile", (*chains, *profiles))
    if not profiles and isinstance(document.get("profiles", {}), dict):
        place: KeyPath = ("profiles",) if "profiles" in document else ()
        yield Finding(path=place, found="no profiles", expected="at least one under profiles:")
    elif "chains" not in document and DEFAULT in profiles:
        yield Finding(
            path=("profiles", DEFAULT),
            found="a profile called 'default' and no chains",
            expected="chains:, or another name, for 'default' is the chain of all profiles",
        )


def _shared(profiles: Sequence[str], chains: Sequence[str]) -> Iterator[Finding]:
    for name in chains:
        if name in profiles:
            yield Finding(
                path=("chains", name),
                found=f"{name!r}, which is a profile too",
                expected="a name of its own: clients name both as their model",
            )
    for section, names in (("profiles", profiles), ("chains", chains)):
        for name in names:
            if name.lower() == AUTO:
                yield Finding(
                    path=(section, name),
                    found=repr(name),
                    expected=f"another name: {AUTO!r} stands for the default chain",
                )


def _chain(
    written: Any, path: KeyPath, profiles: Sequence[str], chains: Sequence[str]
) -> Iterator[Finding]:
    members = written
    if isinstance(written, dict):
        members = written.get("profiles")
        path = (*path, "profiles")
    if not isinstance(members, list):
        return
    if not members:
        yield Finding(path=path, found="an empty chain", expected="at least one profile")
    seen: set[str] = set()
    for place, member in enumerate(members):
        name = _text(member.get("profile") if isinstance(member, dict) else member)
        if name is None:
            continue
        here = (*path, place)
        if name in seen:
            yield Finding(path=here, found=f"{name!r} a second time", expected="each profile once")
        elif name in chains and name not in profiles:
            yield Finding(
                path=here, found=f"the chain {name!r}", expected="profiles: a chain can't hold one"
            )
        elif name not in profiles:
            yield _unknown(here, name, "a profile", profiles)
        seen.add(name)


def _unknown(path: KeyPath, name: str, kind: str, names: Sequence[str]) -> Finding:
    known = [each if each.isprintable() else repr(each) for each in names]
    shown = ", ".join(known) or "there is none"
    return Finding(
        path=path,
        found=repr(name),
        expected=f"the name of {kind} ({shown})",
        nearest=nearest(name, names),
    )


def _text(value: Any) -> str | None:
    """A name as the schema reads it: `5` is one too."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value).strip()


def _names(document: dict[str, Any], section: str) -> tuple[str, ...]:
    written = document.get(section)
    return tuple(written) if isinstance(written, dict) else ()

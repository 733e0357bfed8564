"""Judge what a provider answers when it is asked for its models: is it an API, the key, the model.

Refuses to know sockets. A provider's own words are shown redacted and cut.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

import msgspec

from spillover.catalogue import Retired
from spillover.core.stated import Stated, in_written_units
from spillover.core.values import FailureClass, Value
from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.keys import KEY_PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

OK: Final = 200
_NOT_FOUND: Final = 404
_REDIRECTS: Final = range(300, 400)
_SERVER: Final = 500
LONGEST: Final = 200
_NEAR: Final = 3
_DENIED: Final = frozenset({FailureClass.AUTH_INVALID, FailureClass.PAYMENT_REQUIRED})
_ENDINGS: Final = (":latest",)
"""What some servers add to a model's name where none is said."""


class Reply(Value, frozen=True, kw_only=True):
    """What came back; the first fault ends it."""

    url: str
    error: str = ""
    """Nothing came back: why not."""
    status: int = 0
    failure: FailureClass | None = None
    """What it means by the gateway's own tables; None: nothing failed."""
    message: str = ""
    models: tuple[str, ...] | None = None
    """None: it is no list of models."""
    is_page: bool = False
    """A web page came instead."""
    location: str = ""
    """Where a redirect points."""
    stated: tuple[Stated, ...] = ()
    took_ms: float = 0.0
    skew_s: float | None = None
    """How far this machine's clock is ahead of its `Date`; None: it has none."""


class Asked(Value, frozen=True, kw_only=True):
    """An account's provider, what it was asked, and for whom."""

    provider: str
    profiles: dict[str, str]
    """Profiles that share address and key, and their models."""
    alternatives: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    retired: dict[str, Retired] = msgspec.field(default_factory=dict)
    """By profile: what the catalogue knows of its model's end."""
    deprecated: tuple[str, ...] = ()
    """Profiles whose model the catalogue knows as deprecated."""
    proves_key: bool = True
    """A wrong key is refused when models are listed."""
    key_check: Reply | None = None
    """What the path that proves the key answered, where there is one."""
    has_key: bool = True
    listing: Reply = Reply(url="")


def answers(asked: Asked, today: str) -> Iterator[Finding]:
    """Yield what an answer says of the address, the key, the models and what is left."""
    about = ", ".join(asked.profiles)
    http = _http(asked, about)
    yield http
    if http.level is not Level.PROBLEM:
        key = _key(asked, about)
        yield key
        if key.level is not Level.PROBLEM:
            for profile in asked.profiles:
                yield from _model(asked, profile, today)
        yield _limits(asked, about)
    else:
        yield from endings(asked, today)


def endings(asked: Asked, today: str) -> Iterator[Finding]:
    """Yield the models that are gone or soon will be, by what the catalogue knows."""
    for profile in asked.profiles:
        yield from _gone(asked, profile, today)


STATUS_PAGES: Final = {
    "anthropic": "https://status.claude.com",
    "cerebras": "https://status.cerebras.ai",
    "cohere": "https://status.cohere.com",
    "deepseek": "https://status.deepseek.com",
    "groq": "https://groqstatus.com",
    "huggingface": "https://status.huggingface.co",
    "openai": "https://status.openai.com",
    "openrouter": "https://status.openrouter.ai",
}
"""Where providers say that they are ill."""


def _http(asked: Asked, about: str) -> Finding:
    """Return whether an API answers at an address."""
    reply = asked.listing

    def problem(saw: str, why: str, remedy: str) -> Finding:
        return Finding(
            check="net.http", level=Level.PROBLEM, about=about, saw=saw, why=why, remedy=remedy
        )

    words = f": {reply.message}" if reply.message else ""
    if reply.error:
        return problem(
            f"{reply.url} did not answer: {reply.error}",
            "requests to it fail likewise, and its chains fall back",
            f"curl -i {reply.url}",
        )
    if reply.status in _REDIRECTS:
        return problem(
            f"{reply.url} sends on to {reply.location or 'another address'}",
            "redirects are not followed, for they would take the key elsewhere",
            "set base_url to the address that it names",
        )
    if reply.is_page:
        return problem(
            f"{reply.url} answered {reply.status} with a web page",
            "something else answers there: a captive portal, a proxy's own page, a wrong base_url",
            f"curl -i {reply.url}",
        )
    if reply.status == _NOT_FOUND and reply.models is None:
        return problem(
            f"{reply.url} answered 404{words}",
            "no API is at that address: base_url goes up to the version, such as …/v1",
            "set base_url as spillover catalogue has it for the provider",
        )
    if reply.status >= _SERVER:
        return problem(
            f"{reply.url} answered {reply.status}{words}",
            "the provider is ill; its chains fall back, and come back when it is well",
            "\n".join(
                filter(None, (STATUS_PAGES.get(asked.provider), f"spillover errors {reply.status}"))
            ),
        )
    if reply.status == OK and reply.models is None:
        return Finding(
            check="net.http",
            level=Level.WARNING,
            about=about,
            saw=f"{reply.url} answered 200, and it is no list of models",
            why="it may be no API, or one that lists none",
            remedy=f"spillover doctor {about.partition(',')[0]} --live",
        )
    saw = f"answered {reply.status} in {reply.took_ms:.0f} ms"
    return Finding(check="net.http", about=about, saw=saw)


def _key(asked: Asked, about: str) -> Finding:
    listing, proof = asked.listing, asked.key_check
    deciding = listing if proof is None else proof
    words = f": {deciding.message}" if deciding.message else ""
    profile = next(iter(asked.profiles))
    live = f"spillover doctor {profile} --live"
    key_page = KEY_PAGES.get(asked.provider)
    page = f" at {key_page}" if key_page else ""
    if deciding.failure in _DENIED or listing.failure in _DENIED:
        spent = FailureClass.PAYMENT_REQUIRED in {deciding.failure, listing.failure}
        return Finding(
            check="provider.key",
            level=Level.PROBLEM,
            about=about,
            saw=f"{asked.provider} answered {deciding.status}{words}",
            why="the account has no credit" if spent else "it does not take the key",
            remedy=f"pay in{page}" if spent else f"make a new key{page}, then: {live}",
        )
    if not asked.has_key:
        return Finding(check="provider.key", about=about, saw="none is needed")
    if deciding.failure in {FailureClass.RATE_LIMITED, FailureClass.QUOTA_EXHAUSTED}:
        return Finding(
            check="provider.key",
            level=Level.WARNING,
            about=about,
            saw=f"{asked.provider} answered {deciding.status}{words}",
            why="its quota is spent for now; whether it takes the key is not known",
            remedy=f"spillover status\nspillover errors {deciding.status}",
        )
    if deciding.status != OK:
        return Finding(
            check="provider.key",
            level=Level.WARNING,
            about=about,
            saw=f"{deciding.url} answered {deciding.status or deciding.error}{words}",
            why="whether it takes the key is not known",
            remedy=live,
        )
    if not asked.proves_key and proof is None:
        return Finding(
            check="provider.key",
            level=Level.NOTE,
            about=about,
            saw=f"{asked.provider} lists its models to anyone",
            why="only a real answer shows whether it takes the key",
            remedy=live,
        )
    return Finding(check="provider.key", about=about, saw=f"{asked.provider} takes it")


def _model(asked: Asked, profile: str, today: str) -> Iterator[Finding]:
    model, listed = asked.profiles[profile], asked.listing.models
    if not listed:
        yield from _gone(asked, profile, today)
        return
    if _is_listed(model, listed):
        said = [*_gone(asked, profile, today)]
        yield from said or [
            Finding(check="provider.model", about=profile, saw=f"{model} is listed")
        ]
        return
    heir = asked.retired.get(profile)
    near = difflib.get_close_matches(model, listed, n=_NEAR, cutoff=0.4)
    others = [each for each in asked.alternatives.get(profile, ()) if _is_listed(each, listed)]
    successor = heir.successor if heir is not None else None
    better = successor or (near[0] if near else listed[0])
    why = f"it was retired on {heir.on}" if heir is not None else "it is misspelt, or gone"
    if others:
        why += f"; the alternative {others[0]} serves in its place"
    yield Finding(
        check="provider.model",
        level=Level.WARNING if others else Level.PROBLEM,
        about=profile,
        saw=f"{asked.provider} does not list {model}"
        + (f"; nearest: {', '.join(near)}" if near else ""),
        why=why,
        remedy=f"profiles.{profile}: model: {better}",
    )


def _gone(asked: Asked, profile: str, today: str) -> Iterator[Finding]:
    """Yield what the catalogue knows of a model's end."""
    model, heir = asked.profiles[profile], asked.retired.get(profile)
    if heir is None:
        if profile in asked.deprecated:
            yield Finding(
                check="provider.model",
                level=Level.NOTE,
                about=profile,
                saw=f"{model} is deprecated",
                why="it may be switched off any day",
                remedy=f"spillover catalogue {asked.provider}",
            )
        return
    is_past = heir.on <= today
    instead = heir.successor or "another"
    yield Finding(
        check="provider.model",
        level=Level.WARNING,
        about=profile,
        saw=f"{model} {'was' if is_past else 'will be'} retired on {heir.on} ({heir.source})",
        why=f"its successor is {instead}" if heir.successor else "no successor is named",
        remedy=f"profiles.{profile}: model: {instead}"
        if heir.successor
        else f"spillover catalogue {asked.provider}",
    )


def _is_listed(model: str, listed: tuple[str, ...]) -> bool:
    names = {name.lower() for name in listed}
    wanted = model.removeprefix("models/").lower()
    return wanted in names or any(f"{wanted}{ending}" in names for ending in _ENDINGS)


def _limits(asked: Asked, about: str) -> Finding:
    stated = asked.listing.stated or (asked.key_check.stated if asked.key_check else ())
    if not stated:
        return Finding(
            check="provider.limits",
            about=about,
            saw="this answer says nothing of limits",
        )
    shown = [_shown(each) for each in stated]
    spent = any(each.remaining == 0 for each in stated)
    return Finding(
        check="provider.limits",
        level=Level.WARNING if spent else Level.OK,
        about=about,
        saw="; ".join(shown),
        why="nothing is left of it for now" if spent else "",
        remedy="spillover status" if spent else "",
    )


def _shown(each: Stated) -> str:
    left = "?" if each.remaining is None else f"{in_written_units(each.metric, each.remaining):,g}"
    whole = "" if each.limit is None else f" of {in_written_units(each.metric, each.limit):,g}"
    return f"{left}{whole} {each.metric.value}/{each.per} left"

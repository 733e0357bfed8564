"""Draw up a plan profile by profile, whichever tool's file they stand in.

What can't be a setting here (an address that is none, a key that is a path, a model that is a secret)
leaves its profile out, and says so. Refuses to know any tool's names for things.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from spillover.catalogue import Kind
from spillover.config.addresses import origin
from spillover.config.fields import is_header
from spillover.config.homes import astray
from spillover.config.importers.concealing import (
    Concealer,
    in_address,
    is_placeholder,
    is_reference,
)
from spillover.config.importers.plan import Mapped, Names, Plan, Unmapped, shown
from spillover.config.rendering import inline
from spillover.config.secrets import Secret

if TYPE_CHECKING:
    from spillover.catalogue import Catalogue, Provider

_VERSION: Final = re.compile(r"v\d\w*")
_LONGEST: Final = 300
_LONGEST_SECRET: Final = 8_192
_ELSEWHERE: Final = ("keyring:", "file:")
"""A key that reads so would have this machine's own secrets sent to wherever the file says."""


class Variable(msgspec.Struct, frozen=True):
    """A key that a variable of the environment holds, by a file that may say so."""

    name: str


class Far(msgspec.Struct, frozen=True, kw_only=True):
    """The far end of a profile, as a file describes it."""

    provider: str | None
    """The catalogue's name; None: the address says who it is."""
    model: str
    base_url: str = ""
    protocol: str | None = None
    versioned: bool = False
    """The tool itself adds `/v1` to the address."""
    key: Any = None
    headers: Any = None
    settings: dict[str, Any] = {}
    """What else is known of it, in the configuration's words."""
    left_out: tuple[str, ...] = ()
    """What of it has no place here."""


class Refused(Exception):
    """Why something can't be taken over."""


class Drafter:
    """Gathers what becomes of a file."""

    def __init__(self, catalogue: Catalogue, values: Any) -> None:
        """Begin with nothing; `values` are the file's, for its secrets."""
        self.catalogue = catalogue
        self._concealer = Concealer(values)
        self._names = Names()
        self._profiles: dict[str, dict[str, Any]] = {}
        self._chains: dict[str, dict[str, Any]] = {}
        self._aliases: dict[str, str] = {}
        self._mapped: list[Mapped] = []
        self._unmapped: list[Unmapped] = []
        self._notes: list[str] = []

    def reserve(self, wanted: str) -> str:
        """Return the name that a chain is to have, before profiles take it."""
        return self._names.give(self._plain_name(wanted))

    def profile(self, source: str, far: Far, *, wanted: str | None = None) -> str | None:
        """Add a profile; return its name here, or None where it was left out, and why is noted."""
        try:
            settings, told = self._settings(far)
        except Refused as refused:
            self.leave(source, str(refused))
            return None
        name = self._names.give(self._plain_name(wanted or source))
        if name != source and wanted is None and source.strip() and self._is_title(source):
            settings = {"title": _literal(source), **settings}
        self._profiles[name] = settings
        self._mapped.append(Mapped(kind="profile", source=source, name=name, told="; ".join(told)))
        return name

    def chain(self, source: str, name: str, members: list[Any], **more: Any) -> None:
        """Add a chain of profiles that were added, under a name that was reserved."""
        self._chains[name] = {"profiles": members, **more}
        ways = [f"{key}: {inline(value)}" for key, value in more.items()]
        order = tuple(each["profile"] if isinstance(each, dict) else each for each in members)
        self._mapped.append(
            Mapped(kind="chain", source=source, name=name, told="; ".join(ways), leads_to=order)
        )

    def alias(self, source: str, target: str) -> None:
        """Let a client's name for a model lead to a chain or profile."""
        if not source.strip() or not self._is_title(source):
            self.leave("an alias", "its name can't be one")
        elif source not in self._aliases and source not in {*self._profiles, *self._chains}:
            self._aliases[source] = target
            self._mapped.append(
                Mapped(kind="alias", source=source, name=source, leads_to=(target,))
            )

    def limit(self, name: str, limits: dict[str, int]) -> bool:
        """Give a profile limits; the tighter ones where it has some. Return whether it had others."""
        settings = self._profiles[name]
        was = settings.get("limits")
        if not limits and was is None:
            return False
        both = {**(was or {}), **limits}
        settings["limits"] = {
            key: min(each[key] for each in (was or {}, limits) if key in each) for key in both
        }
        return was is not None and was != limits

    def leave(self, source: str, why: str) -> None:
        """Note what was left out."""
        self._unmapped.append(Unmapped(source=source, why=why))

    def note(self, text: str) -> None:
        """Note something else that a person should know."""
        self._notes.append(text)

    def plan(self) -> Plan:
        """Return what it came to, with nothing in its words that is a secret."""
        conceal = self._concealer.redact
        return Plan(
            conceal=conceal,
            profiles=self._profiles,
            chains=self._chains,
            aliases=self._aliases,
            mapped=tuple(
                msgspec.structs.replace(
                    each, source=shown(conceal(each.source)), told=conceal(each.told)
                )
                for each in self._mapped
            ),
            unmapped=tuple(
                Unmapped(source=shown(conceal(each.source)), why=conceal(each.why))
                for each in self._unmapped
            ),
            notes=tuple(map(conceal, self._notes)),
        )

    def _is_title(self, text: str) -> bool:
        return text.isprintable() and len(text) <= _LONGEST and not self._concealer.holds(text)

    def _plain_name(self, wanted: str) -> str:
        return "" if self._concealer.holds(wanted) else wanted

    def _settings(self, far: Far) -> tuple[dict[str, Any], list[str]]:
        """What stands in the configuration for a profile, and what is told of it."""
        given = far.settings
        base_url, hidden = self._address(far)
        entry = self._entry(far.provider, base_url)
        base_url = self._elsewhere(entry, base_url, far)
        model = self._model(far, entry)
        headers, bearer, dropped = self._headers(far.headers)
        key = (
            _key(far.key)
            or (_key(bearer) if bearer else None)
            or (_key(hidden) if hidden else None)
        )
        settings: dict[str, Any] = {}
        if entry is not None:
            settings["provider"] = entry.id
        if base_url:
            settings["base_url"] = _literal(base_url)
        if far.protocol is not None:
            settings["protocol"] = far.protocol
        settings |= {"api_key": key} if key is not None else {}
        settings |= {"headers": headers} if headers else {}
        settings |= {"model": _literal(model)} if model else {}
        told = [" ".join([entry.id if entry else base_url, model or "its usual model"])]
        told += _of_key(key, entry, base_url)
        told += self._warned(far.key, base_url)
        if hidden or in_address(far.base_url):
            told.append(
                "what its address held besides (before the @, behind the ?) is not part of it"
            )
        left_out = [*far.left_out, *dropped]
        told += [f"without {', '.join(left_out)}"] if left_out else []
        return settings | given, told

    def _address(self, far: Far) -> tuple[str, str]:
        """A plain address, and the credential that stood in it; both may be empty."""
        if not far.base_url:
            return "", ""
        parts = _parts(far.base_url)
        host = parts.netloc.rpartition("@")[2]
        path = parts.path.rstrip("/").removesuffix("/chat/completions")
        if far.versioned and not any(map(_VERSION.fullmatch, path.split("/"))):
            path += "/v1"
        plain = urlunsplit((parts.scheme, host, path, "", ""))
        if any(letter.isspace() for letter in plain) or self._concealer.holds(plain):
            raise Refused("its address can't be used: it holds a secret, or spaces")
        held = [each for each in in_address(far.base_url) if self._concealer.holds(each)]
        return plain, held[-1] if held else ""

    def _entry(self, provider: str | None, base_url: str) -> Provider | None:
        """The catalogue's entry: the one that is named, else the one whose address it is."""
        if provider is not None:
            return self.catalogue.provider(provider)
        if not base_url:
            return None
        where = origin(base_url)
        return next(
            (
                each
                for each in self.catalogue.providers.values()
                if not each.places
                and origin(each.base_url) == where
                and each.kind is not Kind.LOCAL
            ),
            None,
        )

    def _elsewhere(self, entry: Provider | None, base_url: str, far: Far) -> str:
        """The address, where it is not the one that the catalogue knows."""
        if entry is None:
            if not base_url:
                raise Refused("nobody here knows where it is: it has no address")
            return base_url
        if entry.places and not base_url:
            raise Refused(f"its address needs {', '.join(entry.places)}: add it by hand")
        if entry.id == "azure" and "/openai/v1" not in base_url:
            return f"{origin(base_url).removesuffix(':443')}/openai/v1"
        return "" if base_url == entry.base_url and far.protocol is None else base_url

    def _warned(self, key: Any, base_url: str) -> list[str]:
        """What is told of a provider's key that would go to somebody else's address."""
        if not isinstance(key, Variable) or not base_url:
            return []
        owner = astray(key.name, base_url, self.catalogue)
        if owner is None:
            return []
        told = (
            f"WARNING: {key.name} is the key of {owner.id}, and {origin(base_url)} is not theirs: "
            "requests would send it there; if it must not go there, take the profile out"
        )
        return [told]

    def _model(self, far: Far, entry: Provider | None) -> str:
        model = far.model
        if not model and entry is None:
            raise Refused("it names no model")
        if not model.isprintable() or len(model) > _LONGEST or self._concealer.holds(model):
            raise Refused("its model can't be one's name")
        if "*" in model:
            raise Refused("it stands for many models; a profile has one")
        return model

    def _headers(self, written: Any) -> tuple[dict[str, Secret], str, list[str]]:
        """Headers whose values are kept as secrets, a key among them, and those left out."""
        kept: dict[str, Secret] = {}
        bearer, dropped = "", []
        for name, value in written.items() if isinstance(written, dict) else ():
            text = value.strip() if isinstance(value, str) else ""
            if name.lower() == "authorization" and text.lower().startswith("bearer "):
                bearer = text[len("bearer ") :].strip()
            elif (
                is_header(name)
                and _can_be_kept(text, spaces=True)
                and not self._concealer.holds(name)
            ):
                kept[name] = Secret(text)
            else:
                dropped.append(f"the header {shown(name)}")
        return kept, bearer, dropped


def _parts(url: str) -> SplitResult:
    """An address in its parts; raises Refused."""
    wrong = Refused("its address is none that can be asked (https://host/v1)")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        raise wrong from None
    if not usable or not url.isprintable() or len(url) > _LONGEST:
        raise wrong
    return parts


def _key(written: Any) -> Secret | str | None:
    """A credential, a reference to a variable that holds it, or none."""
    if isinstance(written, Variable):
        return f"${{{written.name}}}"
    text = str(written).strip() if isinstance(written, (str, int)) else ""
    if isinstance(written, bool) or not text or is_placeholder(text):
        return None
    if is_reference(text) or not _can_be_kept(text):
        raise Refused("its key is none: it names a place, is too long, or holds signs no key has")
    return Secret(text)


def _can_be_kept(text: str, *, spaces: bool = False) -> bool:
    first = " " if spaces else "!"
    return (
        0 < len(text) <= _LONGEST_SECRET
        and all(first <= letter <= "~" for letter in text)
        and not text.startswith(_ELSEWHERE)
    )


def _of_key(key: Secret | str | None, entry: Provider | None, base_url: str) -> list[str]:
    """What is told of a profile's key, where that is not what one expects."""
    if isinstance(key, str):
        return [f"key from {key}"]
    if key is not None:
        return ["key kept"]
    if entry is not None and entry.key_env and not base_url and not entry.auth.optional:
        return [f"no key in the file: {entry.key_env[0]} is read"]
    return []


def _literal(text: str) -> str:
    """A text that stands for itself: in the configuration a dollar sign may begin a variable."""
    return text.replace("$", "$$")

"""The kinds of values that settings hold, each read by one function and described for editors.

Refuses to know which settings there are: `spillover.config.schema` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from spillover.config import limits, units
from spillover.config.findings import Fault, Faults, nearest
from spillover.config.secrets import MissingSecret, Secret
from spillover.core.chains import Caching, CooldownRule, Failback, Hours
from spillover.core.notices import DESKTOP, FILTERABLE, NoticeKind
from spillover.core.values import FailureClass, Protocol

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
A_NAME: Final = "a name of 1 to 64 letters, digits, dots, dashes or underscores"
MOST_RETRIES: Final = 10
_MORE_SENDS: Final = f"how many sends beyond the first, 0 to {MOST_RETRIES}"
_CLASSES: Final = tuple(each.value for each in FailureClass)
_CACHE: Final = ("ttl", "max_size")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OWN_HEADERS: Final = frozenset(
    {"connection", "content-length", "content-type", "host", "transfer-encoding"}
)

_Read = TypeVar("_Read")


def refuse(expected: str) -> PydanticCustomError:
    """Return the error that says what a value should have been."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


def _read(read: Callable[[Any], Any]) -> BeforeValidator:
    """Wrap a reader that raises ValueError with what was expected, or Faults with the places."""

    def validate(written: Any) -> Any:
        try:
            return read(written)
        except Faults:
            raise
        except ValueError as error:
            raise refuse(str(error)) from None

    return BeforeValidator(validate)


def _string(written: object) -> str:
    """A string; numbers are taken as they read, for `model: 4` is no mistake worth refusing."""
    if isinstance(written, bool) or not isinstance(written, (str, int, float)):
        raise ValueError("text")  # noqa: TRY004 (pydantic reports ValueError)
    text = str(written).strip()
    if not text:
        raise ValueError("text that is not empty")
    return text


def _line(written: object) -> str:
    """Text that a terminal and a header bear: no control characters, no half ones."""
    text = _string(written)
    if not all(letter.isprintable() for letter in text):
        raise ValueError("text without control characters")
    return text


def _secret(written: object) -> Secret | MissingSecret | None:
    if written is None or isinstance(written, (Secret, MissingSecret)):
        return written
    return Secret(_string(written))


def _key(written: object) -> Secret | MissingSecret:
    """A key that clients present: an empty one would let everybody in, a missing one lets nobody."""
    secret = _secret(written)
    if secret is None or (isinstance(secret, Secret) and not secret):
        raise ValueError("a key")
    return secret


_UNSPOKEN: Final = ("bedrock", "vertex")


def _dialect(written: object) -> object:
    """A dialect, with the way round for those that this gateway does not speak."""
    name = next((each for each in _UNSPOKEN if str(written).lower().startswith(each)), None)
    if name is None:
        return written
    raise ValueError(
        f"openai: {name}'s own protocol is not spoken here, "
        f"but provider: {name} goes to its OpenAI-compatible address"
    )


def _pause(written: object) -> float:
    length_s = units.seconds(written)
    if length_s <= 0:
        raise ValueError("a duration of more than 0")
    return length_s


def _url(written: object) -> str:
    """An http(s) address without credentials, query or trailing slash."""
    expected = "an address such as https://api.example.com/v1"
    text = _string(written).rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if not usable or any(letter.isspace() for letter in text) or parts.fragment:
        raise ValueError(expected)
    if parts.username or parts.password:
        raise ValueError(f"{expected}, its key as api_key")
    return text


def _failback(written: object) -> Failback:
    match written:
        case "immediate":
            return Failback()
        case "sticky":
            return Failback(sticky=True)
        case {"after": after} if isinstance(written, Mapping) and len(written) == 1:
            return Failback(after_s=_inner(units.seconds, after, "after"))
        case _:
            raise ValueError("immediate, sticky or {after: 5m}")


def _when_exhausted(written: object) -> float:
    match written:
        case "fail":
            return 0.0
        case {"wait": wait} if isinstance(written, Mapping) and len(written) == 1:
            return _inner(units.seconds, wait, "wait")
        case _:
            raise ValueError("fail or {wait: 30s}")


def _cache(written: object) -> Caching | None:
    if written is None:
        return None
    if not isinstance(written, Mapping):
        try:
            return Caching(ttl_s=_pause(written))
        except ValueError:
            raise ValueError("a duration such as 10m, or {ttl: 10m, max_size: 64MB}") from None
    faults = [
        Fault(
            f"one of {', '.join(_CACHE)}",
            path=(name,),
            found=name,
            nearest=nearest(str(name), _CACHE),
        )
        for name in written
        if name not in _CACHE
    ]
    if "ttl" not in written:
        faults.append(Fault("how long answers are kept", path=("ttl",), found=None))
    if faults:
        raise Faults(faults)
    ttl_s = _inner(_pause, written["ttl"], "ttl")
    if written.get("max_size") is None:
        return Caching(ttl_s=ttl_s)
    return Caching(ttl_s=ttl_s, most_bytes=_inner(units.size, written["max_size"], "max_size"))


def _inner(read: Callable[[Any], _Read], written: object, key: str) -> _Read:
    """Read what stands under a key, so that its faults name the key."""
    try:
        return read(written)
    except Faults as below:
        faults = [
            Fault(each.expected, path=(key, *each.path), found=each.found, nearest=each.nearest)
            for each in below.faults
        ]
        raise Faults(faults) from None
    except ValueError as error:
        raise Faults([Fault(str(error), path=(key,), found=written)]) from None


def _by_class(
    written: Mapping[Any, Any], read: Callable[[Any], _Read]
) -> dict[FailureClass, _Read]:
    """Read a mapping by failure class; raises Faults with everything wrong in it."""
    found: dict[FailureClass, _Read] = {}
    faults: list[Fault] = []
    for name, entry in written.items():
        try:
            value = _inner(read, entry, name)
        except Faults as inner:
            faults += inner.faults
            value = None
        if name not in _CLASSES:
            expected = f"a failure class: {', '.join(_CLASSES)}"
            near = nearest(str(name), _CLASSES)
            faults.append(Fault(expected, path=(name,), found=name, nearest=near))
        elif value is not None:
            found[FailureClass(name)] = value
    if faults:
        raise Faults(faults)
    return found


def _retries(written: object) -> dict[FailureClass, int]:
    if not isinstance(written, Mapping):
        raise ValueError(  # noqa: TRY004 (pydantic reports ValueError)
            f"{_MORE_SENDS}, by failure class: {{server_error: 2}}"
        )
    return _by_class(written, _more_sends)


def _more_sends(count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_RETRIES:
        raise ValueError(_MORE_SENDS)
    return count


def _cooldowns(written: object) -> dict[FailureClass, CooldownRule]:
    if isinstance(written, Mapping) and set(written) != {"fixed"}:
        return _by_class(written, _cooldown)
    return dict.fromkeys(FailureClass, _cooldown(written))


def _cooldown(written: object) -> CooldownRule:
    if isinstance(written, Mapping):
        if set(written) != {"fixed"}:
            raise ValueError("a duration such as 30s, or {fixed: 60s}")
        wait_s = _inner(units.seconds, written["fixed"], "fixed")
        return CooldownRule(wait_s=wait_s, fixed=True)
    return CooldownRule(wait_s=units.seconds(written))


def _storage(written: object) -> str:
    text = _string(written)
    if text in {"sqlite", "memory"}:
        return text
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    if text.startswith(("redis:", "rediss:", "valkey:", "valkeys:")):
        raise ValueError("sqlite or sqlite:///path (Redis and Valkey are not in this version)")
    raise ValueError("sqlite, sqlite:///path or memory")


def _notify(written: object) -> Secret:
    """A target's address may hold a token, so it is kept as a secret."""
    secret = written if isinstance(written, Secret) else Secret(_string(written))
    if secret.reveal() != DESKTOP and not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", secret.reveal()):
        raise ValueError("desktop, or an address such as ntfy://topic or https://example.com/hook")
    return secret


def _told(written: object) -> NoticeKind:
    if written not in FILTERABLE:
        raise ValueError(f"one of {', '.join(FILTERABLE)}")
    return NoticeKind(str(written))


def is_header(name: str) -> bool:
    """Return whether a request may be given a header of this name."""
    return _HEADER.fullmatch(name) is not None and name.lower() not in _OWN_HEADERS


def _header(written: object) -> str:
    text = _string(written)
    if not is_header(text):
        raise ValueError("the name of a header, other than those of the request itself")
    return text


def _url_path(written: object) -> str:
    text = _string(written)
    if not text.startswith("/") or any(letter.isspace() for letter in text):
        raise ValueError("a path such as /health")
    return text


def _variable(written: object) -> str:
    text = _string(written)
    if _VARIABLE.fullmatch(text) is None:
        raise ValueError("the name of an environment variable")
    return text


def _name(written: object) -> str:
    text = _string(written)
    if NAME.fullmatch(text) is None:
        raise ValueError(A_NAME)
    return text


def _either(*kinds: str) -> WithJsonSchema:
    return WithJsonSchema({"type": list(kinds)})


_DURATION_SCHEMA: Final = {"type": ["string", "integer"], "examples": ["30s", "5m", "1d"]}

Name: TypeAlias = Annotated[
    str, _read(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})
]
Header: TypeAlias = Annotated[str, _read(_header), WithJsonSchema({"type": "string"})]
Text: TypeAlias = Annotated[str, _read(_string), WithJsonSchema({"type": "string"})]
Line: TypeAlias = Annotated[str, _read(_line), WithJsonSchema({"type": "string"})]
UrlPath: TypeAlias = Annotated[str, _read(_url_path), WithJsonSchema({"type": "string"})]
Variable: TypeAlias = Annotated[str, _read(_variable), WithJsonSchema({"type": "string"})]
Url: TypeAlias = Annotated[str, _read(_url), WithJsonSchema({"type": "string", "format": "uri"})]
Duration: TypeAlias = Annotated[float, _read(units.seconds), WithJsonSchema(_DURATION_SCHEMA)]
Size: TypeAlias = Annotated[int, _read(units.size), _either("string", "integer")]
DialectField: TypeAlias = Annotated[Protocol | None, _read(_dialect)]
Credential: TypeAlias = Annotated[
    Secret | MissingSecret | None, _read(_secret), _either("string", "null")
]
Key: TypeAlias = Annotated[Secret | MissingSecret, _read(_key), _either("string")]
Pause: TypeAlias = Annotated[float, _read(_pause), WithJsonSchema(_DURATION_SCHEMA)]
HoursField: TypeAlias = Annotated[Hours, _read(units.hours), _either("string")]
LimitsField: TypeAlias = Annotated[
    limits.Limits, BeforeValidator(limits.read), WithJsonSchema(limits.json_schema())
]
FailbackField: TypeAlias = Annotated[
    Failback,
    _read(_failback),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["immediate", "sticky"]},
                {"type": "object", "properties": {"after": _DURATION_SCHEMA}},
            ]
        }
    ),
]
WhenExhausted: TypeAlias = Annotated[
    float,
    _read(_when_exhausted),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "fail"},
                {"type": "object", "properties": {"wait": _DURATION_SCHEMA}},
            ]
        }
    ),
]
CacheField: TypeAlias = Annotated[
    Caching | None,
    _read(_cache),
    WithJsonSchema(
        {
            "anyOf": [
                _DURATION_SCHEMA,
                {
                    "type": "object",
                    "properties": {
                        "ttl": _DURATION_SCHEMA,
                        "max_size": {"type": ["string", "integer"]},
                    },
                    "required": ["ttl"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Retries: TypeAlias = Annotated[
    dict[FailureClass, int],
    _read(_retries),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                name.value: {"type": "integer", "minimum": 0, "maximum": MOST_RETRIES}
                for name in FailureClass
            },
            "additionalProperties": False,
        }
    ),
]
_COOLDOWN_SCHEMA: Final = {
    "anyOf": [
        _DURATION_SCHEMA,
        {
            "type": "object",
            "properties": {"fixed": _DURATION_SCHEMA},
            "additionalProperties": False,
        },
    ]
}
Cooldowns: TypeAlias = Annotated[
    dict[FailureClass, CooldownRule],
    _read(_cooldowns),
    WithJsonSchema(
        {
            "anyOf": [
                *_COOLDOWN_SCHEMA["anyOf"],
                {
                    "type": "object",
                    "properties": dict.fromkeys(
                        (name.value for name in FailureClass), _COOLDOWN_SCHEMA
                    ),
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Storage: TypeAlias = Annotated[str, _read(_storage), WithJsonSchema({"type": "string"})]
NotifyAddress: TypeAlias = Annotated[Secret, _read(_notify), _either("string")]
Told: TypeAlias = Annotated[
    NoticeKind,
    _read(_told),
    WithJsonSchema({"type": "string", "enum": [kind.value for kind in FILTERABLE]}),
]

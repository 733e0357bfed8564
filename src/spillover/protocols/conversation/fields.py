"""Read a JSON object field by field, and know in the end which fields nobody has read.

What is left over is what a translation drops. Refuses to know what any field means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import msgspec

from spillover.protocols.openai_chat import InvalidRequest
from spillover.protocols.surrogates import whole_characters

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_decode: Final = msgspec.json.Decoder().decode
_raw_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
encode: Final = msgspec.json.Encoder().encode
"""Write JSON."""


class Malformed(ValueError):
    """A value is not of the kind that its protocol has there; `at` is its path."""

    def __init__(self, at: str, expected: str) -> None:
        super().__init__(f"'{at}' must be {expected}" if at else f"{expected} is expected")
        self.at = at


class Fields:
    """An object, and which of its fields have been read; null counts as absent.

    A long conversation has hundreds of them: where one stands is only spelt out when it is asked for.
    """

    __slots__ = ("_lenient", "_name", "_parent", "_place", "_seen", "_values")

    def __init__(
        self,
        value: Any,
        at: str = "",
        *,
        lenient: bool = False,
        parent: Fields | None = None,
        place: int | None = None,
    ) -> None:
        """Raise `Malformed` unless `value` is an object.

        `at` is its path, or its name within `parent`, where it may be in a list, in the `place`th place.
        To be `lenient` is to take a value of an odd kind for absent: so are answers read, whose
        writers can't be told to mend them.
        """
        self._name = at
        self._lenient = lenient
        self._parent = parent
        self._place = place
        self._seen: set[str] = set()
        if not isinstance(value, dict):
            raise Malformed(self.at, "an object")
        self._values: dict[str, Any] = value

    @property
    def at(self) -> str:
        """The path of the object."""
        if self._parent is None:
            return self._name
        place = "" if self._place is None else f"[{self._place}]"
        return self._parent.path(self._name) + place

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def path(self, name: str) -> str:
        """Return the path of a field, as errors name it."""
        at = self.at
        return f"{at}.{name}" if at else name

    def all(self) -> dict[str, Any]:
        """Return the object as it is; its fields stay unread."""
        return self._values

    def left(self) -> tuple[str, ...]:
        """Return the names of the fields that were not read; an empty list asks for nothing."""
        if self._values.keys() <= self._seen:
            return ()
        return tuple(
            [
                name
                for name, item in self._values.items()
                if not (item is None or item == [] or name in self._seen)
            ]
        )

    def value(self, name: str) -> Any:
        """Return a field, whatever it is; None where it is absent."""
        self._seen.add(name)
        return self._values.get(name)

    def _odd(self, name: str, expected: str) -> None:
        """Take a value of another kind for absent, or say what should have been there."""
        if not self._lenient:
            raise Malformed(self.path(name), expected)

    def text(self, name: str) -> str | None:
        """Return a string."""
        self._seen.add(name)
        found = self._values.get(name)
        if found is None or isinstance(found, str):
            return found
        self._odd(name, "a string")
        return None

    def needed(self, name: str) -> str:
        """Return a string that must be there."""
        self._seen.add(name)
        found = self._values.get(name)
        if not isinstance(found, str):
            raise Malformed(self.path(name), "a string")
        return found

    def expected(self, name: str) -> str:
        """Return a string that must be there; to the lenient one that is not is empty."""
        return (self.text(name) or "") if self._lenient else self.needed(name)

    def count(self, name: str) -> int | None:
        """Return a whole number."""
        found = self.number(name)
        if isinstance(found, float) and not found.is_integer():
            self._odd(name, "a whole number")
            return None
        return None if found is None else int(found)

    def number(self, name: str) -> float | None:
        """Return a number."""
        self._seen.add(name)
        found = self._values.get(name)
        if found is None or (isinstance(found, int | float) and not isinstance(found, bool)):
            return found
        self._odd(name, "a number")
        return None

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        self._seen.add(name)
        found = self._values.get(name)
        if found is None or isinstance(found, bool):
            return found
        self._odd(name, "true or false")
        return None

    def plain(self, name: str) -> dict[str, Any] | None:
        """Return an object as it is."""
        self._seen.add(name)
        found = self._values.get(name)
        if found is None or isinstance(found, dict):
            return found
        self._odd(name, "an object")
        return None

    def fields(self, name: str) -> Fields | None:
        """Return an object to be read in its turn."""
        found = self.plain(name)
        return None if found is None else self._inner(found, name)

    def items(self, name: str) -> list[Any]:
        """Return a list as it is; empty where it is absent."""
        self._seen.add(name)
        found = self._values.get(name)
        if isinstance(found, list):
            return found
        if found is not None:
            self._odd(name, "a list")
        return []

    def objects(self, name: str) -> list[Fields]:
        """Return the objects of a list."""
        lenient = self._lenient
        return [
            self._inner(item, name, place)
            for place, item in enumerate(self.items(name))
            if not lenient or isinstance(item, dict)
        ]

    def _inner(self, value: Any, name: str, place: int | None = None) -> Self:
        return self.__class__(value, name, lenient=self._lenient, parent=self, place=place)

    def arguments(self, name: str) -> str:
        """Return a call's arguments as JSON, which stands there as text or, with some, as it is."""
        self._seen.add(name)
        found = self._values.get(name)
        if isinstance(found, dict):
            return encode(found).decode()
        return self.text(name) or ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the strings of a list; a string alone counts as a list of one."""
        value = self.value(name)
        if isinstance(value, str):
            return (value,)
        found = self.items(name)
        if not all(isinstance(item, str) for item in found):
            raise Malformed(self.path(name), "a list of strings")
        return tuple(found)


class Losses:
    """What a translation could not carry, gathered while it goes; each name once, in order."""

    __slots__ = ("_dropped", "_lacks")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._lacks: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of what is left out and will not be missed."""
        return tuple(self._dropped)

    @property
    def lacks(self) -> tuple[str, ...]:
        """Names of what would be missed."""
        return tuple(self._lacks)

    def drop(self, *names: str) -> None:
        """Note what is left out."""
        if names:
            self._dropped.update(dict.fromkeys(names))

    def lack(self, *names: str) -> None:
        """Note what would be missed."""
        if names:
            self._lacks.update(dict.fromkeys(names))


def read_body(body: bytes, read: Callable[[Fields], _T]) -> _T:
    """Return what `read` makes of a JSON object that a client sent; raises `InvalidRequest`."""
    return read_from_client(lambda: read(decoded(body)))


def read_from_client(read: Callable[[], _T]) -> _T:
    """Return what `read` does; what it finds `Malformed` is the client's `InvalidRequest`."""
    try:
        return read()
    except Malformed as error:
        raise InvalidRequest(str(error), error.at or None) from None
    except RecursionError:
        raise InvalidRequest("the body is nested too deeply") from None


def decoded(body: bytes, *, lenient: bool = False) -> Fields:
    """Return the fields of a JSON object; raises `Malformed`."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        mended = whole_characters(body) if lenient else None
        if mended is not None:
            return decoded(mended, lenient=lenient)
        raise Malformed("", "a JSON object") from None
    return Fields(value, lenient=lenient)


def raw_fields(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the fields of a JSON object, each as it was written; raises `Malformed`."""
    try:
        return _raw_fields(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("", "a JSON object") from None


def value_of(raw: msgspec.Raw, name: str) -> Any:
    """Return what stands in a field, as it was written; raises `Malformed`."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed(name, "JSON") from None


def object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None where it is none. Empty text is an empty object."""
    text = text.strip() or "{}"
    if text[0] != "{":
        return None  # most results of tools are words: no error is to be made for each
    try:
        found: dict[str, Any] = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found


def split_data_url(url: str) -> tuple[str | None, str] | None:
    """Return (mime type, base64) of a data URL; None: it is another address."""
    head, comma, data = url.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        return None
    return head[5:-7].partition(";")[0] or None, data


_ENDINGS: Final = {"application/pdf": ".pdf", "text/plain": ".txt"}


def file_name(name: str | None, mime: str | None) -> str:
    """Return what a file is called: OpenAI tells its kind by the ending."""
    return name or f"file{_ENDINGS.get(mime or '', '')}"


def data_url(mime: str | None, data: str) -> str:
    """Return base64 as a data URL."""
    return f"data:{mime or 'application/octet-stream'};base64,{data}"

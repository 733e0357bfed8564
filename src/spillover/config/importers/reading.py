"""Read the text of a file to be imported into plain values, refusing what could do harm.

Refuses to know what the values mean.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import Any, Final, NoReturn

from spillover.config.document import parse
from spillover.config.nesting import levels
from spillover.errors import RequestError

LARGEST_BYTES: Final = 16_777_216
"""Exports hold settings of all kinds besides; a thousand profiles take one."""
DEEPEST: Final = 64
_CUT: Final = "it is cut off, or no"


class Repeated(dict[str, Any]):
    """A mapping in which keys stand more than once: the last one counts, as in JavaScript."""

    keys_repeated: tuple[str, ...] = ()


def read_json(source: bytes) -> Any:
    """Return the values of a JSON text; raises RequestError, which repeats nothing of it."""
    _bounded(source)
    text = _text(source)
    try:
        value = json.loads(text, object_pairs_hook=_mapping, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RequestError(f"{_CUT} JSON ({place})") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise RequestError("it is no JSON: a number that there is not") from None
    if any(islice(levels(value), DEEPEST, None)):
        raise _too_deep()
    return value


def read_yaml(source: bytes) -> Any:
    """Return the values of a YAML (or JSON) text; raises RequestError."""
    _bounded(source)
    parsed = parse(source, file="")
    if parsed.problems:
        first = parsed.problems[0]
        line = f" on line {first.line}" if first.line else ""
        # What was found is not repeated: it may be a piece of a key.
        raise RequestError(f"it can't be read{line}: expected {first.expected}")
    return parsed.document


def read_either(source: bytes) -> Any:
    """Return the values of a text that is JSON if it begins so, else YAML; raises RequestError."""
    return read_json(source) if source.lstrip()[:1] in (b"{", b"[") else read_yaml(source)


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping; an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def entries(value: Any) -> list[Any]:
    """Return a list; an empty one in the place of anything else."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a text without the space around it; empty in the place of anything else."""
    return value.strip() if isinstance(value, str) else ""


def number_of(value: Any) -> float | None:
    """Return a number above 0, written as one or as text; None in the place of anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < MOST else None


MOST: Final = 1e15
"""No limit of any use is higher."""


def whole(value: Any) -> int | None:
    """Return a whole number of 1 or more; None in the place of anything else."""
    number = number_of(value)
    return int(number) if number is not None and number >= 1 else None


def _bounded(source: bytes) -> None:
    if len(source) > LARGEST_BYTES:
        raise RequestError(f"it is larger than {LARGEST_BYTES >> 20} MiB")
    if not source.strip():
        raise RequestError("it is empty")


def _text(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError("it is no UTF-8 text") from None


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    times = Counter(name for name, _ in pairs)
    repeated = Repeated(found)
    repeated.keys_repeated = tuple(name for name in found if times[name] > 1)
    return repeated


def _no_number(_name: str) -> NoReturn:
    raise ValueError


def _too_deep() -> RequestError:
    return RequestError(f"it is nested deeper than {DEEPEST} levels")

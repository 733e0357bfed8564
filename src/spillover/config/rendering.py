"""Write plain values as YAML, as plain as it lets them be.

Refuses to know what the values are for, and any text that is there already.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_SAFE: Final = re.compile(r"[A-Za-z0-9/][A-Za-z0-9@/_.+-]*")
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
_ESCAPED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_TWO_DIGITS: Final = 0xFF
_FOUR_DIGITS: Final = 0xFFFF


def inline(value: Any) -> str:
    """Return a value on one line, as it may stand within braces too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {inline(to)}" for key, to in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(entry) for entry in value) + "]"
    return scalar(value)


def setting(value: Any) -> str:
    """Return a value behind its key on a line of its own, where a variable needs no quotes."""
    plain = isinstance(value, str) and _VARIABLE.fullmatch(value) is not None
    return value if plain else inline(value)


def block(value: dict[str, Any], *, indent: int, step: int, deep: int) -> list[str]:
    """Return the lines of a mapping; what lies more than `deep` levels below it is inline."""
    lines = []
    for key, to in value.items():
        head = f"{' ' * indent}{scalar(key)}:"
        if deep and isinstance(to, dict) and to:
            lines += [head, *block(to, indent=indent + step, step=step, deep=deep - 1)]
        else:
            lines.append(f"{head} {setting(to)}")
    return lines


def scalar(value: Any) -> str:
    """Return a scalar as plain as YAML lets it be, within braces too."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _SAFE.fullmatch(value) is None or value.lower() in _RESERVED or _is_number(value):
        return quoted(value)
    return value


def quoted(text: str) -> str:
    """Return text in double quotes, on one line whatever it holds."""
    return '"' + "".join(map(_escaped, text)) + '"'


def single_quoted(text: str) -> str:
    """Return text in single quotes; what needs escapes comes in double ones."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else quoted(text)


def _escaped(letter: str) -> str:
    if letter in _ESCAPED:
        return _ESCAPED[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code <= _TWO_DIGITS:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _FOUR_DIGITS else f"\\U{code:08x}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

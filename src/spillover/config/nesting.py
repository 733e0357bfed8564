"""Go through values level by level, so that none of them nests too deeply for who does.

Refuses to know how deep is too deep, and what the values mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def levels(value: Any) -> Iterator[list[Any]]:
    """Yield a value, then what lies in it, then what lies in that, as long as there is anything."""
    level = [value]
    while level:
        yield level
        level = [
            part
            for each in level
            if isinstance(each, (dict, list))
            for part in (each.values() if isinstance(each, dict) else each)
        ]

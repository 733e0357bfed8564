"""One endpoint over all your LLM quotas: each answer comes from the first profile with room.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

# Type checkers take it for true; `typing` alone costs as much as Python's own start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from spillover.errors import (
        AllAttemptsFailed,
        ConfigError,
        LedgerError,
        MalformedAnswer,
        NoProfileAvailable,
        RequestError,
        SpilloverError,
        StreamInterrupted,
        UnknownModel,
    )
    from spillover.library import (
        ChatAnswer,
        ChatStream,
        Chunk,
        Spillover,
        SyncChatStream,
        SyncSpillover,
        ToolCall,
    )
    from spillover.protocols.records import Classified, classify

__version__ = "0.1.0"

__all__ = [
    "AllAttemptsFailed",
    "ChatAnswer",
    "ChatStream",
    "Chunk",
    "Classified",
    "ConfigError",
    "LedgerError",
    "MalformedAnswer",
    "NoProfileAvailable",
    "RequestError",
    "Spillover",
    "SpilloverError",
    "StreamInterrupted",
    "SyncChatStream",
    "SyncSpillover",
    "ToolCall",
    "UnknownModel",
    "__version__",
    "classify",
]

_HOMES = {
    **dict.fromkeys(
        (
            "ChatAnswer",
            "ChatStream",
            "Chunk",
            "Spillover",
            "SyncChatStream",
            "SyncSpillover",
            "ToolCall",
        ),
        "library",
    ),
    **dict.fromkeys(("Classified", "classify"), "protocols.records"),
}
"""Where a name is defined that is no error."""


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - as `typing` above

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "errors")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

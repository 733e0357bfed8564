"""Spillover inside one's own program, with or without an event loop, and under SDKs on httpx."""

from spillover.library.answers import ChatAnswer, Chunk, ToolCall
from spillover.library.client import ChatStream, Spillover
from spillover.library.sync import SyncChatStream, SyncSpillover

__all__ = [
    "ChatAnswer",
    "ChatStream",
    "Chunk",
    "Spillover",
    "SyncChatStream",
    "SyncSpillover",
    "ToolCall",
]

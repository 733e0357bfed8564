"""The gateways that the bench compares Spillover with, each in an environment of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[1] / ".peers"
LITELLM: Final = FOLDER / "litellm" / "bin" / "litellm"
PORTKEY: Final = (
    FOLDER / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
)

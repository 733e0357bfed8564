"""One endpoint over all your LLM quotas: each answer comes from the first profile with room."""

from __future__ import annotations

__version__ = "0.1.0"

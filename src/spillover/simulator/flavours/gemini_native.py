"""Gemini's own generateContent: the quotas and words of its OpenAI layer, bare errors, other addresses.

Refuses to know counting.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from spillover.simulator.asked import Operation
from spillover.simulator.flavours.base import Addressed
from spillover.simulator.flavours.gemini import Gemini

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spillover.simulator.replies import Json, Reply

_ADDRESS: Final = re.compile(
    r"/models/(?P<model>.+):(?P<verb>generateContent|streamGenerateContent)"
)


class GeminiNative(Gemini):
    """The `gemini-native` flavour."""

    name: ClassVar[str] = "gemini-native"
    base_path: ClassVar[str] = "/v1beta"
    operations: ClassVar[Mapping[str, Operation]] = {}

    def addressed(self, path: str, query: str) -> Addressed | None:
        """The address says the model and whether to stream; only `alt=sse` is simulated."""
        found = _ADDRESS.fullmatch(path)
        stream = found is not None and found["verb"] == "streamGenerateContent"
        if found is None or (stream and query != "alt=sse"):
            return None
        return Addressed(operation=Operation.GENERATE, model=found["model"], stream=stream)

    def listed(self, model: str) -> Json:
        """As `GET /v1beta/models` has it."""
        return {"name": f"models/{model}", "supportedGenerationMethods": ["generateContent"]}

    def _error(self, status: int, message: str, *details: dict[str, Any]) -> Reply:
        reply = super()._error(status, message, *details)
        body = msgspec.json.decode(reply.body)
        bare = body[0] if isinstance(body, list) else body
        return msgspec.structs.replace(reply, body=msgspec.json.encode(bare))

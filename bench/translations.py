"""Time what it costs that an upstream speaks another dialect than its client: requests, and each event.

The client speaks OpenAI's chat; what upstreams of the other three get and say is timed, and the slowest
of them counts. Refuses to know servers, sockets and upstreams.
"""

from __future__ import annotations

import json
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from spillover.core.values import Operation
from spillover.protocols.conversation.answers import Stamp
from spillover.protocols.conversation.requests import Target
from spillover.protocols.conversation.seals import Dialect
from spillover.protocols.judging import Upstream
from spillover.protocols.openai_chat import read_request
from spillover.protocols.spoken import write_for
from spillover.protocols.translate import StreamTranslation

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS: Final = 1_000
TURNS: Final = 10
_TEXT: Final = "def f(x): return x + 1\\n" * 18
_EVENTS: Final = {
    Dialect.RESPONSES: {
        "type": "response.output_text.delta",
        "sequence_number": 5,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": " word",
    },
    Dialect.ANTHROPIC: {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": " word"},
    },
    Dialect.GEMINI: {
        "candidates": [{"content": {"role": "model", "parts": [{"text": " word"}]}, "index": 0}],
        "modelVersion": "m",
    },
}


def conversation() -> bytes:
    """Return a chat of about 20 KB: an agent's, with twelve tools and ten calls."""
    place = {"type": "string", "description": "Where it is."}
    schema = {
        "type": "object",
        "properties": {"path": place, "from": {"type": "integer"}, "to": {"type": "integer"}},
        "required": ["path"],
    }
    described = "Reads a file of the project and gives it back. " * 4
    tools = [
        {
            "type": "function",
            "function": {"name": f"tool_{number}", "description": described, "parameters": schema},
        }
        for number in range(12)
    ]
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You are careful. " * 120}]
    for turn in range(TURNS):
        arguments = json.dumps({"path": f"src/{turn}.py", "from": 1, "to": 99})
        call = {
            "id": f"call_{turn}",
            "type": "function",
            "function": {"name": "tool_1", "arguments": arguments},
        }
        messages += [
            {"role": "user", "content": f"Question {turn}. " + "What does this do? " * 25},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": _TEXT},
        ]
    return json.dumps({"model": "default", "messages": messages, "tools": tools}).encode()


def translations() -> dict[str, float]:
    """Return medians in microseconds: of a request one way, and of an event."""
    asked, target = read_request(conversation(), Operation.CHAT), Target(model="bench")
    requests = [_median_us(partial(write_for, asked, to, target)) for to in _EVENTS]
    stamp = Stamp(id="bench", model="bench", created_at=1)
    events = []
    for upstream, said in _EVENTS.items():
        translation = StreamTranslation(Upstream(dialect=upstream), Dialect.CHAT, stamp)
        event = b"data: " + json.dumps(said).encode() + b"\n\n"
        events.append(_median_us(partial(translation.feed, event)))
    return {"request_us": max(requests), "event_us": max(events)}


def _median_us(call: Callable[[], object]) -> float:
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6

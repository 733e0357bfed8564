"""Ollama: no keys, a queue that is full, prompts cut in silence, errors that are a bare text.

Refuses to know counting. Shapes and texts follow answers that users of the real server reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spillover.simulator.flavours.base import Flavour
from spillover.simulator.replies import Circumstances, Complaint, Json, Reply, json_reply

if TYPE_CHECKING:
    from spillover.simulator.desk import Refusal


class Ollama(Flavour):
    """The `ollama` flavour: the local server, and its cloud where limits are set."""

    name: ClassVar[str] = "ollama"
    asks_keys: ClassVar[bool] = False
    truncates_prompts: ClassVar[bool] = True
    role_first: ClassVar[bool] = False

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Tell that a model can be pulled, and that the queue is full as a bare text."""
        match why:
            case Complaint.MODEL_NOT_FOUND:
                message = f'model "{said.model}" not found, try pulling it first'
                return self.error(404, message, kind="not_found_error", code=None)
            case Complaint.OVERLOADED:
                message = "server busy, please try again.  maximum pending requests exceeded"
                return json_reply(503, {"error": message})
            case _:
                return super().complaint(why, said)

    def crowded(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Call a full queue an overload."""
        del refusal
        return self.complaint(Complaint.OVERLOADED, said)

    def refusal(self, refusal: Refusal, said: Circumstances) -> Reply:
        """Name the window of the plan that is spent."""
        del said
        window = {"hour": "hourly", "day": "daily", "week": "weekly"}
        which = window.get(refusal.allowance.per, "session")
        message = f"you've reached your {which} usage limit, please wait or upgrade to continue"
        return json_reply(429, {"error": message})

    def extras(self) -> Json:
        """Add the fingerprint that it always has."""
        return {"system_fingerprint": "fp_ollama"}

    def listed(self, model: str) -> Json:
        """Name it as the server's own library."""
        return {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "library"}

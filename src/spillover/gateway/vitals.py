"""Answer whether the gateway lives, is ready, and can serve.

Open to all who reach the gateway, so with keys set it tells the state and no names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spillover.gateway.routes import Inquiry


async def health(inquiry: Inquiry) -> None:
    """Say whether chains can serve: healthy, degraded (both 200) or unhealthy (503)."""
    document = inquiry.engine.health()
    if inquiry.gateway.settings.is_guarded:
        document = {"status": document["status"]}
    await inquiry.visit.answer_json(503 if document["status"] == "unhealthy" else 200, document)


async def live(inquiry: Inquiry) -> None:
    """Say that the process answers."""
    await inquiry.visit.answer_json(200, {"status": "alive"})


async def ready(inquiry: Inquiry) -> None:
    """Say whether further requests are wanted: not any more when the gateway shuts down."""
    if inquiry.gateway.stopping.is_set():
        await inquiry.visit.answer_json(503, {"status": "stopping"})
    else:
        await inquiry.visit.answer_json(200, {"status": "ready"})

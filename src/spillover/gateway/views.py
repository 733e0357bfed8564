"""Answer the dashboard's further views: history, traces, the playground and set-up.

Refuses to know how they look, and to change anything but what a demo's providers do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from spillover.catalogue.clients import load as load_clients
from spillover.core.notices import USUAL
from spillover.core.values import FailureClass
from spillover.dashboard import waterfall
from spillover.engine.engine import unknown
from spillover.errors import RequestError
from spillover.gateway import offers, past, steering
from spillover.gateway.overheard import overhear
from spillover.gateway.pages import page
from spillover.gateway.parts import configuration
from spillover.gateway.queries import asked
from spillover.simulator.faults import FAULTS

if TYPE_CHECKING:
    from spillover.gateway.routes import Inquiry

_SHOWN_FAULTS: Final = (
    ("rate_limited", FailureClass.RATE_LIMITED),
    ("quota_exhausted", FailureClass.QUOTA_EXHAUSTED),
    ("overloaded", FailureClass.OVERLOADED),
    ("server_error", FailureClass.SERVER_ERROR),
    ("unauthorized", FailureClass.AUTH_INVALID),
    ("cut_before_content", FailureClass.NETWORK),
)
"""What can be asked for in the playground, and what it is seen as."""


class Failing(msgspec.Struct, forbid_unknown_fields=True):
    """How a simulated provider is to spoil its next answer."""

    fault: str
    times: int = 1


async def history(inquiry: Inquiry) -> None:
    """Answer what was: plots and the table of fallbacks."""
    query = asked(inquiry.visit)
    context = {
        **_names(inquiry),
        "span": query.get("span", "day"),
        "by": query.get("by", "profile"),
        "causes": [each.value for each in FailureClass],
    }
    await page(inquiry, "history.html", context)


async def traces(inquiry: Inquiry) -> None:
    """Answer the latest requests."""
    await page(inquiry, "trace.html", _names(inquiry))


async def trace(inquiry: Inquiry) -> None:
    """Answer all that is known of one request."""
    found = await overhear(past.request, inquiry, names=inquiry.names)
    context = {
        "trace": found,
        "rows": waterfall.rows(found),
        "whole_ms": waterfall.whole_ms(found),
        "here": "/trace",
    }
    await page(inquiry, "request.html", context)


async def playground(inquiry: Inquiry) -> None:
    """Answer the page that sends a prompt through a chain."""
    routing = inquiry.engine.routing
    names = [*routing.chains, *routing.profiles]
    wanted = asked(inquiry.visit).get("chain", "")
    chain = wanted if wanted in names else names[0]
    context = {
        "names": names,
        "chain": chain,
        "profiles": [each.profile for each in routing.resolve(chain).members],
        "simulated": inquiry.gateway.simulated,
        "faults": _SHOWN_FAULTS,
    }
    await page(inquiry, "playground.html", context)


async def ask(inquiry: Inquiry) -> None:
    """Serve a chat request of the playground, as `/v1/chat/completions` does."""
    await inquiry.gateway.serve_chat(inquiry.visit)


async def fail(inquiry: Inquiry) -> None:
    """Have a simulated provider of a demo spoil its next answers."""
    wanted, name = await inquiry.fields(Failing), inquiry.names["profile"]
    provider = inquiry.gateway.simulated.get(name)
    if provider is None:
        raise unknown("simulated profile", name, inquiry.gateway.simulated)
    if wanted.fault not in FAULTS:
        raise RequestError(
            f"there is no fault {wanted.fault[:40]!r}: there are {', '.join(FAULTS)}"
        )
    provider.script(wanted.fault, times=wanted.times)
    await inquiry.visit.answer_json(200, {"profile": name, "scripted": provider.scripted})


async def setup(inquiry: Inquiry) -> None:
    """Answer what was found here, how clients are pointed here, and the file's versions."""
    config = await configuration(inquiry)
    chains = list(inquiry.engine.routing.chains)
    context = {
        "discovery": await overhear(offers.discovery, inquiry),
        "config": config,
        "versions": await overhear(steering.versions, inquiry),
        "chain": chains[0] if chains else "",
        "targets": [*chains, *inquiry.engine.routing.profiles],
        "usual": sorted(USUAL),
        "clients": load_clients(),
    }
    await page(inquiry, "setup.html", context)


def _names(inquiry: Inquiry) -> dict[str, Any]:
    routing = inquiry.engine.routing
    return {"chains": list(routing.chains), "profiles": list(routing.profiles)}

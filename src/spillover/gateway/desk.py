"""Answer everything but the proxy routes: find the route, mind its door, tell errors.

Refuses to know what each route answers: the table names who does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from spillover.errors import SpilloverError
from spillover.gateway import (
    admin,
    dialects,
    feed,
    listing,
    offers,
    past,
    remembered,
    steering,
    vitals,
)
from spillover.gateway.access import Door
from spillover.gateway.asgi import ClientLeft
from spillover.gateway.proxy import OPERATIONS
from spillover.gateway.routes import Inquiry, Route, Routes
from spillover.gateway.visit import answer_error, turn_away

if TYPE_CHECKING:
    from spillover.gateway.access import Access
    from spillover.gateway.app import Gateway
    from spillover.gateway.metrics import Metrics
    from spillover.gateway.routes import Endpoint
    from spillover.gateway.visit import Visit

_MISSING: Final = 404


def _later(module: str, name: str) -> Endpoint:
    """Return an endpoint of a neighbour that is imported when it is first asked for.

    Pages and what they are made from would else hold up the first answer of every gateway.
    """

    async def endpoint(inquiry: Inquiry) -> None:
        found: Endpoint = getattr(import_module(f"spillover.gateway.{module}"), name)
        await found(inquiry)

    return endpoint


ROUTES: Final = (
    Route("GET", "/health", Door.OPEN, vitals.health),
    Route("GET", "/health/live", Door.OPEN, vitals.live),
    Route("GET", "/health/ready", Door.OPEN, vitals.ready),
    Route("GET", "/v1/models", Door.PROTOCOL, listing.models),
    Route("GET", "/v1/models/{model:path}", Door.PROTOCOL, listing.model),
    Route("GET", "/v1beta/models", Door.PROTOCOL, listing.models),
    Route("GET", "/v1beta/models/{model:path}", Door.PROTOCOL, listing.model),
    Route("GET", "/v1/responses/{response}", Door.PROTOCOL, remembered.answer),
    Route("DELETE", "/v1/responses/{response}", Door.PROTOCOL, remembered.forget),
    Route("GET", "/v1/responses/{response}/input_items", Door.PROTOCOL, remembered.inputs),
    Route("GET", "/", Door.ADMIN, _later("pages", "front")),
    Route("GET", "/live", Door.ADMIN, _later("pages", "live")),
    Route("GET", "/history", Door.ADMIN, _later("views", "history")),
    Route("GET", "/trace", Door.ADMIN, _later("views", "traces")),
    Route("GET", "/trace/{id}", Door.ADMIN, _later("views", "trace")),
    Route("GET", "/playground", Door.ADMIN, _later("views", "playground")),
    Route("GET", "/setup", Door.ADMIN, _later("views", "setup")),
    Route("GET", "/parts/why/{chain}", Door.ADMIN, _later("parts", "why")),
    Route("GET", "/parts/profile/{profile}", Door.ADMIN, _later("parts", "profile")),
    Route("GET", "/parts/chain/{chain}", Door.ADMIN, _later("parts", "chain")),
    Route("GET", "/parts/add", Door.ADMIN, _later("parts", "add")),
    Route("GET", "/parts/add/{provider}", Door.ADMIN, _later("parts", "key")),
    Route("POST", "/parts/models/{provider}", Door.ADMIN, _later("parts", "models")),
    Route("GET", "/parts/client/{client}", Door.ADMIN, _later("parts", "client")),
    Route("GET", "/parts/fallbacks", Door.ADMIN, _later("parts", "fallbacks")),
    Route("GET", "/parts/requests", Door.ADMIN, _later("parts", "requests")),
    Route("GET", "/parts/begin", Door.ADMIN, _later("parts", "begin")),
    Route("GET", "/parts/places", Door.ADMIN, _later("parts", "places")),
    Route("GET", "/parts/notices", Door.ADMIN, _later("parts", "notices")),
    Route("POST", "/parts/said", Door.ADMIN, _later("parts", "said")),
    Route("POST", "/api/ask", Door.ADMIN, _later("views", "ask")),
    Route("POST", "/api/simulated/{profile}/fail", Door.ADMIN, _later("views", "fail")),
    Route("GET", "/static/{file}", Door.OPEN, _later("pages", "static")),
    Route("POST", "/login", Door.OPEN, _later("pages", "login")),
    Route("POST", "/logout", Door.OPEN, _later("pages", "logout")),
    Route("GET", "/api/openapi.json", Door.ADMIN, admin.openapi),
    Route("GET", "/api/status", Door.ADMIN, admin.status),
    Route("GET", "/api/profiles", Door.ADMIN, admin.profiles),
    Route("GET", "/api/profiles/{profile}", Door.ADMIN, admin.profile),
    Route("POST", "/api/profiles/{profile}/enable", Door.ADMIN, admin.enable),
    Route("POST", "/api/profiles/{profile}/disable", Door.ADMIN, admin.disable),
    Route("POST", "/api/profiles/{profile}/probe", Door.ADMIN, admin.probe),
    Route("POST", "/api/profiles/{profile}/clear-cooldown", Door.ADMIN, admin.clear_cooldown),
    Route("GET", "/api/chains", Door.ADMIN, admin.chains),
    Route("GET", "/api/chains/{chain}", Door.ADMIN, admin.chain),
    Route("POST", "/api/chains/{chain}/pin", Door.ADMIN, admin.pin),
    Route("GET", "/api/config", Door.ADMIN, steering.config),
    Route("PUT", "/api/config", Door.ADMIN, steering.change_config),
    Route("GET", "/api/config/versions", Door.ADMIN, steering.versions),
    Route("POST", "/api/config/undo", Door.ADMIN, steering.undo),
    Route("POST", "/api/profiles", Door.ADMIN, steering.add_profile),
    Route("PUT", "/api/profiles/{profile}", Door.ADMIN, steering.change_profile),
    Route("DELETE", "/api/profiles/{profile}", Door.ADMIN, steering.remove_profile),
    Route("POST", "/api/chains", Door.ADMIN, steering.add_chain),
    Route("PUT", "/api/chains/{chain}", Door.ADMIN, steering.change_chain),
    Route("DELETE", "/api/chains/{chain}", Door.ADMIN, steering.remove_chain),
    Route("GET", "/api/discovery", Door.ADMIN, offers.discovery),
    Route("POST", "/api/catalogue/{provider}/models", Door.ADMIN, offers.models),
    Route("POST", "/api/usage/clear", Door.ADMIN, admin.clear_usage),
    Route("POST", "/api/upstreams/restart", Door.ADMIN, admin.restart_upstreams),
    Route("POST", "/api/explain", Door.ADMIN, admin.explain),
    Route("GET", "/api/events", Door.ADMIN, feed.follow),
    Route("GET", "/api/events/recent", Door.ADMIN, feed.recent),
    Route("GET", "/api/history", Door.ADMIN, past.history),
    Route("GET", "/api/history/fallbacks", Door.ADMIN, past.fallbacks),
    Route("GET", "/api/history/savings", Door.ADMIN, past.savings),
    Route("GET", "/api/requests", Door.ADMIN, past.requests),
    Route("GET", "/api/requests/{id}", Door.ADMIN, past.request),
    Route("GET", "/api/notices", Door.ADMIN, admin.notices),
    Route("POST", "/api/notices/test", Door.ADMIN, admin.try_notices),
    Route("GET", "/api/pace", Door.ADMIN, past.paces),
    Route("GET", "/api/profiles/{profile}/pace", Door.ADMIN, past.pace),
    Route("GET", "/api/catalogue", Door.ADMIN, admin.catalogue),
    Route("GET", "/api/catalogue/{provider}", Door.ADMIN, admin.provider),
)


class Desk:
    """The routes of one gateway that are not hot."""

    def __init__(self, gateway: Gateway, metrics: Metrics) -> None:
        self._gateway = gateway
        self._routes = Routes((*ROUTES, Route("GET", "/metrics", Door.ADMIN, metrics.scrape)))
        self._routes.paths += (*OPERATIONS, *dialects.PATHS)

    async def serve(self, visit: Visit, access: Access) -> None:
        """Answer a request by its route, or say why not."""
        visit.dialect = dialects.dialect_at(visit.path, visit.headers)
        found = self._routes.at(visit.path)
        # What does not exist is told to those alone who may see what does.
        door = found[0][0].door if found else _door_of(visit.path)
        denial = access.deny(visit.arrival(self._gateway.engine.clock.now()), door)
        if denial is not None:
            if denial.code == "invalid_admin_key" and _wants_page(visit):
                await _later("pages", "ask_for_key")(Inquiry(self._gateway, visit, {}))
            else:
                await turn_away(visit, denial)
            return
        method = "GET" if visit.method == "HEAD" else visit.method
        for route, names in found:
            if route.method == method:
                await _answered(route, Inquiry(self._gateway, visit, names))
                return
        if found:
            await _wrong_method(visit, [route.method for route, _ in found])
        else:
            await self._not_found(visit)

    async def _not_found(self, visit: Visit) -> None:
        near = self._routes.nearest(visit.path)
        hint = f"; did you mean {near}?" if near else ""
        message = f"there is nothing at {visit.path[:200]!r}{hint}"
        if _wants_page(visit):
            await _answer_missing(Inquiry(self._gateway, visit, {}), message)
        else:
            await visit.refuse(_MISSING, "not_found", message)


async def _answer_missing(inquiry: Inquiry, why: str) -> None:
    """Answer a person's browser with a page, not with JSON."""
    from spillover.gateway import pages  # noqa: PLC0415 - as all that answers pages

    await pages.missing(inquiry, why)


def _wants_page(visit: Visit) -> bool:
    """Whether a person's browser asks, to show what it gets."""
    return (
        visit.method == "GET"
        and b"text/html" in visit.headers.get(b"accept", b"")
        and not visit.path.startswith(("/api", "/v1"))
    )


def _door_of(path: str) -> Door:
    return Door.PROTOCOL if path.startswith("/v1") else Door.ADMIN


async def _wrong_method(visit: Visit, methods: list[str]) -> None:
    allowed = ", ".join(sorted(set(methods)))
    message = f"{visit.path} takes {allowed}, not {visit.method}"
    await visit.refuse(405, "method_not_allowed", message, headers={"allow": allowed})


async def _answered(route: Route, inquiry: Inquiry) -> None:
    try:
        await route.endpoint(inquiry)
    except SpilloverError as error:
        if error.status == _MISSING and _wants_page(inquiry.visit):
            await _answer_missing(inquiry, str(error))
        else:
            await answer_error(inquiry.visit, error)
    except ClientLeft:
        pass

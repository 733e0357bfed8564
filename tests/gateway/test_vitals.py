"""Health, liveness and readiness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spillover.simulator import ProviderSpec, running
from tests.serving import Served, document_for, serving

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider


def test_a_gateway_whose_chains_can_serve_is_healthy(served: Served) -> None:
    reply = served.get("/health")

    assert (reply.status, reply.json) == (200, {"status": "healthy"})


def test_a_benched_profile_makes_it_degraded(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded", times=None)
    served.chat()

    reply = served.get("/health")

    assert (reply.status, reply.json["status"]) == (200, "degraded")
    assert reply.json["benched_profiles"] == ["one"]


def test_a_disabled_profile_does_not_count(served: Served) -> None:
    served.post("/api/profiles/one/disable")

    assert served.get("/health").json["status"] == "healthy"


def test_without_any_chain_that_can_serve_it_is_unhealthy(served: Served) -> None:
    served.post("/api/profiles/one/disable")
    served.post("/api/profiles/two/disable")

    reply = served.get("/health")

    assert (reply.status, reply.json["status"]) == (503, "unhealthy")


def test_it_lives_and_is_ready_whatever_its_health(served: Served) -> None:
    served.post("/api/profiles/one/disable")
    served.post("/api/profiles/two/disable")

    assert (served.get("/health/live").status, served.get("/health/ready").status) == (200, 200)


def test_it_is_not_ready_when_it_is_about_to_stop() -> None:
    with running(ProviderSpec()) as (provider,), serving(document_for(provider)) as served:
        served.loop.call_soon_threadsafe(served.gateway.stopping.set)
        reply = served.get("/health/ready")

    assert (reply.status, reply.json) == (503, {"status": "stopping"})


def test_with_keys_health_names_nobody() -> None:
    server = {"admin_key": "an-admin-key"}
    with (
        running(ProviderSpec()) as (provider,),
        serving(document_for(provider, server=server)) as served,
    ):
        served.run(served.engine.set_disabled("one", disabled=True))
        reply = served.get("/health")

    assert (reply.status, reply.json) == (503, {"status": "unhealthy"})

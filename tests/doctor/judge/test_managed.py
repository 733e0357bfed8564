"""Servers that the gateway runs: a rest without it, and a problem only where it could not start them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from spillover.core.managed import ManagedState
from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.managed import Place, Post, down, health, up
from spillover.doctor.systems import System

PLACE = Place(name="LiteLLM", address="127.0.0.1:4000", about="p", error="connection refused")
POST = Post(program="litellm", gateway_at="127.0.0.1:4400")


def judged(place: Place = PLACE, **fields: Any) -> Finding:
    return down(replace(POST, **fields), place, System.LINUX)


def test_without_a_gateway_it_rests_and_nothing_is_wrong() -> None:
    one = judged()

    assert (one.level, one.remedy) == (Level.NOTE, "spillover serve")
    assert one.saw == (
        "LiteLLM at 127.0.0.1:4000 is not up, for no gateway runs; litellm is found, its port is free"
    )


def test_a_command_that_is_not_there_is_a_problem_with_or_without_a_gateway() -> None:
    one, with_gateway = (
        judged(lacks="litellm is not found", install="pip install it", gateway=runs)
        for runs in (False, True)
    )

    assert one == with_gateway
    assert (one.level, one.remedy) == (Level.PROBLEM, "pip install it")
    assert one.saw == "the gateway can't start LiteLLM at 127.0.0.1:4000: litellm is not found"
    assert judged(lacks="its file x: gone").remedy.startswith("upstream: {command:")


@pytest.mark.parametrize(
    ("holder", "remedy"),
    [("nginx (pid 7)", "kill 7"), ("another process", "ss -ltnp 'sport = :4000'")],
)
def test_whoever_has_its_port_is_named(holder: str, remedy: str) -> None:
    one = judged(replace(PLACE, holder=holder))

    assert (one.level, one.remedy) == (Level.PROBLEM, remedy)
    assert one.saw.startswith(f"{holder} has the port of LiteLLM")


@pytest.mark.parametrize(
    ("state", "level", "saw"),
    [
        (ManagedState.STARTING, Level.WARNING, "is not up yet: the gateway says starting"),
        (ManagedState.RECYCLING, Level.WARNING, "is not up yet: the gateway says recycling"),
        (ManagedState.WAITING, Level.PROBLEM, "does not stay up: exit 1; next start in 2 s"),
        (ManagedState.STOPPED, Level.PROBLEM, "does not stay up: exit 1; next start in 2 s"),
        (None, Level.PROBLEM, "does not stay up: connection refused"),
    ],
)
def test_a_gateway_that_runs_says_how_it_stands(
    state: ManagedState | None, level: Level, saw: str
) -> None:
    reason = "" if state is None else "exit 1; next start in 2 s"

    one = judged(gateway=True, state=state, reason=reason, log="up/litellm.log")

    assert one.level is level
    assert saw in one.saw
    assert (one.remedy == "tail up/litellm.log") is (level is Level.PROBLEM)
    assert judged(gateway=True, state=ManagedState.STOPPED).remedy == "spillover status"


def test_one_that_runs_and_hangs_is_not_taken_for_a_stranger() -> None:
    hangs = replace(PLACE, error="no answer within 4 s", holder="litellm (pid 7)")

    one = judged(hangs, gateway=True, state=ManagedState.RUNNING)

    assert one.saw == "LiteLLM at 127.0.0.1:4000 does not stay up: no answer within 4 s"


@pytest.mark.parametrize(
    ("holder", "saw", "remedy"),
    [
        ("litellm (pid 7)", "litellm (pid 7) answers at", "kill 7"),
        ("", "a server answers at", "ss -ltnp 'sport = :4000'"),
    ],
)
def test_one_that_answers_without_a_gateway_is_somebody_elses(
    holder: str, saw: str, remedy: str
) -> None:
    (one,) = up(POST, replace(PLACE, error="", holder=holder), System.LINUX)

    assert (one.level, one.remedy) == (Level.WARNING, remedy)
    assert saw in one.saw
    assert one.saw.endswith("no gateway runs at 127.0.0.1:4400")


def test_a_health_path_that_says_nothing_or_costs_is_told() -> None:
    post = replace(POST, gateway=True, health="/health")

    (blind,) = up(post, replace(PLACE, error="", health=404), System.LINUX)
    (costly,) = health(post, PLACE, "litellm", "/health/liveliness")

    assert blind.saw == "its health path /health answered 404"
    assert costly.remedy == "upstream: {health: /health/liveliness}"
    assert not [*up(post, replace(PLACE, error="", health=200), System.LINUX)]
    assert not [*health(post, PLACE, "llamacpp", "/health")]

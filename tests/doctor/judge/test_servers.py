"""Local servers: up, healthy, with models, at the right port, not too large and not too old."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.managed import Post
from spillover.doctor.judge.servers import (
    GIB,
    KINDS,
    Server,
    Unused,
    kind_of_program,
    servers,
    unused,
)
from spillover.doctor.systems import System


def found(kind: str = "ollama", **fields: Any) -> list[Finding]:
    server = Server(
        **{"kind": kind, "address": "127.0.0.1:11434", "profiles": {"p": "m"}, "models": ("m",)}
        | fields
    )
    return list(servers(server, System.LINUX))


def post(**fields: Any) -> Post:
    return Post(program="litellm", gateway=True, **fields)


def test_a_server_that_is_up_is_sound() -> None:
    (one,) = found(health=200)

    assert (one.check, one.level) == ("server.local", Level.OK)
    assert one.saw == "Ollama is up at 127.0.0.1:11434 with 1 model"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_server_that_is_down_is_started_by_its_own_command(kind: str) -> None:
    (one,) = found(kind, error="connection refused")

    assert one.level is Level.PROBLEM
    assert one.remedy.endswith(KINDS[kind].start.format(port=11434))
    assert KINDS[kind].name in one.saw


def test_a_server_at_another_port_is_pointed_to() -> None:
    (one,) = found(error="connection refused", elsewhere="127.0.0.1:11500")

    assert one.why == "one answers at 127.0.0.1:11500"
    assert one.remedy == "base_url: http://127.0.0.1:11500/v1"


def test_a_port_that_another_process_has_is_told() -> None:
    (one,) = found("litellm", error="no HTTP", holder="nginx (pid 7)")

    assert one.why == "nginx (pid 7) has its port"
    assert one.remedy.startswith("kill 7\n")


def test_a_server_is_started_at_the_port_that_it_is_looked_for_at() -> None:
    (ollama,) = found(error="refused", address="127.0.0.1:11500")
    (vllm,) = found("vllm", error="refused", address="127.0.0.1:8001")

    assert ollama.remedy == "export OLLAMA_HOST=127.0.0.1:11500\nollama serve"
    assert vllm.remedy == "vllm serve MODEL --port 8001"


def test_a_server_that_says_it_is_ill_and_one_without_models_are_problems() -> None:
    (ill,) = found("llamacpp", health=503)
    (empty,) = found(models=())

    assert "says it is ill: 503" in ill.saw
    assert ill.remedy == "curl -i http://127.0.0.1:11434/health"
    assert empty.remedy == "ollama pull m"
    assert found("", models=())[0].level is Level.OK


def test_a_litellm_that_leaks_is_told_by_its_version() -> None:
    _, old = found("litellm", version="1.39.6")
    _, new = found("litellm", version="1.83.0")

    assert (old.check, old.level) == ("server.version", Level.WARNING)
    assert new.level is Level.OK


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"memory": GIB // 2, "age_s": 3_600.0}, Level.OK),
        ({"memory": 2 * GIB, "age_s": 60.0}, Level.WARNING),
        ({"memory": 1, "age_s": 90_000.0}, Level.WARNING),
        ({"memory": 2 * GIB, "age_s": 60.0, "post": post(max_memory=3 * GIB)}, Level.OK),
        ({"memory": 1, "age_s": 7_200.0, "post": post(max_age_s=3_600.0)}, Level.WARNING),
    ],
    ids=["young", "large", "old", "as large as allowed", "older than allowed"],
)
def test_a_server_is_judged_by_memory_and_age(fields: dict[str, Any], level: Level) -> None:
    *_, one = found("litellm", holder="litellm (pid 42)", **fields)

    assert (one.check, one.level) == ("server.managed", level)
    assert (level is Level.OK) is not one.remedy.startswith("kill 42")


def test_models_may_be_as_large_as_they_are() -> None:
    *_, one = found(memory=40 * GIB, age_s=1e6)

    assert one.level is Level.OK


def test_a_server_that_the_gateway_runs_is_judged_as_one_too() -> None:
    (ill,) = found("litellm", error="refused", post=post(lacks="litellm is not found"))
    costly, up = found("litellm", post=post(health="/health"))

    assert "litellm is not found" in ill.saw
    assert costly.remedy == "upstream: {health: /health/liveliness}"
    assert up.level is Level.OK


def test_a_program_names_its_kind() -> None:
    assert [kind_of_program(each) for each in ("llama-server", "lms", "bash")] == [
        "llamacpp",
        "lmstudio",
        "",
    ]


def test_a_server_that_nobody_uses_is_a_note() -> None:
    one = unused(Unused(kind="ollama", address="127.0.0.1:11434", models=("a", "b")))

    assert one.level is Level.NOTE
    assert "with 2 models" in one.saw

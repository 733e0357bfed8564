"""Which local servers a configuration has run, for whom, and what can't work of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.loader import load_document
from spillover.errors import ConfigError

if TYPE_CHECKING:
    from spillover.config.routing import ManagedServer

LITELLM = {
    "command": ["litellm", "--port", "4000"],
    "health": "/health",
    "max_memory": "1GiB",
    "max_age": "24h",
}
AT_4000 = {"base_url": "http://127.0.0.1:4000/v1", "model": "m"}


def servers(document: dict[str, Any], **environ: str) -> tuple[ManagedServer, ...]:
    environ = {"SPILLOVER_STATE_DIR": "state", **environ}
    loaded = load_document(document, environ=environ)
    return assemble(loaded, load_catalogue()).managed


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        servers(document)
    return [str(problem) for problem in caught.value.problems]


def test_a_profiles_server_is_run_as_written() -> None:
    (server,) = servers({"profiles": {"local": {**AT_4000, "upstream": LITELLM}}})

    spec = server.spec
    assert (spec.name, spec.host, spec.port, spec.health) == (
        "local",
        "127.0.0.1",
        4000,
        "/health",
    )
    assert (spec.max_memory, spec.max_age_s) == (1 << 30, 86_400.0)
    assert spec.log == str(Path("state", "upstreams", "local.log"))
    assert server.profiles == ("local",)


def test_all_profiles_at_a_port_share_one_server() -> None:
    both = {"a": {**AT_4000, "upstream": LITELLM}, "b": {**AT_4000, "upstream": LITELLM}}
    silent = {"c": {**AT_4000, "base_url": "http://localhost:4000/v1"}}
    others = {
        "d": {**AT_4000, "base_url": "http://127.0.0.1:4001/v1"},
        "e": {**AT_4000, "base_url": "https://example.com:4000/v1"},
    }

    (server,) = servers({"profiles": {**both, **silent, **others}})

    assert server.profiles == ("a", "b", "c")


def test_an_accounts_server_is_for_its_profiles() -> None:
    account = {"base_url": AT_4000["base_url"], "upstream": LITELLM | {"log": "lite.log"}}
    profiles = {name: {"account": "lite", "model": name} for name in ("a", "b")}

    (server,) = servers({"accounts": {"lite": account}, "profiles": profiles})

    assert (server.spec.name, server.profiles) == ("lite", ("a", "b"))
    assert server.spec.log == "lite.log"


def test_secrets_for_the_command_show_nowhere_but_in_its_environment() -> None:
    env = {"UPSTREAM_KEY": "${KEY}", "PLAIN": "yes"}
    document = {"profiles": {"local": {**AT_4000, "upstream": LITELLM | {"env": env}}}}
    loaded = load_document(document, environ={"KEY": "abcdef-hidden-0123"})
    (server,) = assemble(loaded, load_catalogue()).managed

    assert server.environ() == {"UPSTREAM_KEY": "abcdef-hidden-0123", "PLAIN": "yes"}
    assert "hidden" not in repr(server)
    assert "hidden" not in loaded.redactor.redact("said abcdef-hidden-0123")


def test_a_variable_that_is_not_set_is_refused() -> None:
    env = {"UPSTREAM_KEY": "${NOWHERE}"}

    (problem,) = problems({"profiles": {"local": {**AT_4000, "upstream": LITELLM | {"env": env}}}})

    assert "profiles.local.upstream.env.UPSTREAM_KEY: found NOWHERE is not set" in problem


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"command": []}, "profiles.local.upstream.command"),
        ({"comand": ["x"]}, "did you mean 'command'"),
        ({"health": "health"}, "expected a path such as /health"),
        ({"env": {"A B": "1"}}, "the name of an environment variable"),
        ({"restart": "sometimes"}, "one of on_failure, always, never"),
    ],
)
def test_what_is_malformed_is_told_with_its_place(change: dict[str, Any], told: str) -> None:
    found = problems({"profiles": {"local": {**AT_4000, "upstream": LITELLM | change}}})

    assert any(told in problem for problem in found), found


def test_a_server_must_be_on_this_machine() -> None:
    far = {"base_url": "https://example.com/v1", "model": "m", "upstream": LITELLM}

    (problem,) = problems({"profiles": {"far": far}})

    assert "profiles.far.upstream: found a server to run for https://example.com/v1" in problem


def test_a_server_without_an_address_is_told_once() -> None:
    (problem,) = problems({"profiles": {"nowhere": {"model": "m", "upstream": LITELLM}}})

    assert "neither provider nor base_url" in problem


def test_one_port_can_not_have_two_servers() -> None:
    other = LITELLM | {"command": ["vllm"]}
    profiles = {"a": {**AT_4000, "upstream": LITELLM}, "b": {**AT_4000, "upstream": other}}

    (problem,) = problems({"profiles": profiles})

    assert "a server at port 4000 unlike that of profiles.a.upstream" in problem


def test_one_command_can_not_be_at_two_ports() -> None:
    at_4001 = {**AT_4000, "base_url": "http://127.0.0.1:4001/v1"}
    profiles = {"a": {**AT_4000, "upstream": LITELLM}, "b": {**at_4001, "upstream": LITELLM}}

    (problem,) = problems({"profiles": profiles})

    assert "profiles.b.upstream.command" in problem
    assert "which is at port 4000" in problem

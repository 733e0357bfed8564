"""What serves without any configuration, and what is never asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load
from spillover.config import discovery
from spillover.config.assemble import assemble
from spillover.config.discovery import (
    LocalServer,
    discovered,
    local_servers,
)
from spillover.config.loader import load_document
from spillover.core.values import Tier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CATALOGUE = load()
OLLAMA = LocalServer(
    provider="ollama",
    base_url="http://127.0.0.1:11434/v1",
    models=("nomic-embed-text", "gpt-oss:120b-cloud", "qwen3:8b"),
)


def found(environ: dict[str, str], *servers: LocalServer) -> dict[str, Any]:
    document = discovered(environ, servers, CATALOGUE)
    assert document is not None
    return document


def test_nothing_found_is_none() -> None:
    assert discovered({}, (), CATALOGUE) is None
    assert discovered({"PATH": "/bin", "GITHUB_TOKEN": "t"}, (), CATALOGUE) is None


def test_every_key_becomes_a_profile_that_names_its_variable() -> None:
    profiles = found({"GROQ_API_KEY": "gsk_1", "OPENAI_API_KEY": "sk-1"})["profiles"]

    assert profiles == {
        "groq": {
            "provider": "groq",
            "api_key": "${GROQ_API_KEY}",
            "model": "openai/gpt-oss-120b",
            "limits": "free",
        },
        "openai": {"provider": "openai", "api_key": "${OPENAI_API_KEY}", "model": "gpt-5-mini"},
    }


def test_local_and_free_come_first_and_paid_last() -> None:
    environ = {
        "OPENAI_API_KEY": "1",
        "OPENROUTER_API_KEY": "1",
        "GROQ_API_KEY": "1",
        "FIREWORKS_API_KEY": "1",
    }

    chain = found(environ, OLLAMA)["chains"]["default"]

    assert chain["profiles"] == ["ollama", "groq", "openrouter", "openai", "fireworks"]


def test_paid_profiles_behind_free_ones_ask_first() -> None:
    assert found({"GROQ_API_KEY": "1", "OPENAI_API_KEY": "1"})["chains"]["default"][
        "spend_gate"
    ] == {"on_quota": "ask"}


def test_paid_profiles_alone_have_no_gate() -> None:
    assert "spend_gate" not in found({"OPENAI_API_KEY": "1"})["chains"]["default"]


def test_every_model_name_of_a_client_is_served() -> None:
    assert found({"GROQ_API_KEY": "1"})["aliases"] == {"*": "default"}


def test_a_local_servers_first_own_chat_model_is_taken() -> None:
    assert found({}, OLLAMA)["profiles"]["ollama"] == {
        "provider": "ollama",
        "base_url": "http://127.0.0.1:11434/v1",
        "model": "qwen3:8b",
    }


def test_a_local_server_without_a_chat_model_is_left_out() -> None:
    server = LocalServer(provider="ollama", base_url=OLLAMA.base_url, models=("bge-m3", "x:cloud"))

    assert discovered({}, (server,), CATALOGUE) is None


def test_a_key_without_the_rest_of_its_address_is_left_out() -> None:
    assert discovered({"CLOUDFLARE_API_TOKEN": "t"}, (), CATALOGUE) is None
    assert (
        "cloudflare"
        in found({"CLOUDFLARE_API_TOKEN": "t", "CLOUDFLARE_ACCOUNT_ID": "a"})["profiles"]
    )


def test_a_variable_belongs_to_the_provider_that_names_it_first() -> None:
    assert list(found({"ZHIPU_API_KEY": "1"})["profiles"]) == ["zhipuai"]
    assert list(found({"ZAI_API_KEY": "1"})["profiles"]) == ["zai"]


def test_an_empty_variable_is_no_key() -> None:
    assert discovered({"GROQ_API_KEY": ""}, (), CATALOGUE) is None


def test_free_without_figures_has_no_limits_but_is_free() -> None:
    document = found({"OPENCODE_API_KEY": "1", "OPENAI_API_KEY": "1"})

    assert "limits" not in document["profiles"]["opencode-zen"]
    assert document["chains"]["default"]["profiles"] == ["opencode-zen", "openai"]


def test_whatever_is_found_loads_and_assembles() -> None:
    environ = {
        name: "some-value-0001"
        for entry in CATALOGUE.providers.values()
        for name in (*entry.key_env, *entry.places)
    }

    config = load_document(found(environ, OLLAMA), environ=environ)
    routing = assemble(config, CATALOGUE)

    assert (config.warnings, config.missing_keys) == ((), ())
    tiers = [
        routing.profiles[member.profile].tier for member in routing.resolve("anything").members
    ]
    assert len(tiers) > 45
    assert tiers[0] is Tier.LOCAL
    assert tiers[tiers.index(Tier.PAID) :] == [Tier.PAID] * tiers.count(Tier.PAID)


def test_free_ones_come_by_the_catalogues_rank_and_paid_ones_by_theirs() -> None:
    names = ("DEEPSEEK", "MISTRAL", "OPENROUTER", "GEMINI", "NVIDIA", "XAI", "OPENAI", "GROQ")

    document = found({f"{name}_API_KEY": "k" for name in names}, OLLAMA)

    assert document["chains"]["default"]["profiles"] == [
        "ollama",
        *("groq", "gemini", "openrouter", "mistral", "nvidia"),
        *("openai", "xai", "deepseek"),
    ]


@asynccontextmanager
async def a_server(
    answer: bytes, *, answers: bool = True
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on loopback that gives one answer, or none; yields its port and what it was sent."""
    asked: list[bytes] = []
    released = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if not answers:
            await released.wait()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        released.set()
        server.close()
        await server.wait_closed()


def an_answer(body: object, status: str = "200 OK") -> bytes:
    return f"HTTP/1.0 {status}\r\ncontent-type: application/json\r\n\r\n{json.dumps(body)}".encode()


def asked_at(answer: bytes, **options: Any) -> tuple[tuple[LocalServer, ...], list[bytes]]:
    """What probing finds where Ollama's address leads to a server with this answer."""

    async def probe() -> tuple[tuple[LocalServer, ...], list[bytes]]:
        async with a_server(answer, **options) as (port, asked):
            environ = {"OLLAMA_HOST": f"127.0.0.1:{port}"}
            servers = await local_servers(CATALOGUE, environ, timeout_s=0.2)
            return tuple(each for each in servers if each.provider == "ollama"), asked

    return asyncio.run(probe())


def test_a_local_server_that_answers_is_found_with_its_models() -> None:
    servers, asked = asked_at(an_answer({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}))

    (server,) = servers
    assert server.models == ("a", "b")
    assert server.base_url.startswith("http://127.0.0.1:")
    assert asked[0].startswith(b"GET /v1/models HTTP/1.0\r\n")
    assert b"authorization" not in asked[0].lower()


@pytest.mark.parametrize(
    "answer",
    [
        an_answer({"data": []}),
        an_answer({"data": [{"id": "a"}]}, "404 Not Found"),
        an_answer({"models": []}),
        an_answer(["a"]),
        b"HTTP/1.0 200 OK\r\n\r\n<html>",
        b"\x00\x01\x02",
        b"",
    ],
    ids=["no models", "404", "another shape", "a list", "html", "garbage", "nothing"],
)
def test_what_is_no_model_server_is_not_found(answer: bytes) -> None:
    assert asked_at(answer)[0] == ()


@pytest.mark.parametrize("provider", ["llamacpp", "vllm"])
def test_on_a_port_that_anything_may_use_a_server_must_say_what_it_is(provider: str) -> None:
    entry = CATALOGUE.providers[provider]
    body = json.dumps({"data": [{"id": "own", "owned_by": provider}, {"id": "other"}]}).encode()

    assert discovery._models(body, entry) == ("own",)


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    assert asked_at(b"", answers=False)[0] == ()


def test_another_machine_is_never_asked() -> None:
    servers = asyncio.run(local_servers(CATALOGUE, {"OLLAMA_HOST": "http://10.255.255.1:11434"}))

    assert [server for server in servers if server.provider == "ollama"] == []

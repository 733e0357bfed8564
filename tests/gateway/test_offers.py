"""What could be added is offered: keys, local servers, a provider's models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.test_models import shelf
from tests.gateway.steered import steering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider
    from tests.engine.test_models import Shelf
    from tests.gateway.steered import Steered

CATALOGUE = """\
providers:
  groq:
    base_url: {url}
  ollama:
    base_url: {local}
"""


@pytest.fixture(scope="module")
def offered(
    tmp_path_factory: pytest.TempPathFactory, both: tuple[SimulatedProvider, ...]
) -> Iterator[tuple[Steered, Shelf]]:
    """A gateway for which Groq and Ollama are servers of this test."""
    folder = tmp_path_factory.mktemp("offers")
    with shelf() as groq, shelf() as ollama:
        ollama.body = b'{"data": [{"id": "nomic-embed"}, {"id": "qwen3:8b"}]}'
        text = CATALOGUE.format(url=groq.url, local=ollama.url)
        (folder / "catalogue.yaml").write_text(text, "utf-8")
        with steering(folder, both) as steered:
            env = folder / ".env"
            env.write_text(env.read_text("utf-8") + "MISTRAL_API_KEY=mistral-0123456789\n", "utf-8")
            steered.put("/api/profiles/one", {"title": "read the .env anew"})
            yield steered, groq


def test_keys_and_servers_that_no_profile_uses_are_offered_and_can_be_added_as_they_are(
    offered: tuple[Steered, Shelf],
) -> None:
    steered, _ = offered

    found = steered.served.get("/api/discovery").json
    added = [
        steered.post("/api/profiles", each["add"]) for each in (*found["keys"], *found["servers"])
    ]
    after = steered.served.get("/api/discovery").json

    assert [each["provider"] for each in found["keys"]] == ["mistral"]
    assert found["keys"][0]["variable"] == "MISTRAL_API_KEY"
    assert found["keys"][0]["add"]["key"] == {"env": "MISTRAL_API_KEY"}
    assert [each["models"] for each in found["servers"]] == [["nomic-embed", "qwen3:8b"]]
    assert (found["servers"][0]["model"], found["servers"][0]["tier"]) == ("qwen3:8b", "local")
    assert [each.status for each in added] == [201, 201]
    assert after == {"keys": [], "servers": []}
    assert "mistral-0123456789" not in str(found)


def test_a_provider_lists_its_models_with_what_is_known_of_them(
    offered: tuple[Steered, Shelf],
) -> None:
    steered, groq = offered
    groq.status = 200
    groq.body = b'{"data": [{"id": "brand-new"}, {"id": "openai/gpt-oss-120b"}]}'

    found = steered.post(
        "/api/catalogue/groq/models", {"key": {"paste": "gsk_pasted-01234567"}}
    ).json
    usual = steered.post("/api/catalogue/groq/models").json

    known, new = found["models"]
    assert (found["asked"], found["problem"]) == (f"{groq.url}/models", None)
    assert found["default"] == "openai/gpt-oss-120b"
    assert (known["id"], known["known"], known["tier"]) == ("openai/gpt-oss-120b", True, "free")
    assert known["propose"] == {"limits": "free"}
    assert {each["metric"] for each in known["limits"]} >= {"requests", "tokens"}
    assert known["context_tokens"] > 1_000
    assert (new["id"], new["known"], new["context_tokens"]) == ("brand-new", False, None)
    keys = [headers["authorization"] for _, headers in groq.asked]
    assert keys == ["Bearer gsk_pasted-01234567", "Bearer gsk_0123456789abcdef"]
    assert usual["models"] == found["models"]


def test_a_key_that_is_refused_is_told_and_the_catalogues_models_are_shown(
    offered: tuple[Steered, Shelf],
) -> None:
    steered, groq = offered
    groq.status = 401
    groq.body = b'{"error": {"message": "Invalid key: gsk_pasted-01234567"}}'

    found = steered.post("/api/catalogue/groq/models", {"key": {"paste": "gsk_pasted-01234567"}})

    assert found.json["problem"]["status"] == 401
    assert "gsk_pasted-01234567" not in found.body.decode()
    assert "openai/gpt-oss-120b" in {each["id"] for each in found.json["models"]}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("grok", {}, 404),
        ("groq", {"base_url": "https://evil.example"}, 400),
        ("groq", {"key": {"env": "ONE_KEY"}}, 403),
        ("groq", {"key": "gsk_x"}, 400),
        ("openai", {"key": {"env": "OPENAI_API_KEY"}}, 400),
    ],
    ids=str,
)
def test_no_key_is_sent_to_anybody_else(
    offered: tuple[Steered, Shelf], path: str, body: object, status: int
) -> None:
    steered, groq = offered
    groq.asked = []

    assert steered.post(f"/api/catalogue/{path}/models", body).status == status
    assert groq.asked == []

"""Gemini's own protocol."""

from __future__ import annotations

from spillover.simulator.spec import limits
from tests.simulator.asking import a_provider, a_request, ask, get, perform

BODY = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


def test_the_address_says_the_model() -> None:
    got = ask(a_provider(flavour="gemini-native"))

    assert got.json["modelVersion"] == "m"
    assert got.json["candidates"][0]["finishReason"] == "STOP"


def test_a_stream_is_of_events_alone() -> None:
    provider = a_provider(flavour="gemini-native")
    path = "/v1beta/models/m:streamGenerateContent"

    stream = perform(provider, a_request(BODY, f"{path}?alt=sse"))
    array = perform(provider, a_request(BODY, path))

    assert stream.events[-1]["usageMetadata"]["candidatesTokenCount"]
    assert array.status == 404


def test_a_refusal_is_bare_and_names_the_violated_quota() -> None:
    provider = a_provider(flavour="gemini-native", limits=limits("requests=1/minute"))
    ask(provider)

    refused = ask(provider)

    assert (refused.status, refused.json["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert refused.json["error"]["details"][0]["violations"][0]["quotaValue"] == "1"


def test_models_are_listed_with_what_they_do() -> None:
    found = get(a_provider(flavour="gemini-native"), "/v1beta/models/m").json

    assert found["supportedGenerationMethods"] == ["generateContent"]

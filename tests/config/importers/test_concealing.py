"""Credentials are found by what they are called, by where they stand and by how they look."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.config.importers.concealing import Concealer, in_address, is_called_secret

SECRET = "of-the-tests-0001"


@pytest.mark.parametrize(
    "values",
    [
        {"openRouterApiKey": SECRET},
        {"kilocodeToken": SECRET},
        {"master_key": SECRET},
        {"a": [{"awsSecretKey": SECRET}]},
        {"openAiHeaders": {"X-Team": SECRET}},
        {"headers": {"Authorization": f"Bearer {SECRET}"}},
        {"headersJSON": f'{{"X-Team": "{SECRET}"}}'},
        {"baseUrl": f"https://host/v1?key={SECRET}"},
        {"baseUrl": f"https://user:{SECRET}@host/v1"},
        {"anything": f"https://{SECRET}@host"},
        {"auth": {"deep": {"er": [SECRET]}}},
    ],
)
def test_a_credential_is_masked_wherever_it_stands(values: Any) -> None:
    concealer = Concealer(values)

    assert concealer.holds(f"x{SECRET}y")
    assert SECRET not in concealer.redact(f"the model {SECRET}, {SECRET}")


@pytest.mark.parametrize(
    "values",
    [
        {"tokensPerMinute": "500000", "maxTokens": "600000"},
        {"apiKey": "ollama", "other_key": "none"},
        {"api_key": "os.environ/GROQ_API_KEY"},
        {"litellm_credential_name": "anthropic"},
        {"credential_list": [{"credential_name": "anthropic"}]},
        {"hasKey": True, "key": "abc"},
        {"url": "https://host.example.com/v1"},
        {"url": "https://[broken"},
    ],
)
def test_what_is_none_is_left_as_it_is(values: Any) -> None:
    text = "500000 600000 ollama none os.environ/GROQ_API_KEY anthropic abc https://host.example.com/v1"

    assert not Concealer(values).holds(text)
    assert Concealer(values).redact(text) == text


def test_what_looks_like_a_key_is_masked_though_the_file_calls_it_otherwise() -> None:
    concealer = Concealer({})

    assert concealer.holds("my sk-0123456789abcdef")
    assert concealer.redact("my sk-0123456789abcdef") == "my sk-0…cdef"


def test_a_number_may_be_a_credential() -> None:
    assert Concealer({"password": 12345678}).holds("12345678")


def test_headers_that_are_no_json_are_secret_as_they_stand() -> None:
    assert Concealer({"headersJSON": "{cut-off-header"}).holds("{cut-off-header")


@pytest.mark.parametrize(
    "name", ["groqApiKey", "x-api-key", "kilocodeToken", "AWS_SECRET", "headersJSON", "auth"]
)
def test_a_name_tells_a_credential(name: str) -> None:
    assert is_called_secret(name)


@pytest.mark.parametrize("name", ["hostname", "profileId", "maxTokens", "keyName", "author"])
def test_other_names_tell_none(name: str) -> None:
    assert not is_called_secret(name)


def test_an_address_holds_what_is_before_the_at_and_behind_the_question_mark() -> None:
    assert in_address("https://me:p%40ss@host/v1?a=b&c=d") == ("me", "p%40ss", "p@ss", "b", "d")

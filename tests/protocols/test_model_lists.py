"""Lists of models are read in every form that providers give them."""

from __future__ import annotations

import json

import pytest

from spillover.core.values import Protocol
from spillover.protocols.model_lists import (
    LONGEST_NAME,
    MOST_MODELS,
    models_in,
    whole_list,
)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ("a", "b")),
        ({"models": [{"name": "models/gemini-x", "displayName": "X"}]}, ("gemini-x",)),
        (
            {"models": [{"name": "qwen3:8b", "model": "qwen3:8b"}, {"model": "y"}]},
            ("qwen3:8b", "y"),
        ),
        ({"data": None, "models": [{"name": "a"}]}, ("a",)),
        (
            {"success": True, "result": [{"id": "0b1c", "name": "@cf/meta/llama"}]},
            ("@cf/meta/llama",),
        ),
        ([{"id": "openai/gpt-4.1", "name": "OpenAI GPT-4.1"}, "b"], ("openai/gpt-4.1", "b")),
        ({"data": []}, ()),
        ({"data": [3, None, {}, {"id": 4}, {"id": ""}, {"id": "c\nd"}, ["e"]]}, ()),
        ({"data": [{"id": None, "name": "a"}]}, ("a",)),
    ],
    ids=["OpenAI", "Gemini", "Ollama", "null", "Cloudflare", "bare", "none", "junk", "no id"],
)
def test_every_form_of_list_is_read(answer: object, names: tuple[str, ...]) -> None:
    assert models_in(json.dumps(answer).encode()) == names


@pytest.mark.parametrize(
    "body",
    [b'{"error": {}}', b'{"data": {"id": "a"}}', b'"a"', b"<html>", b"\xff", b"", b"[" * 100_000],
    ids=["error", "no list", "word", "page", "no text", "nothing", "deep"],
)
def test_what_is_no_list_is_none(body: bytes) -> None:
    assert models_in(body) is None


def test_a_list_without_end_and_names_without_end_are_cut() -> None:
    many = [f"m{number}" for number in range(MOST_MODELS + 1)]
    long = "n" * (LONGEST_NAME + 1)

    assert models_in(json.dumps(many).encode()) == tuple(many[:MOST_MODELS])
    assert models_in(json.dumps([long, long[:-1]]).encode()) == (long[:-1],)


@pytest.mark.parametrize(
    ("path", "protocol", "asked"),
    [
        ("/models", Protocol.OPENAI, "/models"),
        ("/models", Protocol.RESPONSES, "/models"),
        ("/models", Protocol.ANTHROPIC, "/models?limit=1000"),
        ("/models", Protocol.GEMINI, "/models?pageSize=1000"),
        ("/models?pageSize=9", Protocol.GEMINI, "/models?pageSize=9"),
    ],
    ids=str,
)
def test_paged_lists_are_asked_for_whole(path: str, protocol: Protocol, asked: str) -> None:
    assert whole_list(path, protocol) == asked

"""The error guide: whole, sourced, found by any name, and at one with the core."""

from __future__ import annotations

import pytest

from spillover.catalogue.guide import conduct_of, does, load, model_in
from spillover.core.refusals import STATUS_OF, Code
from spillover.core.signs import names
from spillover.core.values import FailureClass

GUIDE = load()
CODES = {entry.code for entry in GUIDE.entries}
REFERENCE = names(
    """
400 401 402 403 404 408 410 413 422 429 498 500 502 503 504 520 521 522 523 524 525 526 527 529
ECONNREFUSED ETIMEDOUT ENOTFOUND EAI_AGAIN ECONNRESET ECONNABORTED EPIPE EHOSTUNREACH ENETUNREACH
EADDRINUSE EPROTO groq-invalid-api-key groq-rate-limit groq-model-overload groq-context-length
groq-invalid-model litellm-config-error litellm-no-models litellm-auth-failed litellm-port-in-use
kilo-extension-error kilo-model-unavailable kilo-rate-limit
"""
)


def test_every_code_of_the_reference_and_every_name_of_ours_has_an_entry() -> None:
    assert REFERENCE <= CODES
    assert {kind.value for kind in FailureClass} <= CODES
    assert {code.value for code in Code} <= CODES
    assert len(CODES) == len(GUIDE.entries)


@pytest.mark.parametrize("entry", GUIDE.entries, ids=lambda entry: entry.code)
def test_every_entry_is_whole(entry: object) -> None:
    assert all(getattr(entry, name) for name in ("title", "cause", "resolution", "fallback"))
    assert entry.group in {group.id for group in GUIDE.groups}  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", FailureClass)
def test_the_entry_of_a_class_is_seen_as_that_class(kind: FailureClass) -> None:
    entry = GUIDE.find(kind.value)
    assert entry is not None

    what = conduct_of(entry)

    assert what is not None
    assert what.failure is kind


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("429", "429"),
        ("HTTP 429", "429"),
        ("econnrefused", "ECONNREFUSED"),
        ("Groq_Rate_Limit", "groq-rate-limit"),
        ("RateLimitError", "429"),
        ("openai.RateLimitError", "429"),
        ("rate_limited", "rate_limited"),
        ("rate limited", "rate_limited"),
        ("insufficient_quota", "payment_required"),
        ("context_length_exceeded", "context_length_exceeded"),
        ("all_exhausted", "all_exhausted"),
        ("RESOURCE_EXHAUSTED", "429"),
        ("Overloaded", "overloaded"),
    ],
)
def test_an_entry_is_found_by_any_of_its_names(name: str, code: str) -> None:
    entry = GUIDE.find(name)

    assert entry is not None
    assert entry.code == code


def test_a_name_that_is_none_is_answered_by_the_nearest() -> None:
    assert GUIDE.find("groq-ratelimt") is None
    assert GUIDE.nearest("groq-ratelimt")[0] == "groq-rate-limit"
    assert GUIDE.nearest("%%%") == ()
    assert "auth_invalid" in GUIDE.nearest("auth")
    assert GUIDE.nearest("nonsense") == ()
    assert GUIDE.nearest("418") == ()


def test_entries_of_one_class_are_alike() -> None:
    refused, never = GUIDE.find("529"), GUIDE.find("kilo-extension-error")
    assert refused is not None
    assert never is not None

    assert {"503", "498", "overloaded"} <= set(GUIDE.alike(refused))
    assert "529" not in GUIDE.alike(refused)
    assert GUIDE.alike(never) == ()


def test_what_never_reaches_spillover_says_so() -> None:
    never, own = GUIDE.find("kilo-extension-error"), GUIDE.find("all_exhausted")
    assert never is not None
    assert own is not None

    assert does(never) == ("Spillover never meets it: it fails before a request is sent.",)
    assert str(STATUS_OF[Code.ALL_EXHAUSTED]) in does(own)[0]


def test_a_model_is_known_by_its_name_in_the_text() -> None:
    assert model_in("groq", "model `llama-3.1-8b-instant` in") == "llama-3.1-8b-instant"
    assert model_in("groq", "no model") == ""
    assert model_in("nobody", "llama-3.1-8b-instant") == ""

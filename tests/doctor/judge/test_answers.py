"""What a provider answers when it is asked for its models, and what follows for key and model."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from spillover.catalogue import Retired
from spillover.core.stated import Stated
from spillover.core.values import FailureClass, Metric
from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.answers import Asked, Reply, answers, endings

URL = "https://api.example/v1/models"
TODAY = "2026-11-27"


def asked(model: str = "qwen3:8b", **fields: Any) -> Asked:
    said: dict[str, Any] = {"url": URL, "status": 200, "models": ("qwen3:8b", "qwen3:32b")}
    reply = Reply(**said | fields)
    return Asked(provider="acme", profiles={"p": model}, listing=reply)


def found(asked_: Asked) -> dict[str, Finding]:
    return {each.check: each for each in answers(asked_, TODAY)}


def test_a_sound_answer_is_sound_in_all_respects() -> None:
    every = found(asked())

    assert {each.level for each in every.values()} == {Level.OK}
    assert every.keys() == {"net.http", "provider.key", "provider.model", "provider.limits"}


@pytest.mark.parametrize(
    ("fields", "saw"),
    [
        ({"error": "connection refused", "status": 0}, "did not answer: connection refused"),
        ({"status": 301, "location": "https://other.example"}, "sends on to https://other.example"),
        ({"is_page": True, "models": None}, "with a web page"),
        ({"status": 404, "models": None, "message": "no route"}, "answered 404: no route"),
        ({"status": 503, "models": None}, "answered 503"),
    ],
    ids=["nothing", "redirect", "page", "not found", "ill"],
)
def test_an_address_without_an_api_is_told_and_nothing_is_guessed_of_the_key(
    fields: dict[str, Any], saw: str
) -> None:
    every = found(asked(**fields))

    assert every["net.http"].level is Level.PROBLEM
    assert saw in every["net.http"].saw
    assert "provider.key" not in every


def test_a_provider_that_is_ill_is_told_with_its_status_page() -> None:
    ill = replace(asked(status=503, models=None), provider="groq")

    assert found(ill)["net.http"].remedy == "https://groqstatus.com\nspillover errors 503"


def test_an_answer_that_lists_nothing_is_doubtful() -> None:
    assert found(asked(models=None))["net.http"].level is Level.WARNING


@pytest.mark.parametrize(
    ("failure", "status", "level", "why"),
    [
        (FailureClass.AUTH_INVALID, 401, Level.PROBLEM, "does not take the key"),
        (FailureClass.PAYMENT_REQUIRED, 402, Level.PROBLEM, "no credit"),
        (FailureClass.RATE_LIMITED, 429, Level.WARNING, "its quota is spent for now"),
        (FailureClass.BAD_REQUEST, 400, Level.WARNING, "is not known"),
    ],
)
def test_a_refusal_is_told_by_what_it_means(
    failure: FailureClass, status: int, level: Level, why: str
) -> None:
    every = found(asked(status=status, failure=failure, models=None, message="no"))

    assert every["provider.key"].level is level
    assert why in every["provider.key"].why


def test_a_key_is_judged_by_what_proves_it() -> None:
    listing = Reply(url=URL, status=200, models=("m",))
    wrong = Reply(url=f"{URL}/key", status=401, failure=FailureClass.AUTH_INVALID)
    proved = Asked(provider="openrouter", profiles={"p": "m"}, listing=listing, key_check=wrong)
    open_to_all = Asked(provider="kilo", profiles={"p": "m"}, listing=listing, proves_key=False)

    assert found(proved)["provider.key"].level is Level.PROBLEM
    assert "https://openrouter.ai/settings/keys" in found(proved)["provider.key"].remedy
    assert found(open_to_all)["provider.key"].level is Level.NOTE
    assert "--live" in found(open_to_all)["provider.key"].remedy


def test_a_server_without_a_key_needs_none() -> None:
    listing = Reply(url=URL, status=200, models=("m",))
    every = found(Asked(provider="x", profiles={"p": "m"}, listing=listing, has_key=False))

    assert every["provider.key"].saw == "none is needed"


def test_a_model_that_is_not_listed_is_told_with_the_nearest() -> None:
    bad = found(asked("qwen3:8"))["provider.model"]

    assert bad.level is Level.PROBLEM
    assert "nearest: qwen3:8b" in bad.saw
    assert bad.remedy == "profiles.p: model: qwen3:8b"


def test_an_alternative_that_is_listed_makes_it_a_warning() -> None:
    reply = Reply(url=URL, status=200, models=("spare",))
    every = found(
        Asked(provider="x", profiles={"p": "gone"}, alternatives={"p": ("spare",)}, listing=reply)
    )

    assert every["provider.model"].level is Level.WARNING
    assert "spare serves in its place" in every["provider.model"].why


@pytest.mark.parametrize("model", ["QWEN3:8b", "models/qwen3:8b"])
def test_names_are_compared_as_providers_do(model: str) -> None:
    assert found(asked(model))["provider.model"].level is Level.OK
    assert found(asked("qwen3", models=("qwen3:latest",)))["provider.model"].level is Level.OK


RETIRED = Retired(models=("old",), on="2026-08-16", successor="new", source="their page")


def test_a_retired_model_names_its_successor_whether_it_is_listed_or_not() -> None:
    for models in ((), ("old",), ("other",)):
        reply = Reply(url=URL, status=200, models=models)
        gone = Asked(provider="groq", profiles={"p": "old"}, retired={"p": RETIRED}, listing=reply)

        bad = found(gone)["provider.model"]

        assert "2026-08-16" in bad.saw + bad.why
        assert bad.remedy == "profiles.p: model: new"


def test_what_ends_is_known_without_an_answer() -> None:
    nameless = Retired(models=("old",), on="2027-01-01", source="their page")

    (soon,) = endings(Asked(provider="groq", profiles={"p": "old"}, retired={"p": nameless}), TODAY)
    (deprecated,) = endings(Asked(provider="groq", profiles={"p": "m"}, deprecated=("p",)), TODAY)

    assert "will be retired on 2027-01-01" in soon.saw
    assert soon.remedy == "spillover catalogue groq"
    assert deprecated.level is Level.NOTE


def test_what_headers_say_is_read_back() -> None:
    stated = (
        Stated(metric=Metric.REQUESTS, per="day", limit=1_000, remaining=987),
        Stated(metric=Metric.TOKENS, per="minute", remaining=0),
    )

    limits = found(asked(stated=stated))["provider.limits"]

    assert limits.saw == "987 of 1,000 requests/day left; 0 tokens/minute left"
    assert limits.level is Level.WARNING

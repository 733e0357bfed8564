"""The control interface, as it is used over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spillover.simulator.control import Control
from spillover.simulator.spec import ScriptedCall, limits
from tests.simulator.asking import KEY, a_provider, a_request, ask

if TYPE_CHECKING:
    from spillover.simulator.provider import Provider


def controlled(
    provider: Provider, method: str, path: str, body: Any = None, refused: list[float] | None = None
) -> tuple[int, Any]:
    control = Control(provider, (refused if refused is not None else []).append)
    sent = b"" if body is None else json.dumps(body).encode()
    reply = control.answer(a_request(sent, f"/_control/{path}", method=method))
    return reply.status, json.loads(reply.body)


def test_counters_are_read_with_the_most_of_any_window() -> None:
    provider = a_provider(limits=limits("requests=2/minute"))
    for _ in range(3):
        ask(provider)

    status, found = controlled(provider, "GET", "counters?window=10")

    assert status == 200
    assert (found["received"], found["accepted"], found["refused"]) == (3, 2, 1)
    assert (found["window_s"], found["most_requests"]) == (10, 2)
    assert found["most_tokens"] == found["input_tokens"] + found["output_tokens"]


def test_records_are_read_with_their_keys_masked() -> None:
    provider = a_provider()
    for text in ("first", "second"):
        ask(provider, text)

    _, found = controlled(provider, "GET", "records?last=1")
    _, none = controlled(provider, "GET", "records?last=0")

    assert len(found) == 1
    assert "second" in found[0]["body"]
    assert found[0]["outcome"] == "answered"
    assert KEY not in json.dumps(found)
    assert none == []


def test_faults_are_scripted_by_name_or_by_fields_and_cleared() -> None:
    provider = a_provider()
    controlled(provider, "POST", "faults", {"fault": "overloaded", "times": 1})
    status, found = controlled(
        provider,
        "POST",
        "faults",
        {"fault": {"break": "reset"}, "times": None, "model": "x", "carrying": "y"},
    )
    spoiled = ask(provider).status
    _, cleared = controlled(provider, "DELETE", "faults")

    assert status == 200
    assert [entry["times"] for entry in found["scripted"]] == [1, None]
    assert found["scripted"][1]["fault"]["break"] == "reset"
    assert (found["scripted"][1]["model"], found["scripted"][1]["carrying"]) == ("x", "y")
    assert "gzip" in found["ready_made"]
    assert (spoiled, cleared["scripted"]) == (503, [])


def test_a_spec_is_changed_in_what_is_said_and_shown_without_its_keys() -> None:
    provider = a_provider(limits=limits("requests=1/minute"), delay_s=0.5)

    status, found = controlled(
        provider,
        "PATCH",
        "spec",
        {
            "limits": ["requests=9/day"],
            "keys": [KEY],
            "answer": "new",
            "calls": [{"tool": "f", "arguments": {"x": 1}}],
        },
    )

    assert status == 200
    assert (found["limits"], found["keys"], found["delay_s"]) == (["requests=9/day"], 1, 0.5)
    assert provider.spec.answer == "new"
    assert provider.spec.calls == (ScriptedCall(tool="f", arguments={"x": 1}),)
    assert controlled(provider, "GET", "spec") == (200, found)


def test_a_reset_starts_anew() -> None:
    provider = a_provider()
    ask(provider)

    _, found = controlled(provider, "POST", "reset")

    assert found["received"] == 0


def test_refusing_is_asked_of_the_host() -> None:
    refused: list[float] = []

    status, _ = controlled(a_provider(), "POST", "refuse", {"for_s": 0.5}, refused)

    assert (status, refused) == (200, [0.5])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "nothing", None, 404, "GET /_control/counters"),
        ("POST", "counters", None, 404, "no such control"),
        ("POST", "faults", {"fault": "flood"}, 400, "no fault: 'flood'"),
        ("POST", "faults", {"fault": {"brake": 1}}, 400, "brake"),
        ("POST", "faults", None, 400, "truncated"),
        ("PATCH", "spec", {"limits": ["many"]}, 400, "no limit: 'many'"),
        ("GET", "counters?window=long", None, 400, "long"),
    ],
)
def test_a_wrong_order_is_told_what_is_wrong(
    method: str, path: str, body: Any, status: int, words: str
) -> None:
    found = controlled(a_provider(), method, path, body)

    assert found[0] == status
    assert words in found[1]["error"]

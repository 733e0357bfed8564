"""Clients of every dialect reach upstreams of every dialect, through real sockets on both sides."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import Break, Complaint, Fault, ProviderSpec, running
from tests.journeys.dialects import (
    ARGUMENTS,
    FLAVOURS,
    a_profile,
    a_request,
    ask,
    error_of,
    events_of,
    told,
)
from tests.serving import HELLO, Served, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.simulator import SimulatedProvider

PAIRS = list(product(Dialect, Dialect))
SENTENCE = "Grüße, 世界: this is the answer."


@pytest.fixture(scope="module")
def hosted() -> Iterator[dict[Dialect, SimulatedProvider]]:
    specs = [ProviderSpec(flavour=FLAVOURS[each], answer=SENTENCE) for each in Dialect]
    with running(*specs) as found:
        yield dict(zip(Dialect, found, strict=True))


@pytest.fixture(scope="module")
def gateway(hosted: dict[Dialect, SimulatedProvider]) -> Iterator[Served]:
    profiles = {each.value: a_profile(hosted[each], each) for each in Dialect}
    with serving({"storage": "memory", "profiles": profiles}) as served:
        yield served


@pytest.fixture
def providers(
    hosted: dict[Dialect, SimulatedProvider],
) -> Iterator[dict[Dialect, SimulatedProvider]]:
    yield hosted
    for provider in hosted.values():
        provider.reset()


@pytest.fixture
def served(
    gateway: Served,
    providers: dict[Dialect, SimulatedProvider],
) -> Iterator[Served]:
    yield gateway
    gateway.run(gateway.engine.clear_usage(None))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_client_of_any_dialect_gets_the_words_of_an_upstream_of_any(
    served: Served, client: Dialect, upstream: Dialect, *, stream: bool
) -> None:
    reply = ask(served, client, model=upstream.value, stream=stream)

    found = told(client, reply, stream=stream)
    assert (reply.status, found.text, found.is_whole) == (200, SENTENCE, True)
    assert reply.headers["x-spillover-trail"] == f"{upstream.value}:ok"
    kind = reply.headers["content-type"]
    assert kind.startswith("text/event-stream" if stream else "application/json")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_tool_is_called_across_dialects(
    served: Served, client: Dialect, upstream: Dialect, *, stream: bool
) -> None:
    reply = ask(
        served, client, "use the weather tool", model=upstream.value, stream=stream, tool=True
    )

    found = told(client, reply, stream=stream)
    assert (found.calls, found.is_whole) == ((("weather", ARGUMENTS),), True)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_what_an_upstream_counts_is_told_and_recorded(
    served: Served,
    providers: dict[Dialect, SimulatedProvider],
    client: Dialect,
    upstream: Dialect,
) -> None:
    reply = ask(served, client, model=upstream.value)

    record = providers[upstream].records[-1]
    wait_until(lambda: record.output_tokens > 0)
    spent = (record.input_tokens, record.output_tokens)
    assert told(client, reply, stream=False).tokens == spent
    used = served.get("/api/status").json["profiles"][upstream.value]["usage"]["day"]
    assert (used["requests"], used["tokens"]) == (1, sum(spent))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", Dialect)
def test_within_one_dialect_every_byte_passes(
    served: Served,
    providers: dict[Dialect, SimulatedProvider],
    dialect: Dialect,
    *,
    stream: bool,
) -> None:
    sent = a_request(dialect, model=dialect.value, stream=stream)
    if dialect is Dialect.CHAT and stream:  # else the gateway asks for the usage
        sent.body["stream_options"] = {"include_usage": True}
    odd = b'{"x_unknown": {"deep": [1, 2.50, "\\u00e9"]}, ' + json.dumps(sent.body).encode()[1:]

    got = served.ask("POST", sent.path, odd, headers=sent.headers)

    record = providers[dialect].records[-1]
    expected = odd.replace(b'"model": "' + dialect.value.encode() + b'"', b'"model": "m"')
    assert json.loads(record.body) == json.loads(expected)
    assert b'{"deep": [1, 2.50, "\\u00e9"]}' in record.body
    again = _direct(providers[dialect], record)
    assert _print(got.body) == _print(again)


def _print(body: bytes) -> str:
    """A body's hash, the serial numbers of the simulator aside."""
    return hashlib.sha256(_numberless(body)).hexdigest()


def _numberless(body: bytes) -> bytes:
    return re.sub(rb"(sim[-_])\d+|(\"created(?:_at)?\":)\d+", rb"\1\2", body)


def _direct(provider: SimulatedProvider, record: Any) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(provider.origin).netloc, timeout=60)
    try:
        connection.request(record.method, record.path, record.body, dict(record.raw_headers))
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", Dialect)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Dialect.CHAT, Dialect.ANTHROPIC),
        (Dialect.ANTHROPIC, Dialect.CHAT),
        (Dialect.GEMINI, Dialect.ANTHROPIC),
        (Dialect.RESPONSES, Dialect.GEMINI),
    ],
)
def test_a_spent_upstream_is_left_for_one_of_another_dialect(
    providers: dict[Dialect, SimulatedProvider],
    client: Dialect,
    first: Dialect,
    second: Dialect,
    *,
    stream: bool,
) -> None:
    providers[first].script("rate_limited")
    document = {
        "storage": "memory",
        "profiles": {
            "one": a_profile(providers[first], first),
            "two": a_profile(providers[second], second),
        },
    }

    with serving(document) as gateway:
        reply = ask(gateway, client, stream=stream)

    assert told(client, reply, stream=stream).text == SENTENCE
    assert reply.headers["x-spillover-trail"] == "one:rate_limited,two:ok"


BREAKS = {
    "cut": Fault(break_=Break.CLOSE, after=2),
    "reset": Fault(break_=Break.RESET, after=2),
    "error": Fault(error=Complaint.OVERLOADED, after=2),
    "stall": Fault(break_=Break.STALL, after=2),
}


@pytest.mark.parametrize("fault", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_an_answer_that_breaks_off_ends_in_the_clients_own_error(
    client: Dialect, upstream: Dialect, fault: Fault
) -> None:
    spec = ProviderSpec(flavour=FLAVOURS[upstream], answer=SENTENCE, events_per_s=50.0)
    stall = "500ms" if fault.break_ is Break.STALL else "60s"
    with running(spec) as (provider,):
        document = {
            "storage": "memory",
            "profiles": {"one": a_profile(provider, upstream)},
            "chains": {"default": {"profiles": ["one"], "timeouts": {"stall": stall}}},
        }
        with serving(document) as gateway:
            provider.script(fault)
            reply = ask(gateway, client, stream=True)

    found = told(client, reply, stream=True)
    assert reply.status == 200
    assert found.text
    assert SENTENCE.startswith(found.text.rstrip())
    assert not found.is_whole
    last = events_of(reply.body)[-1]
    kind, message = error_of(client, last)
    assert kind == BROKEN[client]
    assert "one broke off its answer" in message


BROKEN = {
    Dialect.CHAT: "stream_interrupted",
    Dialect.RESPONSES: "stream_interrupted",
    Dialect.ANTHROPIC: "api_error",
    Dialect.GEMINI: "INTERNAL",
}


@pytest.mark.parametrize("client", Dialect)
def test_errors_of_ours_have_the_clients_shape(
    providers: dict[Dialect, SimulatedProvider], client: Dialect
) -> None:
    document = {
        "storage": "memory",
        "profiles": {"one": a_profile(providers[Dialect.CHAT], Dialect.CHAT) | {"limits": LIMITS}},
    }
    with serving(document) as gateway:
        ask(gateway, client)
        spent = ask(gateway, client)
        unknown = ask(gateway, client, model="defaullt")
        sent = a_request(client)
        broken = gateway.ask("POST", sent.path, b'{"model', headers=sent.headers)

    statuses = [reply.status for reply in (spent, unknown, broken)]
    assert statuses == [429, 404, 400]
    kinds = [error_of(client, reply.json)[0] for reply in (spent, unknown, broken)]
    assert kinds == KINDS[client]
    assert spent.json["error"]["profiles"][0]["profile"] == "one"
    assert spent.headers["retry-after"]


LIMITS = {"requests_per_day": 1}
KINDS = {
    Dialect.CHAT: ["all_exhausted", "model_not_found", "invalid_request"],
    Dialect.RESPONSES: ["all_exhausted", "model_not_found", "invalid_request"],
    Dialect.ANTHROPIC: ["rate_limit_error", "not_found_error", "invalid_request_error"],
    Dialect.GEMINI: ["RESOURCE_EXHAUSTED", "NOT_FOUND", "INVALID_ARGUMENT"],
}


@pytest.mark.parametrize("client", Dialect)
def test_a_providers_refusal_is_handed_on_in_the_clients_shape(
    served: Served, providers: dict[Dialect, SimulatedProvider], client: Dialect
) -> None:
    providers[Dialect.ANTHROPIC].script("context_length")

    reply = ask(served, client, model="anthropic")

    assert reply.status == 400
    assert "prompt is too long" in error_of(client, reply.json)[1]


def test_what_an_upstream_has_no_words_for_is_dropped_by_name_or_served_elsewhere(
    providers: dict[Dialect, SimulatedProvider],
) -> None:
    profiles = {
        "one": a_profile(providers[Dialect.ANTHROPIC], Dialect.ANTHROPIC),
        "two": a_profile(providers[Dialect.CHAT], Dialect.CHAT),
    }
    with serving({"storage": "memory", "profiles": profiles}) as gateway:
        harmless = gateway.chat(seed=7)
        missed = gateway.chat(logprobs=True, top_logprobs=1)
        explained = gateway.post("/api/explain", {**HELLO, "logprobs": True}).json

    assert harmless.headers["x-spillover-trail"] == "one:ok"
    assert harmless.headers["x-spillover-dropped"] == "seed"
    assert missed.headers["x-spillover-trail"] == "two:ok"
    assert "x-spillover-dropped" not in missed.headers
    (skipped,) = explained["skipped"]
    assert (skipped["profile"], skipped["reason"]) == ("one", "lacks_capability")
    assert (skipped["never"], explained["serves"]) == (True, "two")


def test_nobody_who_has_words_for_it_is_a_request_that_none_can_serve(
    providers: dict[Dialect, SimulatedProvider],
) -> None:
    profile = a_profile(providers[Dialect.ANTHROPIC], Dialect.ANTHROPIC)
    with serving({"storage": "memory", "profiles": {"one": profile}}) as gateway:
        replies = [
            gateway.chat(logprobs=True),
            gateway.post("/v1/embeddings", {"input": "hello"}),
            gateway.post("/v1/completions", {"prompt": "hello"}),
        ]

    assert {(reply.status, reply.error["code"]) for reply in replies} == {
        (400, "no_capable_profile")
    }


def test_headers_of_a_protocol_pass_to_its_own_upstreams_alone(
    served: Served, providers: dict[Dialect, SimulatedProvider]
) -> None:
    sent = a_request(Dialect.ANTHROPIC, model="anthropic")
    headers = {**sent.headers, "anthropic-version": "2024-01-01", "anthropic-beta": "b1"}
    headers |= {"openai-beta": "no", "x-api-key": "stolen"}

    served.ask("POST", f"{sent.path}?beta=true", sent.body, headers=headers)
    elsewhere = {**sent.body, "model": "chat"}
    served.ask("POST", f"{sent.path}?beta=true", elsewhere, headers=headers)

    (own,) = providers[Dialect.ANTHROPIC].records
    got = dict(own.raw_headers)
    assert own.path == "/v1/messages?beta=true"
    assert (got["anthropic-version"], got["anthropic-beta"]) == ("2024-01-01", "b1")
    assert got["x-api-key"] == "sk-key-of-m-0123456789"
    assert "openai-beta" not in got
    (other,) = providers[Dialect.CHAT].records
    assert "?" not in other.path
    assert not any("anthropic" in name or "beta" in name for name, _ in other.raw_headers)
    assert not any(p.carried("stolen") for p in providers.values())


def test_a_stream_of_gemini_is_a_json_array_unless_events_are_asked_for(served: Served) -> None:
    for upstream in (Dialect.GEMINI, Dialect.CHAT):
        sent = a_request(Dialect.GEMINI, model=upstream.value, stream=True)

        got = served.ask("POST", sent.path.removesuffix("?alt=sse"), sent.body)

        parts = [chunk["candidates"][0]["content"]["parts"] for chunk in got.json]
        assert "".join(part["text"] for each in parts for part in each) == SENTENCE
        assert got.headers["content-type"] == "application/json"


def test_tokens_are_counted_without_asking_anybody(
    served: Served, providers: dict[Dialect, SimulatedProvider]
) -> None:
    message = {"role": "user", "content": "x" * 400}
    contents = [{"role": "user", "parts": [{"text": "x" * 400}]}]

    claude = served.post("/v1/messages/count_tokens", {"model": "chat", "messages": [message]})
    gemini = served.post("/v1beta/models/chat:countTokens", {"contents": contents})
    wrapped = served.post(
        "/v1/models/chat:countTokens", {"generateContentRequest": {"contents": contents}}
    )

    assert 50 < claude.json["input_tokens"] < 200
    assert gemini.json == wrapped.json == {"totalTokens": claude.json["input_tokens"]}
    assert not any(provider.records for provider in providers.values())
    assert served.post("/v1/messages/count_tokens", {"messages": 7}).status == 400


def test_each_protocol_shows_its_key_in_its_own_way(
    providers: dict[Dialect, SimulatedProvider],
) -> None:
    document = {
        "storage": "memory",
        "server": {"client_keys": ["ck-0123456789"], "admin_key": "ak-0123456789"},
        "profiles": {"one": a_profile(providers[Dialect.CHAT], Dialect.CHAT)},
    }
    with serving(document) as gateway:
        for client, shown in SHOWN.items():
            sent = a_request(client)
            assert gateway.ask("POST", sent.path, sent.body, headers=shown).status == 200
            refused = gateway.ask("POST", sent.path, sent.body)
            assert (refused.status, error_of(client, refused.json)[0]) == (401, UNKNOWN[client])
        sent = a_request(Dialect.GEMINI)
        assert gateway.ask("POST", f"{sent.path}?key=ck-0123456789", sent.body).status == 200


SHOWN = {
    Dialect.CHAT: {"authorization": "Bearer ck-0123456789"},
    Dialect.RESPONSES: {"authorization": "Bearer ck-0123456789"},
    Dialect.ANTHROPIC: {"x-api-key": "ck-0123456789"},
    Dialect.GEMINI: {"x-goog-api-key": "ck-0123456789"},
}
UNKNOWN = {
    Dialect.CHAT: "invalid_client_key",
    Dialect.RESPONSES: "invalid_client_key",
    Dialect.ANTHROPIC: "authentication_error",
    Dialect.GEMINI: "UNAUTHENTICATED",
}


@pytest.mark.parametrize("upstream", Dialect)
def test_a_profile_of_any_dialect_is_probed(served: Served, upstream: Dialect) -> None:
    probed = served.post(f"/api/profiles/{upstream.value}/probe").json["probe"]

    assert (probed["answered"], probed["outcome"]) == (True, "ok")


def test_errors_that_an_upstream_tells_as_words_are_spared_clients_of_every_dialect() -> None:
    words = "Error: API request failed (503): no capacity"
    with running(ProviderSpec(answer=words), ProviderSpec(answer=SENTENCE)) as (one, two):
        own = {"errors_in_text": True}
        profiles = {
            "one": a_profile(one, Dialect.CHAT) | own,
            "two": a_profile(two, Dialect.CHAT),
        }
        with serving({"storage": "memory", "profiles": profiles}) as served:
            replies = []
            for dialect in Dialect:
                replies.append(ask(served, dialect))
                served.run(served.engine.clear_usage(None))

    assert [told(d, r, stream=False).text for d, r in zip(Dialect, replies, strict=True)] == [
        SENTENCE
    ] * 4
    trails = {reply.headers["x-spillover-trail"] for reply in replies}
    assert trails == {"one:overloaded,two:ok"}

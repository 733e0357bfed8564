"""One configuration as requests use it: addresses, headers, and whether usage is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.assemble import assemble
from spillover.config.loader import load_document
from spillover.core.limits import Candidate
from spillover.core.tokens import Calibration
from spillover.core.values import Failure, FailureClass, FaultScope, Operation, Usage
from spillover.engine import Call
from spillover.engine.setup import Setup
from spillover.protocols.openai_chat import read_request
from tests.engine.staging import HELLO, document

if TYPE_CHECKING:
    from spillover.engine.attempt import Shipment

STREAM = {**HELLO, "stream": True}
ASKING = {**STREAM, "stream_options": {"include_usage": True, "x": 1}}


def setup_of(**profile: Any) -> Setup:
    written = document(["http://127.0.0.1:9/v1"], profiles={"p0": profile})
    loaded = load_document(written, environ={})
    return Setup(assemble(loaded, load_catalogue()), loaded.redactor.redact)


def shipped(
    setup: Setup,
    body: dict[str, Any],
    *,
    operation: Operation = Operation.CHAT,
    headers: dict[str, str] | None = None,
) -> Shipment:
    routing = setup.routing
    asked = read_request(msgspec.json.encode(body), operation)
    candidate = Candidate(profile=routing.profiles["p0"], need=Usage(requests=1))
    call = Call(asked=asked, request_id="r", passed_headers=headers or {})
    shipment = setup.shipment(
        call, routing.chains["default"], candidate=candidate, calibration=Calibration()
    )
    assert not isinstance(shipment, tuple)
    return shipment


@pytest.mark.parametrize(
    ("operation", "body", "path"),
    [
        (Operation.CHAT, HELLO, "/chat/completions"),
        (Operation.COMPLETIONS, {"prompt": "a"}, "/completions"),
        (Operation.EMBEDDINGS, {"input": "a"}, "/embeddings"),
    ],
)
def test_each_operation_has_its_address(
    operation: Operation, body: dict[str, Any], path: str
) -> None:
    order = shipped(setup_of(), body, operation=operation).order

    assert order.url == f"http://127.0.0.1:9/v1{path}"
    assert order.loopback


SPEAKERS = {
    "anthropic": ("/v1/messages", "x-api-key"),
    "gemini": ("/v1/models/model-0:generateContent", "x-goog-api-key"),
    "openai-responses": ("/v1/responses", "Authorization"),
}


@pytest.mark.parametrize("protocol", SPEAKERS)
def test_each_dialect_has_its_address_and_its_header(protocol: str) -> None:
    path, header = SPEAKERS[protocol]

    shipment = shipped(setup_of(protocol=protocol), HELLO)

    assert shipment.order.url == f"http://127.0.0.1:9{path}"
    assert shipment.order.headers[header].endswith("sk-key-of-0-0123456789")
    assert ("anthropic-version" in shipment.order.headers) is (protocol == "anthropic")
    assert shipment.passage is not None
    assert shipment.passage.model == "model-0"


def test_a_models_name_is_written_so_that_it_stays_one_part_of_the_address() -> None:
    setup = setup_of(protocol="gemini", model="models/tuned?x#1")

    url = shipped(setup, {**HELLO, "stream": True}).order.url

    assert url.endswith("/v1/models/tuned%3Fx%231:streamGenerateContent?alt=sse")


def test_openais_chat_passes_as_it_is_beside_other_dialects_too() -> None:
    written = document(["http://127.0.0.1:9/v1"] * 2, profiles={"p1": {"protocol": "anthropic"}})
    loaded = load_document(written, environ={})
    setup = Setup(assemble(loaded, load_catalogue()), loaded.redactor.redact)

    shipment = shipped(setup, {**HELLO, "odd": 1})

    assert shipment.passage is None
    assert msgspec.json.decode(shipment.order.body) == {**HELLO, "odd": 1, "model": "model-0"}


def test_what_is_dropped_is_named_as_it_may_stand_in_a_header() -> None:
    odd = {f"x{number}": 1 for number in range(30)}

    (first, *more) = shipped(
        setup_of(protocol="anthropic"), {**HELLO, "a\r\nset-cookie: é": 1, **odd}
    ).dropped

    assert first == "a??set-cookie???"
    assert len(more) == 19


def test_what_a_dialect_has_no_words_for_is_told_without_a_send() -> None:
    setup = setup_of(protocol="anthropic")
    routing = setup.routing
    asked = read_request(msgspec.json.encode({**HELLO, "logprobs": True}), Operation.CHAT)
    call = Call(asked=asked, request_id="r")

    found = setup.shipment(
        call,
        routing.chains["default"],
        candidate=Candidate(profile=routing.profiles["p0"], need=Usage(requests=1)),
        calibration=Calibration(),
    )

    assert found == setup.lacks(call, routing.profiles["p0"]) == ("logprobs",)
    assert setup_of().lacks(call, routing.profiles["p0"]) == ()


def test_a_clients_header_passes_but_never_takes_the_place_of_ours() -> None:
    passed = {"openai-beta": "v2", "Authorization": "Bearer stolen", "user-agent": "client"}

    headers = shipped(setup_of(headers={"X-Org": "me"}), HELLO, headers=passed).order.headers

    assert headers["openai-beta"] == "v2"
    assert headers["Authorization"] == "Bearer sk-key-of-0-0123456789"
    assert headers["X-Org"] == "me"
    assert headers["user-agent"].startswith("spillover/")


@pytest.mark.parametrize(
    ("stream_usage", "body", "options"),
    [
        ("ask", HELLO, None),
        ("ask", STREAM, {"include_usage": True}),
        ("ask", ASKING, {"include_usage": True, "x": 1}),
        ("native", STREAM, None),
        ("native", ASKING, {"include_usage": True, "x": 1}),
        ("never", STREAM, None),
        ("never", ASKING, {"x": 1}),
    ],
)
def test_usage_is_asked_for_as_the_provider_has_it(
    stream_usage: str, body: dict[str, Any], options: dict[str, Any] | None
) -> None:
    shipment = shipped(setup_of(stream_usage=stream_usage), body)

    assert msgspec.json.decode(shipment.order.body).get("stream_options") == options
    assert shipment.asks_usage is ("include_usage" in (options or {}))


def test_the_catalogue_may_raise_the_first_tokens_time_limit() -> None:
    slow = shipped(setup_of(provider="ollama"), STREAM)
    quick = shipped(setup_of(), STREAM)

    assert (slow.first_token_s, quick.first_token_s) == (180.0, 20.0)


def refusal(message: str, failure: FailureClass = FailureClass.BAD_REQUEST) -> Failure:
    return Failure(failure=failure, scope=FaultScope.REQUEST, message=message)


@pytest.mark.parametrize(
    ("failure", "body", "mended"),
    [
        (refusal("Unknown parameter: 'stream_options'."), STREAM, True),
        (refusal("include_usage: extra inputs are not permitted"), STREAM, True),
        (refusal("Unknown parameter: 'stream_options'."), HELLO, False),
        (refusal("Unknown parameter: 'seed'."), STREAM, False),
        (refusal("stream_options", FailureClass.OVERLOADED), STREAM, False),
    ],
)
def test_a_refused_wish_for_usage_is_mended_once_and_remembered(
    failure: Failure, body: dict[str, Any], *, mended: bool
) -> None:
    setup = setup_of()
    shipment = shipped(setup, body)

    first = setup.mended(failure, shipment)
    again = shipped(setup, STREAM)

    assert first.mended is mended
    assert again.asks_usage is not mended

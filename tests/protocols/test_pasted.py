"""Reading errors as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.values import FailureClass, Source
from spillover.protocols.pasted import read_pasted
from spillover.protocols.records import classify

CURL_V = """\
* Connected to api.example.com
> POST /v1/chat/completions HTTP/2
> Host: api.example.com
>
< HTTP/2 401
< content-type: application/json
<
{ [97 bytes data]
{"error":{"message":"Invalid API Key","code":"invalid_api_key"}}
* Connection #0 to host left intact"""
NODE = """\
TypeError: fetch failed
    at node:internal/deps/undici/undici:13502:13 {
  [cause]: Error: getaddrinfo ENOTFOUND api.example.com
      at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {
    errno: -3008,
    code: 'ENOTFOUND'
  }
}"""
LOG = (
    "2026-11-20 12:00:01,123 ERROR proxy: litellm.RateLimitError: GroqException - "
    '{"error":{"message":"Rate limit reached on tokens per minute (TPM). Please try again in 5s.",'
    '"code":"rate_limit_exceeded"}}'
)


def test_an_answer_with_its_head_is_taken_apart() -> None:
    found = read_pasted(
        "$ curl -i https://x\r\nHTTP/1.1 200 Connection established\r\n\r\n"
        'HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nx-a:b\r\n\r\n{"error": "slow\ndown"}\r\n'
    )

    assert found == {
        "status": 429,
        "headers": {"retry-after": "7", "x-a": "b"},
        "body": '{"error": "slow\ndown"}',
    }


def test_a_head_may_stand_alone_or_without_a_blank_line() -> None:
    assert read_pasted("HTTP/2 503") == {"status": 503, "headers": {}, "body": ""}
    assert read_pasted("HTTP/2 503\na: b") == {"status": 503, "headers": {"a": "b"}, "body": ""}
    assert read_pasted('HTTP/2 503\na: b\n{"c": 1}')["body"] == '{"c": 1}'


@pytest.mark.parametrize(
    ("text", "failure", "wait"),
    [
        (CURL_V, FailureClass.AUTH_INVALID, None),
        (NODE, FailureClass.NETWORK, None),
        (LOG, FailureClass.RATE_LIMITED, 5),
        ('{"error":{"code":"insufficient_quota"}}', FailureClass.PAYMENT_REQUIRED, None),
        (
            "openai.RateLimitError: Error code: 429 - {'error': {'message': 'Try again in 2s'}}",
            FailureClass.RATE_LIMITED,
            2,
        ),
        ('API Error: 529 {"error":{"message":"Overloaded"}}', FailureClass.OVERLOADED, None),
        ("anthropic.InternalServerError: Overloaded", FailureClass.OVERLOADED, None),
        ("AxiosError: Request failed with status code 503", FailureClass.OVERLOADED, None),
        ("AxiosError: timeout of 30000ms exceeded", FailureClass.TIMEOUT, None),
        ("<html><head><title>502 Bad Gateway</title></head>", FailureClass.BAD_GATEWAY, None),
        ("google.ResourceExhausted: 429 Resource is gone", FailureClass.RATE_LIMITED, None),
        ("GoogleAIError: [429 Too Many Requests] slow down", FailureClass.RATE_LIMITED, None),
        ('INFO: "POST /v1 HTTP/1.1" 429 Too Many Requests', FailureClass.RATE_LIMITED, None),
        ("curl: (6) Could not resolve host: a.example", FailureClass.NETWORK, None),
        ("curl: (28) Operation timed out after 30001 ms", FailureClass.TIMEOUT, None),
        (
            'event: error\ndata: {"error":{"type":"overloaded_error"}}',
            FailureClass.OVERLOADED,
            None,
        ),
    ],
    ids=range(16),
)
def test_what_people_have_at_hand_is_understood(
    text: str, failure: FailureClass, wait: float | None
) -> None:
    found = classify(read_pasted(text))

    assert found.class_ is failure
    assert found.stated_wait_s == wait


def test_a_wait_in_pasted_headers_counts() -> None:
    found = classify(read_pasted("HTTP/1.1 429 Too Many Requests\nRetry-After: 7\n\nslow down"))

    assert (found.stated_wait_s, found.source) == (7, Source.HEADER)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert read_pasted(text)
    assert read_pasted(f"HTTP/1.1 500 x\n{text}")["status"]

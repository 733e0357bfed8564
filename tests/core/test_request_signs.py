"""Telling that a request itself can't be served here."""

from __future__ import annotations

import pytest

from spillover.core.request_signs import CONTENT_SIGNS, FEATURE_SIGNS, SIZE_SIGNS
from spillover.core.values import FailureClass
from tests.core.naming import named


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "This model's maximum context length is 8192 tokens. However, you requested 9001"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000"),
        (400, "The input token count (99) exceeds the maximum number of tokens allowed (9)."),
        (400, "Your input exceeds the context window of this model. Please adjust your input"),
        (400, "too large for model with 32768 maximum context length"),
        (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4097"),
        (400, "This model's maximum prompt length is 131072 but the request contains 537812"),
        (400, "Your request exceeded model token limit: 8192"),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096"),
        (400, "Current length is 9000 while limit is 8192"),
        (413, "request entity too large"),
        (413, "whatever"),
        (429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 51234"),
        (400, "输入内容过长"),
        (400, "请求超过模型的最大上下文长度"),
    ],
)
def test_a_request_that_is_too_long_is_told(status: int, text: str) -> None:
    assert named(status, text).failure is FailureClass.CONTEXT_LENGTH


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "Your request was rejected as a result of our safety system."),
        (400, "Content Exists Risk"),
        (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"),
        (400, "The request was rejected because it was considered high risk"),
        (400, "Input data may contain inappropriate content."),
        (400, "Output blocked by content filtering policy"),
        (400, "your prompt was flagged as potentially violating our usage policy"),
        (498, "blocked input: please refer to our Usage Guidelines"),
        (400, "您的输入包含敏感词"),
    ],
)
def test_a_refusal_by_policy_is_told(status: int, text: str) -> None:
    found = named(status, text)

    assert found.failure is FailureClass.CONTENT_FILTER
    assert found.retry_elsewhere is False


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, "No endpoints found that support tool use."),
        (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        (400, "Function calling is not enabled for models/gemma-3-27b-it"),
        (400, 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'),
        (500, "tools param requires --jinja flag"),
        (422, "Extra inputs are not permitted"),
        (400, "Unsupported parameter: 'max_tokens'"),
        (400, "Expected last role User or Tool for serving but got assistant"),
    ],
)
def test_what_another_may_take_is_offered_to_another(status: int, text: str) -> None:
    found = named(status, text)

    assert found.failure is FailureClass.BAD_REQUEST
    assert found.retry_elsewhere is True


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens must be less than 429",
        "the field 'quota' is not of type string",
        "Invalid value for 'content': the token is not a string",
        "messages.0.role: must be one of user, assistant",
        "temperature: must be at most 2",
        "No tool output found for tool call call-a.",
    ],
)
def test_an_ordinary_mistake_of_the_client_stays_one(text: str) -> None:
    found = named(400, text, "invalid_request_error")

    assert found.failure is FailureClass.BAD_REQUEST
    assert found.retry_elsewhere is False


def test_every_row_is_about_the_request() -> None:
    about = {sign.failure for sign in (*CONTENT_SIGNS, *SIZE_SIGNS, *FEATURE_SIGNS)}

    assert about == {
        FailureClass.CONTENT_FILTER,
        FailureClass.CONTEXT_LENGTH,
        FailureClass.BAD_REQUEST,
    }

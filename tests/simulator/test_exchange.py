"""What a request carries."""

from __future__ import annotations

import pytest

from tests.simulator.asking import a_request


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("authorization", "Bearer sk-1", "sk-1"),
        ("authorization", "sk-1", "sk-1"),
        ("x-api-key", "sk-2", "sk-2"),
        ("x-goog-api-key", "sk-3", "sk-3"),
        ("cookie", "sk-4", ""),
    ],
)
def test_a_key_is_found_wherever_clients_put_it(name: str, value: str, key: str) -> None:
    assert a_request(headers=((name, value),)).key == key


def test_a_path_is_the_target_without_its_query() -> None:
    assert a_request(path="/v1/models?limit=1").path == "/v1/models"

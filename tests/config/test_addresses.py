"""What of hosts and URLs is this machine, and where a credential belongs."""

from __future__ import annotations

import pytest

from spillover.config.addresses import address_of, is_loopback, is_loopback_host, origin, under


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.example.com/v1", "https://api.example.com:443"),
        ("http://x/v1", "http://x:80"),
        ("http://x:8080/v1", "http://x:8080"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1",
        "http://a.localhost",
        "http://127.0.0.1/",
        "http://127.9.9.9",
        "http://[::1]:1",
    ],
)
def test_loopback_is_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1",
        "http://0.0.0.0:1",
        "https://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "",
    ],
)
def test_nothing_else_is_loopback(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "LOCALHOST."]
)
def test_a_host_may_be_this_machines_own(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "10.0.0.1", "a.localhost", "127.0.0.1.nip.io"])
def test_no_other_host_is_taken_for_it(host: str) -> None:
    assert not is_loopback_host(host)


def test_a_mapped_address_is_what_it_maps_to() -> None:
    assert str(address_of("::ffff:10.0.0.1")) == "10.0.0.1"
    assert address_of("example.com") is None


@pytest.mark.parametrize(
    ("base_url", "path", "url"),
    [
        ("https://x/v1", "/messages", "https://x/v1/messages"),
        ("https://x/v1/", "/messages", "https://x/v1/messages"),
        ("https://x/v1?a=1", "/messages", "https://x/v1/messages?a=1"),
        ("https://x/v1", "/m?alt=sse", "https://x/v1/m?alt=sse"),
        ("https://x/v1?a=1", "/m?alt=sse", "https://x/v1/m?a=1&alt=sse"),
    ],
)
def test_a_path_goes_below_an_address_and_queries_are_joined(
    base_url: str, path: str, url: str
) -> None:
    assert under(base_url, path) == url

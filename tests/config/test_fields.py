"""The kinds of values that settings hold."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from spillover.config import fields
from spillover.config.findings import Faults
from spillover.config.secrets import MissingSecret, Secret
from spillover.core.chains import Caching, CooldownRule, Failback
from spillover.core.notices import NoticeKind
from spillover.core.values import FailureClass


def read(kind: Any, written: object) -> Any:
    adapter = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    return adapter.validate_python(written)


def faults(kind: Any, written: object) -> list[tuple[tuple[str | int, ...], object, str | None]]:
    """Where a value is wrong inside, what stands there, and the nearest name."""
    with pytest.raises(ValidationError) as refused:
        read(kind, written)
    (detail,) = refused.value.errors()
    error = detail["ctx"]["error"]
    assert isinstance(error, Faults)
    return [(fault.path, fault.found, fault.nearest) for fault in error.faults]


def refusal(kind: Any, written: object) -> str:
    with pytest.raises(ValidationError) as refused:
        read(kind, written)
    return str(refused.value.errors()[0]["msg"])


@pytest.mark.parametrize("text", ["llama 3", "中文-模型", "a/b:free@x", 4], ids=repr)
def test_a_line_is_what_a_terminal_bears(text: object) -> None:
    assert read(fields.Line, text) == str(text)


@pytest.mark.parametrize(
    "text", ["a\x1b[31mb", "a\nb", "a\x00b", "a\x9bb", "\ud800", "a\u202eb", ""], ids=ascii
)
def test_control_characters_are_refused_in_a_line(text: str) -> None:
    refusal(fields.Line, text)


@pytest.mark.parametrize("name", ["groq", "5", "a.b-c_d", "x" * 64, 5], ids=repr)
def test_names_are_letters_digits_and_a_little_more(name: object) -> None:
    assert read(fields.Name, name) == str(name)


@pytest.mark.parametrize(
    "name", ["", "-a", ".a", "a b", "a/b", "x" * 65, "é", None, True], ids=repr
)
def test_other_names_are_refused(name: object) -> None:
    refusal(fields.Name, name)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1/",
        "http://127.0.0.1:9001/v1",
        "http://[::1]:9001",
        "https://x.example/openai?api-version=1",
    ],
)
def test_addresses_lose_their_last_slash(url: str) -> None:
    assert read(fields.Url, url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://x",
        "file:///etc/passwd",
        "https://",
        "http://x:99999",
        "http://x:0",
        "https://user:pass@x",
        "https://x y",
        "https://x/#part",
        5,
        None,
    ],
    ids=repr,
)
def test_what_is_no_address_is_refused(url: object) -> None:
    assert "text" in refusal(fields.Url, url) or "an address such as" in refusal(fields.Url, url)


def test_a_credential_may_be_nothing_or_missing() -> None:
    missing = MissingSecret("x is not set")

    assert read(fields.Credential, None) is None
    assert read(fields.Credential, missing) is missing
    assert read(fields.Credential, "sk-1") == Secret("sk-1")
    assert refusal(fields.Credential, []) == "text"


@pytest.mark.parametrize("key", [None, "", Secret("")], ids=repr)
def test_a_clients_key_is_never_empty(key: object) -> None:
    refusal(fields.Key, key)


def test_a_clients_key_may_be_missing() -> None:
    missing = MissingSecret("CK is not set")

    assert read(fields.Key, missing) is missing


def test_a_phase_takes_more_than_no_time() -> None:
    assert read(fields.Pause, "5s") == 5.0
    assert refusal(fields.Pause, "0s") == "a duration of more than 0"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("immediate", Failback()),
        ("sticky", Failback(sticky=True)),
        ({"after": "5m"}, Failback(after_s=300.0)),
    ],
    ids=str,
)
def test_failback_has_three_forms(written: object, expected: Failback) -> None:
    assert read(fields.FailbackField, written) == expected


@pytest.mark.parametrize(
    "written", ["later", {"before": "5m"}, {"after": "5m", "x": 1}, 5], ids=str
)
def test_other_failbacks_are_refused(written: object) -> None:
    assert refusal(fields.FailbackField, written) == "immediate, sticky or {after: 5m}"


def test_an_exhausted_chain_fails_or_waits() -> None:
    assert read(fields.WhenExhausted, "fail") == 0.0
    assert read(fields.WhenExhausted, {"wait": "30s"}) == 30.0
    assert refusal(fields.WhenExhausted, "wait") == "fail or {wait: 30s}"


@pytest.mark.parametrize(
    ("kind", "written", "path", "found"),
    [
        (fields.FailbackField, {"after": "soon"}, ("after",), "soon"),
        (fields.WhenExhausted, {"wait": "x"}, ("wait",), "x"),
        (fields.Cooldowns, {"fixed": "x"}, ("fixed",), "x"),
        (fields.Cooldowns, {"timeout": {"fixed": "x"}}, ("timeout", "fixed"), "x"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_value_inside_a_setting_is_named_with_its_key(
    kind: Any, written: object, path: tuple[str, ...], found: str
) -> None:
    assert faults(kind, written) == [(path, found, None)]


def test_everything_wrong_by_failure_class_is_told_at_once() -> None:
    assert faults(fields.Retries, {"server_eror": 2, "timeout": -1}) == [
        (("server_eror",), "server_eror", "server_error"),
        (("timeout",), -1, None),
    ]
    assert faults(fields.Cooldowns, {"overload": "30s", "timeout": "x"}) == [
        (("overload",), "overload", "overloaded"),
        (("timeout",), "x", None),
    ]


def test_retries_are_counted_by_failure_class() -> None:
    assert read(fields.Retries, {"server_error": 2}) == {FailureClass.SERVER_ERROR: 2}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"server_eror": 1}, "a failure class: "),
        ({"server_error": 11}, "0 to 10"),
        ({"server_error": -1}, "0 to 10"),
        ({"server_error": True}, "0 to 10"),
        (2, "by failure class"),
    ],
    ids=str,
)
def test_other_retries_are_refused(written: object, expected: str) -> None:
    assert expected in refusal(fields.Retries, written)


def test_a_cooldown_is_for_all_classes_or_by_class() -> None:
    assert read(fields.Cooldowns, "5m") == dict.fromkeys(FailureClass, CooldownRule(wait_s=300.0))
    assert read(fields.Cooldowns, {"fixed": "5m"}) == dict.fromkeys(
        FailureClass, CooldownRule(wait_s=300.0, fixed=True)
    )
    assert read(fields.Cooldowns, {"overloaded": "30s", "timeout": {"fixed": "1m"}}) == {
        FailureClass.OVERLOADED: CooldownRule(wait_s=30.0),
        FailureClass.TIMEOUT: CooldownRule(wait_s=60.0, fixed=True),
    }


@pytest.mark.parametrize(
    "written", ["soon", {"overloded": "30s"}, {"overloaded": {"fix": "1m"}}, 5], ids=str
)
def test_other_cooldowns_are_refused(written: object) -> None:
    refusal(fields.Cooldowns, written)


@pytest.mark.parametrize("written", ["sqlite", "memory", "sqlite:///tmp/x.db"])
def test_storage_is_a_file_or_memory(written: str) -> None:
    assert read(fields.Storage, written) == written


@pytest.mark.parametrize("written", ["redis://x", "rediss://x", "valkey://x"])
def test_redis_and_valkey_are_not_in_this_version(written: str) -> None:
    assert "not in this version" in refusal(fields.Storage, written)


@pytest.mark.parametrize("written", ["postgres://x", "sqlite:///", "sqlite3"])
def test_other_storages_are_refused(written: str) -> None:
    assert refusal(fields.Storage, written) == "sqlite, sqlite:///path or memory"


@pytest.mark.parametrize("written", ["desktop", "ntfy://topic", "https://x.example/hook"])
def test_notifications_go_to_the_desktop_or_an_address(written: str) -> None:
    assert read(fields.NotifyAddress, Secret(written)) == Secret(written)


@pytest.mark.parametrize("written", ["phone", "ntfy:topic", "a b://c"])
def test_other_notifications_are_refused(written: str) -> None:
    assert "desktop, or an address" in refusal(fields.NotifyAddress, written)


@pytest.mark.parametrize("written", ["faild", "test", None, 5])
def test_only_what_is_told_can_be_asked_for(written: object) -> None:
    assert refusal(fields.Told, written).startswith("one of cooldown, recovered, fallback")
    assert read(fields.Told, "failed") is NoticeKind.FAILED


def test_headers_have_names_and_are_not_the_requests_own() -> None:
    assert read(fields.Header, "X-Title") == "X-Title"
    for name in ("Host", "content-length", "a b", "x:y", "a\nb"):
        assert "the name of a header" in refusal(fields.Header, name)


@pytest.mark.parametrize(
    ("written", "caching"),
    [
        (None, None),
        ("10m", Caching(ttl_s=600.0)),
        ({"ttl": "1h"}, Caching(ttl_s=3_600.0)),
        ({"ttl": "1h", "max_size": "8MB"}, Caching(ttl_s=3_600.0, most_bytes=8_000_000)),
    ],
)
def test_a_cache_is_a_time_and_a_size(written: object, caching: Caching | None) -> None:
    assert read(fields.CacheField, written) == caching


@pytest.mark.parametrize("written", ["0s", "soon", True, ["10m"]])
def test_other_caches_are_refused(written: object) -> None:
    assert "a duration such as 10m" in refusal(fields.CacheField, written)


def test_a_cache_names_what_is_wrong_within() -> None:
    assert faults(fields.CacheField, {"max_sise": 1}) == [
        (("max_sise",), "max_sise", "max_size"),
        (("ttl",), None, None),
    ]
    assert faults(fields.CacheField, {"ttl": "soon"}) == [(("ttl",), "soon", None)]


def test_a_request_may_be_given_any_header_but_its_own() -> None:
    names = ["X-Team", "Host", "two words", ""]

    assert [name for name in names if fields.is_header(name)] == ["X-Team"]

"""Variables, key rings and files in the place of what names them."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.config.expansion import Expanded, Unset, expand, expand_document, from_keyring
from spillover.config.secrets import MissingSecret, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRON = {"NAME": "value", "EMPTY": "", "TRICKY": "${NAME} # {a: b}"}


def expanded(document: Any, folder: Path = Path()) -> Expanded:
    return expand_document(document, ENVIRON, folder=folder)


def the_key(document: str, folder: Path = Path()) -> Any:
    """What an `api_key` expands to."""
    found = expanded({"profiles": {"p": {"api_key": document}}}, folder)
    return found.document["profiles"]["p"]["api_key"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${NAME}", "value"),
        ("a ${NAME} b ${NAME}", "a value b value"),
        ("${NOBODY:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY:-}", ""),
        ("${NAME:-other}", "value"),
        ("$$", "$"),
        ("$${NAME}", "${NAME}"),
        ("costs $5", "costs $5"),
        ("plain", "plain"),
        ("${TRICKY}", "${NAME} # {a: b}"),
    ],
)
def test_variables_are_put_in_place_once(written: str, expected: str) -> None:
    assert expand(written, ENVIRON) == expected


def test_an_unset_or_empty_variable_without_default_is_told_by_name() -> None:
    with pytest.raises(Unset, match="NOBODY is not set"):
        expand("${NOBODY}", ENVIRON)
    with pytest.raises(Unset, match="EMPTY is not set"):
        expand("${EMPTY}", ENVIRON)


@pytest.mark.parametrize("written", ["${}", "${1x}", "${NAME", "${NAME-x}", "${a b}"])
def test_a_malformed_variable_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"\$\{VARIABLE\}"):
        expand(written, ENVIRON)


@given(st.text())
def test_text_with_doubled_dollars_comes_back_as_it_was(text: str) -> None:
    assert expand(text.replace("$", "$$"), {}) == text


def test_only_values_are_expanded_never_keys() -> None:
    found = expanded({"${NAME}": ["${NAME}", {"a": "${NAME}"}], "number": 5})

    assert found.document == {"${NAME}": ["value", {"a": "value"}], "number": 5}


def test_every_unset_variable_is_told_with_its_place() -> None:
    found = expanded({"a": "${NOBODY}", "b": ["${NOBODY2}", "${"]})

    assert [(fault.path, fault.expected) for fault in found.faults] == [
        (("a",), "the environment variable NOBODY to be set"),
        (("b", 0), "the environment variable NOBODY2 to be set"),
        (("b", 1), "${VARIABLE} or ${VARIABLE:-default}"),
    ]


def test_credentials_become_secrets() -> None:
    assert the_key("${NAME}") == Secret("value")
    assert the_key("literal") == Secret("literal")
    assert the_key("${EMPTY:-}") is None


@pytest.mark.parametrize("server", [{"admin_key": "${NOBODY}"}, {"client_keys": ["${NOBODY}"]}])
def test_a_missing_key_of_the_gateway_is_no_fault(server: dict[str, Any]) -> None:
    assert expanded({"server": server}).faults == ()


def test_a_missing_key_of_an_upstream_is_no_fault() -> None:
    found = expanded({"accounts": {"a": {"api_key": "${NOBODY}"}}})

    assert found.document["accounts"]["a"]["api_key"] == MissingSecret("NOBODY is not set")
    assert found.faults == ()


@pytest.mark.parametrize(
    "document",
    [
        {"notify": ["${NOBODY}"]},
        {"profiles": {"p": {"headers": {"x": "${NOBODY}"}}}},
    ],
    ids=str,
)
def test_any_other_missing_secret_is_a_fault(document: dict[str, Any]) -> None:
    (fault,) = expanded(document).faults

    assert fault.found == "NOBODY is not set"


def test_a_malformed_variable_in_a_key_is_a_fault() -> None:
    (fault,) = expanded({"profiles": {"p": {"api_key": "${"}}}).faults

    assert fault.path == ("profiles", "p", "api_key")


@pytest.mark.parametrize(
    "written", ["$ACME_API_KEY", "{ACME_API_KEY}", "ACME_API_KEY", " $ACME_API_KEY "]
)
def test_a_variable_that_is_only_named_is_no_key(written: str) -> None:
    found = expanded({"profiles": {"p": {"api_key": written}}})

    (fault,) = found.faults
    assert fault.found == repr(written)
    assert fault.expected == "${ACME_API_KEY}, which stands for that variable's value"
    assert found.document == {"profiles": {"p": {"api_key": None}}}


@pytest.mark.parametrize(
    "written", ["sk-abc", "ACME", "$$ACME_API_KEY", "acme_api_key", "Bearer x", "A5DF_KEY9"]
)
def test_what_may_be_a_key_is_taken_as_one(written: str) -> None:
    assert the_key(written).reveal() == written.replace("$$", "$")


def test_a_secret_may_stand_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "groq.key"
    file.write_text("gsk_from-a-file\n")
    file.chmod(0o600)

    found = expand_document(
        {"profiles": {"p": {"api_key": "file:groq.key"}}}, ENVIRON, folder=tmp_path
    )

    assert found.document["profiles"]["p"]["api_key"] == Secret("gsk_from-a-file")
    assert found.files == (file,)
    assert found.warnings == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "groq.key"
    file.write_text("gsk_from-a-file")
    file.chmod(0o644)

    found = expand_document(
        {"profiles": {"p": {"api_key": "file:groq.key"}}}, ENVIRON, folder=tmp_path
    )

    (warning,) = found.warnings
    assert "chmod 600 groq.key" in warning.expected


def test_a_file_that_is_not_there_or_empty_means_a_missing_key(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")

    assert "can't be read" in the_key("file:nobody", tmp_path).wanted
    assert "is empty" in the_key("file:empty", tmp_path).wanted


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xff\xfe", "UTF-8"), (b"x" * 70_000, "64 KiB at most")],
    ids=["not text", "huge"],
)
def test_a_file_that_holds_no_secret_is_a_fault(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    (tmp_path / "key").write_bytes(content)

    (fault,) = expand_document(
        {"profiles": {"p": {"api_key": "file:key"}}}, ENVIRON, folder=tmp_path
    ).faults

    assert expected in fault.expected


@pytest.fixture
def key_ring() -> Iterator[dict[str, str]]:
    """Put a key ring of our own in the place of the machine's."""
    keyring = pytest.importorskip("keyring")
    backend = pytest.importorskip("keyring.backend")
    held: dict[str, str] = {}

    class Ring(backend.KeyringBackend):  # type: ignore[name-defined,misc]
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            if username == "broken":
                raise keyring.errors.KeyringError("locked")
            return held.get(f"{service}/{username}")

        def set_password(self, service: str, username: str, password: str) -> None:
            held[f"{service}/{username}"] = password

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield held
    keyring.set_keyring(before)


def test_a_secret_may_stand_in_the_key_ring(key_ring: dict[str, str]) -> None:
    key_ring["spillover/groq"] = "gsk_from-the-ring"

    assert the_key("keyring:groq") == Secret("gsk_from-the-ring")


def test_a_name_that_the_key_ring_does_not_hold_means_a_missing_key(
    key_ring: dict[str, str],
) -> None:
    assert "holds no 'nobody'" in the_key("keyring:nobody").wanted


def test_a_key_ring_that_does_not_answer_is_a_fault(key_ring: dict[str, str]) -> None:
    (fault,) = expanded({"profiles": {"p": {"api_key": "keyring:broken"}}}).faults

    assert "a key ring that answers (locked)" in fault.expected


def test_without_the_extra_a_key_ring_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", types.ModuleType("keyring"))
    monkeypatch.setitem(sys.modules, "keyring.errors", None)

    with pytest.raises(ValueError, match=r"pip install \"spillover\[keyring\]\""):
        from_keyring("groq")

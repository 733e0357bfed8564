"""A key that comes with an edit goes where it may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.config.grants import (
    GivenKey,
    KeyKind,
    check_grant,
    key_settings,
    read_key,
    secret_of,
)
from spillover.config.loader import load_document
from spillover.config.secrets import Secret
from spillover.errors import EditRefused, RequestError
from tests.config.rings import ring_in_use

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {"GROQ_API_KEY": "gsk_0123456789abc", "OTHER": "other-0123456789"}


def key(given: object) -> GivenKey:
    found = read_key(given)
    assert found is not None
    return found


def loaded_with(**profile: Any) -> Any:
    others = {"away": {"base_url": "https://away.example/v1", "model": "m", "api_key": "keyring:a"}}
    document = {"profiles": {"p": {"model": "m", **profile}, **others}}
    return load_document(document, environ=ENVIRON)


@pytest.mark.parametrize(
    ("given", "kind"),
    [({"env": "A_KEY"}, "env"), ({"keyring": "a@b"}, "keyring"), ({"paste": "sk-1"}, "paste")],
)
def test_a_key_is_given_in_one_of_three_ways(given: object, kind: str) -> None:
    assert key(given).kind is KeyKind(kind)
    assert read_key(None) is None


@pytest.mark.parametrize(
    "given",
    ["sk-secret", {}, {"env": "A", "paste": "b"}, {"file": "/x"}, {"env": 5}, {"env": "A}${B"},
     {"keyring": "../x y"}, {"keyring": ""}],
    ids=str,
)  # fmt: skip
def test_any_other_way_is_refused_without_repeating_it(given: object) -> None:
    with pytest.raises(RequestError) as raised:
        read_key(given)

    assert "secret" not in str(raised.value)


def test_the_file_refers_to_a_key_and_never_holds_one(tmp_path: Path) -> None:
    pasted = key({"paste": "gsk_pasted-0123456789"})
    with ring_in_use() as ring:
        reference = pasted.reference("p", folder=tmp_path)
        pasted.drop(reference, folder=tmp_path)

        assert ring.held == {}
    assert reference.startswith("keyring:p-")
    assert key({"env": "A"}).reference("p", folder=tmp_path) == "${A}"
    assert key({"keyring": "a"}).reference("p", folder=tmp_path) == "keyring:a"
    key({"env": "A"}).drop("${A}", folder=tmp_path)
    assert (key_settings("${A}"), key_settings(None)) == ({"api_key": "${A}"}, {})


@pytest.mark.parametrize(
    ("given", "profile"),
    [
        ({"env": "GROQ_API_KEY"}, {"provider": "groq"}),
        ({"env": "GROQ_API_KEY"}, {"provider": "groq", "base_url": "https://api.groq.com/v9"}),
        ({"keyring": "mine"}, {"provider": "groq"}),
        ({"paste": "x"}, {"base_url": "https://anywhere.example"}),
    ],
    ids=str,
)
def test_a_key_goes_to_its_own_provider(given: object, profile: dict[str, Any]) -> None:
    with ring_in_use():
        check_grant(loaded_with(**profile), "p", key(given))


@pytest.mark.parametrize(
    ("given", "profile"),
    [
        ({"env": "OTHER"}, {"provider": "groq"}),
        ({"env": "GROQ_API_KEY"}, {"provider": "openai"}),
        ({"env": "GROQ_API_KEY"}, {"provider": "groq", "base_url": "https://evil.example"}),
        ({"env": "GROQ_API_KEY"}, {"provider": "groq", "base_url": "http://api.groq.com"}),
        ({"env": "GROQ_API_KEY"}, {"base_url": "https://api.groq.com"}),
        ({"keyring": "mine"}, {"base_url": "https://evil.example"}),
        ({"keyring": "a"}, {"provider": "groq"}),
    ],
    ids=str,
)
def test_and_to_nobody_else(given: object, profile: dict[str, Any]) -> None:
    with ring_in_use(), pytest.raises(EditRefused) as raised:
        check_grant(loaded_with(**profile), "p", key(given))

    assert (raised.value.status, raised.value.code) == (403, "not_by_api")


def test_a_provider_is_asked_with_its_own_key_alone() -> None:
    groq = load_catalogue().providers["groq"]
    with ring_in_use() as ring:
        ring.held = {("spillover", "mine"): "ring-key", ("spillover", "a"): "away-key"}
        loaded = loaded_with(provider="groq", api_key="keyring:mine")

        def asked(given: object) -> Secret | None:
            return secret_of(read_key(given), groq, loaded, loaded.environ)

        assert asked(None) is None
        assert asked({"paste": "x"}) == Secret("x")
        assert asked({"env": "GROQ_API_KEY"}) == Secret("gsk_0123456789abc")
        assert asked({"keyring": "mine"}) == Secret("ring-key")
        for given in ({"env": "OTHER"}, {"keyring": "a"}):
            with pytest.raises(EditRefused):
                asked(given)
        with pytest.raises(RequestError, match="holds no"):
            asked({"keyring": "nobody"})
        with pytest.raises(RequestError, match="is not set"):
            secret_of(read_key({"env": "GROQ_API_KEY"}), groq, loaded, {})

"""What is for the file alone can't be edited over HTTP, whatever detour it takes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config.guard import (
    bindings,
    origin_of,
    own_origin,
    refuse_foreign,
    refuse_rebinding,
)
from spillover.config.loader import load_document
from spillover.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT: dict[str, Any] = {
    "server": {"port": 4400, "admin_key": "${ADMIN}"},
    "accounts": {"lab": {"base_url": "https://lab.example/v1", "api_key": "${LAB_KEY}"}},
    "profiles": {
        "groq": {"provider": "groq", "api_key": "${GROQ_API_KEY}", "limits": "free"},
        "lab": {"account": "lab", "model": "m"},
        "own": {
            "base_url": "https://${HOST}/v1",
            "model": "m",
            "headers": {"x-key": "${X_KEY}"},
            "upstream": {"command": ["serve"]},
        },
    },
    "chains": {"default": ["groq", "lab"]},
    "notify": ["ntfy://${TOPIC}", "desktop"],
}
ENVIRON = {
    "GROQ_API_KEY": "gsk_0123456789abc",
    "LAB_KEY": "lab-key-0123456789",
    "X_KEY": "x-key-0123456789",
    "HOST": "own.example",
    "TOPIC": "topic",
    "ADMIN": "admin",
}


def profile(name: str, **settings: Any) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        document["profiles"].setdefault(name, {}).update(settings)

    return edit


def edited(edit: Callable[[Any], object]) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    edit(document)
    return document


ALLOWED: dict[str, Callable[[Any], object]] = {
    "settings": profile("groq", title="$fast", limits={"requests_per_day": 5}),
    "a profile": profile("new", provider="groq", model="m"),
    "the key that is given": profile("new", provider="groq", api_key="${GIVEN}"),
    "a key that goes": lambda document: document["profiles"]["groq"].pop("api_key"),
    "one profile less": lambda document: document["profiles"].pop("own"),
    "notices in another order": lambda document: document["notify"].reverse(),
    "policy": lambda document: document.update(routing_policy="any", privacy=True),
    "a word that is no reference here": profile("new", title="file:x"),
}
REFUSED: dict[str, Callable[[Any], object]] = {
    "server": lambda document: document["server"].update(host="0.0.0.0"),
    "no server": lambda document: document.pop("server"),
    "storage": lambda document: document.update(storage="memory"),
    "account": lambda document: document["accounts"]["lab"].update(base_url="https://evil.example"),
    "new account": lambda document: document["accounts"].update(x={"provider": "groq"}),
    "command": lambda document: document["profiles"]["own"]["upstream"].update(command=["rm"]),
    "new command": profile("new", upstream={"command": ["rm"]}),
    "headers": profile("groq", headers={"x": "y"}),
    "key": profile("groq", api_key="sk-other"),
    "another's key": profile("new", provider="openai", api_key="${GROQ_API_KEY}"),
    "variable": profile("groq", title="${HOME}"),
    "variable in a list": profile("groq", alternatives=["a", "b${HOME}"]),
    "variable in a mapping": profile("groq", limits={"tokens_per_hour": "${HOME}"}),
    "variable of another setting": profile("groq", title="${HOST}"),
    "variable in a chain": lambda document: document["chains"].update(
        x={"profiles": ["groq"], "title": "${HOME}"}
    ),
    "variable in an alias": lambda document: document.update(aliases={"x": "${HOME}"}),
    "file to notify": lambda document: document["notify"].append("file:/etc/passwd"),
    "ring to notify": lambda document: document["notify"].append("keyring:groq"),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_users_steer_may_be_edited(case: str) -> None:
    refuse_foreign(DOCUMENT, edited(ALLOWED[case]), granted="${GIVEN}")


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_for_the_file_alone_is_refused(case: str) -> None:
    with pytest.raises(EditRefused) as raised:
        refuse_foreign(DOCUMENT, edited(REFUSED[case]), granted="${GIVEN}")

    assert (raised.value.status, raised.value.code) == (403, "not_by_api")


def test_every_credential_is_bound_to_the_origin_it_goes_to() -> None:
    document = edited(lambda document: document["profiles"]["own"].pop("upstream"))
    loaded = load_document(document, environ=ENVIRON)

    assert bindings(loaded) == {
        ("${GROQ_API_KEY}", "https://api.groq.com:443"),
        ("${LAB_KEY}", "https://lab.example:443"),
        ("${X_KEY}", "https://own.example:443"),
    }
    assert own_origin(loaded, "groq") == origin_of(loaded, "groq") == "https://api.groq.com:443"
    assert own_origin(loaded, "own") is None


def test_a_credential_goes_nowhere_new_unless_it_is_given() -> None:
    old = {("${A}", "https://a:443"), ("${B}", "https://b:443")}

    refuse_rebinding(old, {("${A}", "https://a:443")}, granted=None)
    refuse_rebinding(old, old | {("keyring:new", "https://c:443")}, granted="keyring:new")
    with pytest.raises(EditRefused, match=r"https://b:443") as raised:
        refuse_rebinding(old, {("${A}", "https://b:443")}, granted=None)

    assert raised.value.code == "key_needed"

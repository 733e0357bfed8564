"""The gateway's own settings, and where it may listen without keys."""

from __future__ import annotations

import pytest

from spillover.config.addresses import is_loopback_host
from spillover.config.loader import load_document
from spillover.config.secrets import MissingSecret, Secret
from spillover.errors import ConfigError
from spillover.gateway.settings import Settings

PROFILES = {"one": {"base_url": "http://localhost:1/v1", "model": "m"}}


def settings_of(**server: object) -> Settings:
    loaded = load_document(
        {"server": server, "profiles": PROFILES}, environ={"CLIENT": "client-key", "ADMIN": "admin"}
    )
    return Settings.of(loaded.config.server)


def test_settings_are_those_of_the_configuration() -> None:
    settings = settings_of(
        host="0.0.0.0",
        port=5_000,
        max_body="1MB",
        allowed_hosts=["llm.example"],
        client_keys=["${CLIENT}"],
        admin_key="${ADMIN}",
    )

    assert settings == Settings(
        host="0.0.0.0",
        port=5_000,
        max_body=1_000_000,
        allowed_hosts=("llm.example",),
        client_keys=(Secret("client-key"),),
        admin_key=Secret("admin"),
    )


def test_the_command_line_wins_over_the_configuration() -> None:
    server = load_document({"profiles": PROFILES}, environ={}).config.server

    settings = Settings.of(server, host="::1", port=0)

    assert (settings.host, settings.port) == ("::1", 0)


def test_an_admin_key_that_is_missing_still_guards() -> None:
    assert Settings(admin_key=MissingSecret("ADMIN is not set")).is_guarded


def test_without_keys_nothing_is_guarded() -> None:
    assert not Settings().is_guarded


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "0:0:0:0:0:0:0:1", "localhost", "LOCALHOST."]
)
def test_an_address_of_this_machine_alone_needs_no_keys(host: str) -> None:
    Settings(host=host).check()

    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "::",
        "",
        "192.168.1.5",
        "fe80::1",
        "llm.example",
        "localhost.example",
        "127.0.0.1.nip.io",
    ],
)
def test_any_other_address_is_refused_without_client_keys(host: str) -> None:
    with pytest.raises(ConfigError, match="client_keys"):
        Settings(host=host).check()


def test_any_address_is_taken_with_client_keys() -> None:
    Settings(host="0.0.0.0", client_keys=(Secret("a-key"),)).check()

"""What the gateway was told of itself: where it listens, how much it reads, who may call.

Refuses to know files and how keys are written in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spillover.config.addresses import is_loopback_host
from spillover.config.schema import Server
from spillover.errors import ConfigError, Problem

if TYPE_CHECKING:
    from spillover.config.secrets import MissingSecret, Secret
    from spillover.core.levels import LogLevel

_USUAL: Final = Server()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The `server:` part of a configuration, with what a command line put over it."""

    host: str = _USUAL.host
    port: int = _USUAL.port
    max_body: int = _USUAL.max_body
    """Bytes of a request body, packed and unpacked."""
    allowed_hosts: tuple[str, ...] = ()
    """Names, besides this machine's own, under which clients may call."""
    client_keys: tuple[Secret | MissingSecret, ...] = ()
    """Keys that open the protocol routes; none: everyone who reaches them may call. A missing one
    was asked for and not found: it opens nothing."""
    admin_key: Secret | MissingSecret | None = None
    """Opens everything else, as soon as there are client keys or this key. A missing one was asked
    for and not found: nothing opens what it guards."""
    log_level: LogLevel = _USUAL.log_level
    """What is logged: this and what matters more."""

    @classmethod
    def of(cls, server: Server, *, host: str | None = None, port: int | None = None) -> Settings:
        """Return the settings of a configuration; `host` and `port` win over its own."""
        return cls(
            host=host or server.host,
            port=server.port if port is None else port,
            max_body=server.max_body,
            allowed_hosts=server.allowed_hosts,
            client_keys=server.client_keys,
            admin_key=server.admin_key,
            log_level=server.log_level,
        )

    @property
    def is_guarded(self) -> bool:
        """Whether any key is asked for."""
        return bool(self.client_keys) or self.admin_key is not None

    def check(self) -> None:
        """Raise `ConfigError` when others could reach the gateway without a key."""
        if is_loopback_host(self.host) or self.client_keys:
            return
        raise ConfigError(
            (
                Problem(
                    file="",
                    key="server.host",
                    found=f"{self.host!r} without client_keys",
                    expected="127.0.0.1, or client_keys and admin_key: others can reach this address",
                ),
            )
        )

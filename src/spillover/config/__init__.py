"""Read `spillover.yaml`, say everything that is wrong with it, and turn it into what runs.

The names below are loaded when they are first used: pydantic and the YAML parser cost a tenth of a
second that `import spillover` must not pay. Refuses to serve anything.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spillover.config.assemble import assemble
    from spillover.config.loader import LoadedConfig, load, load_document
    from spillover.config.locate import config_path, state_folder
    from spillover.config.routing import Alias, Endpoint, Routing
    from spillover.config.schema import Config, json_schema
    from spillover.config.secrets import Redactor, Secret

_HOMES = {
    "Alias": "routing",
    "Config": "schema",
    "Endpoint": "routing",
    "LoadedConfig": "loader",
    "Redactor": "secrets",
    "Routing": "routing",
    "Secret": "secrets",
    "assemble": "assemble",
    "config_path": "locate",
    "json_schema": "schema",
    "load": "loader",
    "load_document": "loader",
    "state_folder": "locate",
}

__all__ = [
    "Alias",
    "Config",
    "Endpoint",
    "LoadedConfig",
    "Redactor",
    "Routing",
    "Secret",
    "assemble",
    "config_path",
    "json_schema",
    "load",
    "load_document",
    "state_folder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

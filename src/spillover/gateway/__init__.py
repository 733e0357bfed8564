"""Put the engine behind HTTP: proxy routes, admin API, access, metrics, and the server itself."""

from spillover.gateway.app import Gateway
from spillover.gateway.settings import Settings

__all__ = ["Gateway", "Settings"]

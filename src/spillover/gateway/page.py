"""Show a person who opens the gateway in a browser that it runs, what serves, and where to look.

One page without scripts. Refuses to change anything.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from spillover.gateway.routes import Inquiry

_HEADERS: Final = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 46rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem .3rem 0; text-align: left }
code { background: #8882; padding: .1rem .3rem }
:root { color-scheme: light dark }
"""


async def front_page(inquiry: Inquiry) -> None:
    """Answer the page."""
    await inquiry.visit.answer(200, _HEADERS, _page(inquiry.engine.status()).encode())


def _page(status: dict[str, Any]) -> str:
    chains = "".join(
        _row(name, chain["serving"] or "nothing can serve now", ", ".join(chain["profiles"]))
        for name, chain in status["chains"].items()
    )
    profiles = "".join(
        _row(name, profile["status"], profile["reason"] or "", profile["until"] or "")
        for name, profile in status["profiles"].items()
    )
    links = " · ".join(
        f'<a href="{path}">{path}</a>'
        for path in ("/api/status", "/api/events/recent", "/v1/models", "/health", "/metrics")
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Spillover</title>'
        f"<style>{_STYLE}</style><h1>Spillover {escape(status['version'])} is running</h1>"
        f"<p>Point any OpenAI client at <code>/v1</code> of this address.</p>"
        f"<table><tr><th>chain</th><th>serves now</th><th>profiles</th></tr>{chains}</table>"
        f"<table><tr><th>profile</th><th>status</th><th>reason</th><th>until</th></tr>{profiles}"
        f"</table><p>{links}</p></html>"
    )


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"

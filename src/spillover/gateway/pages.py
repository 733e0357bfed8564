"""Answer the dashboard's pages, their parts, their files, and who logs in.

Everything here is read; what a page changes it changes through `/api`. Refuses to know how a page
looks: it gathers the documents that `/api` would answer, and has them rendered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from spillover.config.versions import revision_of_entry
from spillover.dashboard import overview
from spillover.dashboard.assets import assets
from spillover.dashboard.live import Figures, Parts, follow, print_of
from spillover.dashboard.pages import THEMES, Look, render, rendering, script_words
from spillover.dashboard.words import choose
from spillover.engine.savings import midnight, savings
from spillover.errors import RequestError
from spillover.events.kinds import iso
from spillover.gateway.access import Denial, cookie_of
from spillover.gateway.bodies import read_body
from spillover.gateway.feed import streaming
from spillover.gateway.sessions import COOKIE, LASTS_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spillover.gateway.routes import Inquiry
    from spillover.gateway.visit import Visit

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_GUARDS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with none, a form's Origin would be null
    "cross-origin-opener-policy": "same-origin",
}
_PAGE: Final = {**_GUARDS, "content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
_FOREVER: Final = "public, max-age=31536000, immutable"
SAVINGS_S: Final = 5.0
"""How old the savings that a page shows may be."""
_SMALL_FORM: Final = 4_096
_BREAK: Final = re.compile(r"\r\n|\r|\n")
"""What ends a line of an event stream: a title may hold any."""


async def front(inquiry: Inquiry) -> None:
    """Answer the overview."""
    view: dict[str, Any] = {}
    look = look_of(inquiry.visit)
    pieces = rendering("overview.html", look, {**_frame(inquiry), "view": view, "live": "overview"})
    # The frame goes ahead, so that a browser loads its styles and paints while the rest is made.
    visit = inquiry.visit
    await visit.begin(200, _PAGE)
    await visit.chunk(_ahead(pieces).encode())
    figures = await Watched(inquiry).figures()
    status = figures.status
    view["chains"] = [
        overview.ladder(status, name, figures.pace, figures.revisions) for name in status["chains"]
    ]
    view["sums"] = overview.sums(status, figures.savings)
    view["seen"] = print_of(figures)
    await visit.end("".join(pieces).encode())


def _ahead(pieces: Iterator[str]) -> str:
    """Return a page's text up to its content."""
    found = []
    for piece in pieces:
        found.append(piece)
        if "<main" in piece:
            break
    return "".join(found)


async def live(inquiry: Inquiry) -> None:
    """Tell an open page what changes on it."""
    query = parse_qs(inquiry.visit.scope["query_string"].decode("latin-1"))
    is_overview = query.get("view") == ["overview"]
    look = look_of(inquiry.visit)
    seen = query.get("seen", [""])[0]
    parts = Parts(Watched(inquiry).figures, look, seen=seen) if is_overview else None
    async with streaming(inquiry, inquiry.engine.events.subscribe()) as subscription:
        visit = inquiry.visit
        await visit.chunk(_told("clock", iso(inquiry.engine.clock.now())))
        async for message in follow(parts, subscription, look):
            await visit.chunk(_told(message.kind, message.body))
        await visit.end()


def _told(kind: str, body: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in _BREAK.split(body))
    return f"event: {kind}\n{lines}\n".encode()


class Watched:
    """The figures of the overview, for one reader."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._savings: dict[str, Any] = {}
        self._saved_at = -SAVINGS_S

    async def figures(self) -> Figures:
        """Return them as they are now; the savings, which are read from storage, a little later."""
        engine, now = self._inquiry.engine, self._inquiry.engine.clock.now()
        if not 0 <= now - self._saved_at < SAVINGS_S:
            self._saved_at = now
            self._savings = await savings(engine.history, engine.routing, midnight(now))
        return Figures(
            status=engine.status(),
            pace={name: engine.traces.pace(name) for name in engine.routing.profiles},
            savings=self._savings,
            revisions=self._revisions(),
        )

    def _revisions(self) -> dict[str, str]:
        """What the file says of each chain, by a name for it."""
        engine = self._inquiry.engine
        if engine.loaded is None:
            return {}
        document = engine.loaded.document
        return {name: revision_of_entry(document, "chains", name) for name in engine.routing.chains}


async def static(inquiry: Inquiry) -> None:
    """Answer a file of the pages, which a browser may keep: its name tells its content."""
    found = assets().files.get(inquiry.names["file"])
    if found is None:
        raise RequestError("there is no such file", code="not_found", status=404)
    headers = {**_GUARDS, "content-type": found.kind, "cache-control": _FOREVER}
    await inquiry.visit.answer(200, headers, found.body)


# Who may see them.


async def ask_for_key(inquiry: Inquiry, refused: Denial | None = None) -> None:
    """Answer the form that asks for the admin key, in the place of any page."""
    keyed = inquiry.gateway.access.has_admin_key
    context = {**_frame(inquiry), "refused": refused, "keyed": keyed, "live": ""}
    text = render("login.html", look_of(inquiry.visit), context)
    status, wait = (401, {}) if refused is None else (refused.status, refused.headers)
    await inquiry.visit.answer(status, {**_PAGE, **wait}, text.encode())


async def missing(inquiry: Inquiry, why: str) -> None:
    """Answer a page in the place of one that there is not."""
    context = {**_frame(inquiry), "why": why}
    text = render("missing.html", look_of(inquiry.visit), context)
    await inquiry.visit.answer(404, _PAGE, text.encode())


async def login(inquiry: Inquiry) -> None:
    """Let a browser in that sends the admin key."""
    visit = inquiry.visit
    body = await read_body(visit.receive, visit.headers, most=_SMALL_FORM)
    key = parse_qs(body.decode("utf-8", "replace")).get("key", [""])[0].strip()
    arrival = visit.arrival(inquiry.engine.clock.now())
    session = inquiry.gateway.access.session(key, arrival)
    if isinstance(session, Denial):
        await ask_for_key(inquiry, session)
        return
    await _go_home(visit, f"{COOKIE}={session}; Max-Age={LASTS_S}")


async def logout(inquiry: Inquiry) -> None:
    """Let a browser in no more, nor whoever has its cookie."""
    inquiry.gateway.access.end_session(inquiry.visit.arrival(inquiry.engine.clock.now()))
    await _go_home(inquiry.visit, f"{COOKIE}=; Max-Age=0")


async def _go_home(visit: Visit, cookie: str) -> None:
    secure = "; Secure" if visit.scope.get("scheme") == "https" else ""
    set_cookie = f"{cookie}; Path=/; HttpOnly; SameSite=Strict{secure}"
    await visit.answer(303, {**_GUARDS, "location": "/", "set-cookie": set_cookie}, b"")


# How they are answered.


async def page(inquiry: Inquiry, template: str, context: dict[str, Any]) -> None:
    """Answer a whole page."""
    await part(inquiry, template, {**_frame(inquiry), **context})


async def part(inquiry: Inquiry, template: str, context: dict[str, Any]) -> None:
    """Answer a part of one."""
    text = render(template, look_of(inquiry.visit), context)
    await inquiry.visit.answer(200, _PAGE, text.encode())


def _frame(inquiry: Inquiry) -> dict[str, Any]:
    look = look_of(inquiry.visit)
    return {
        "here": inquiry.visit.path,
        "guarded": inquiry.gateway.settings.is_guarded,
        "demo": is_demo(inquiry),
        "said": script_words(look),
    }


def is_demo(inquiry: Inquiry) -> bool:
    """Whether simulated providers serve: until the first profile of one's own is added."""
    loaded = inquiry.engine.loaded
    return bool(inquiry.gateway.simulated) and (loaded is None or loaded.path is None)


def look_of(visit: Visit) -> Look:
    """Return how a browser's reader wants the pages: by cookies, else as the browser says."""
    accepted = visit.headers.get(b"accept-language", b"").decode("latin-1")
    theme = cookie_of(visit.headers, "spillover_theme")
    return Look(
        language=choose(cookie_of(visit.headers, "spillover_lang"), accepted),
        theme=theme if theme in THEMES else "auto",
    )

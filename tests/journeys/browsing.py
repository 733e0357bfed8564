"""Opens pages in Debian's Chromium, and asks axe-core whether everyone can use them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.structure.project import ROOT
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = (ROOT / "tests" / "dashboard" / "vendor" / "axe.min.js").read_text("utf-8")
DESKTOP = {"width": 1360, "height": 820}
PHONE = {"width": 390, "height": 844}
WITHIN_MS = 30_000


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def reading(browser: Browser, address: str, **context: Any) -> Iterator[Page]:
    """Give a reader a page of their own at an address; nothing may go wrong on it unseen.

    Requests to another machine, errors of scripts and what the security policy refuses fail it.
    """
    seen: list[str] = []
    own = browser.new_context(
        base_url=address, **{"viewport": DESKTOP, "locale": "en-US", **context}
    )
    own.set_default_timeout(WITHIN_MS)
    page = own.new_page()

    def asked(request: Request) -> None:
        if not request.url.startswith(address):
            seen.append(f"left: {request.url}")

    def said(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            seen.append(message.text)

    page.on("pageerror", lambda error: seen.append(f"script: {error}"))
    page.on("request", asked)
    page.on("console", said)
    try:
        yield page
    finally:
        own.close()
    assert not seen


def open_view(page: Page, path: str) -> None:
    """Go to a view and wait until it is live."""
    page.goto(path)
    page.locator("#live.on").wait_for()


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong, each with where."""
    page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def until(page: Page, expression: str, arg: object = None) -> Any:
    """Return an expression's first true value on a page.

    Playwright's own waiting evaluates it in the page, which the security policy refuses.
    """
    return wait_until(lambda: page.evaluate(expression, arg))

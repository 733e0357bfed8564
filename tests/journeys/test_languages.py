"""Nobody who reads Chinese meets English on a page, whatever happens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from spillover.catalogue import load as load_catalogue
from spillover.catalogue.clients import load as load_clients
from spillover.dashboard.words import FOLDER, read_catalogue
from tests.gateway.steered import steering
from tests.journeys.browsing import open_view, reading, until
from tests.serving import document_for, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from spillover.simulator import SimulatedProvider
from tests.gateway.steered import Steered

# What is read or heard, without what stands for itself: code, addresses, names and providers' own words.
HEARD = """() => {
  const kept = "code, pre, script, style, .mono, [translate=no], [lang=en]";
  const found = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    if (element.closest(kept)) continue;
    if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
    for (const name of ["aria-label", "placeholder", "title", "alt", "data-done", "data-sure", "data-label", "data-none", "data-empty"])
      if (node.getAttribute?.(name)) found.push(node.getAttribute(name));
  }
  return found;
}"""
WRITTEN = re.compile(r"`[^`]*`|'[^']*'|[\w, *-]+ 之一|\S*[/@_:=.\d]\S*")
"""What a file or a command line holds."""
WORD = re.compile(r"[A-Za-z][A-Za-z']{2,}")
OURS = {
    *("Spillover", "English", "one", "two", "groq", "gpt", "default", "many", "nobody", "nowhere"),
    *("custom", "Groq", "Gemini", "Google", "Ollama", "CSV", "JSON"),
}
"""Names of this gateway and of what it speaks."""
KEPT = {
    word
    for name in ("zh.po", "zh.sentences.po")
    for said in read_catalogue((FOLDER / name).read_text("utf-8")).values()
    for word in WORD.findall(said)
}
"""What the translation keeps: settings, commands and their values."""


def english(page: Page) -> list[str]:
    """Return what a page says that no reader of Chinese expects."""
    found = []
    for text in page.evaluate(HEARD):
        rest = WRITTEN.sub(" ", NAMES.sub(" ", text))
        if any(word not in OURS | KEPT for word in WORD.findall(rest)):
            found.append(text.strip())
    return found


def _names() -> re.Pattern[str]:
    known = load_catalogue()
    providers = {each.name for each in known.providers.values()} | set(known.providers)
    clients = {word for each in load_clients().entries for word in WORD.findall(each.title)}
    found = providers | (clients - {"command", "line", "protocol", "client", "for"})
    return re.compile("|".join(re.escape(name) for name in sorted(found, key=len, reverse=True)))


NAMES = _names()


MORE = "notify: [{to: 'json://127.0.0.1:9/nobody', events: [failed]}]\n"


@pytest.fixture(scope="module")
def busy(
    tmp_path_factory: pytest.TempPathFactory, both: tuple[SimulatedProvider, ...]
) -> Iterator[Steered]:
    """A gateway to which much has happened, over a file that is followed."""
    with steering(tmp_path_factory.mktemp("busy"), both, follow=True, more=MORE) as steered:
        served = steered.served
        steered.put(
            "/api/profiles/one", {"limits": {"requests_per_day": 4, "tokens_per_hour": "1M"}}
        )
        served.chat()
        both[0].script("overloaded")
        served.chat()
        both[1].script("unauthorized", times=2)
        for _ in range(4):
            served.chat()
        steered.post("/api/chains/default/pin", {"profile": "two"})
        steered.post("/api/profiles/groq/disable")
        steered.post("/api/notices/test")
        served.run(served.engine.history.flush())
        yield steered


def settled(page: Page) -> None:
    page.locator("#live.on").wait_for()
    until(page, "!document.querySelector('.htmx-request')")


def test_no_english_where_nothing_has_happened_yet(browser: Browser, steered: Steered) -> None:
    with reading(browser, steered.served.address, locale="zh-CN") as page:
        for view in ("/", "/history?span=hour", "/trace", "/playground", "/setup", "/nowhere"):
            page.goto(view)
            settled(page)

            assert not english(page), view


def test_no_english_where_much_has_happened(browser: Browser, busy: Steered) -> None:
    request = busy.served.get("/api/requests").json["requests"][0]["request_id"]
    with reading(browser, busy.served.address, locale="zh-CN") as page:
        for view in ("/history?span=hour", "/trace", f"/trace/{request}", "/setup", "/"):
            page.goto(view)
            settled(page)
            page.locator("#bell").click()

            assert page.locator("#notices li").count() >= 2
            assert not english(page), view

        page.keyboard.press("Escape")
        page.locator("[data-why]").click()
        page.locator(".why li").first.wait_for()
        assert not english(page)


def test_no_english_in_what_is_opened(browser: Browser, busy: Steered) -> None:
    with reading(browser, busy.served.address, locale="zh-CN") as page:
        open_view(page, "/")
        for part in PARTS:
            page.evaluate("(path) => htmx.ajax('GET', path, '#drawer-body')", part)
            settled(page)

            assert not english(page), part

        page.locator("[data-models]").click()
        page.locator("#models .problem").wait_for()
        assert not english(page)

        page.goto("/setup")
        for client in load_clients().entries:
            page.evaluate("(id) => htmx.ajax('GET', '/parts/client/' + id, '#texts')", client.id)
            settled(page)

            assert not english(page), client.id


PARTS = (
    "/parts/profile/one?chain=default",
    "/parts/profile/two?chain=default",
    "/parts/profile/groq",
    "/parts/chain/default",
    "/parts/begin",
    "/parts/places",
    "/parts/add?chain=default",
    "/parts/add/groq?chain=default",
    "/parts/add/ollama?chain=default",
)
# What is refused, each by the way the page itself asks.
REFUSED: tuple[tuple[str, str, object], ...] = (
    ("PUT", "/api/profiles/one", {"limits": {"requests_per_day": "many"}}),
    ("PUT", "/api/profiles/one", {"limits": [{"requests": 1, "per": "soon"}], "tier": "rich"}),
    ("PUT", "/api/profiles/nobody", {"title": "x"}),
    ("PUT", "/api/chains/default", {"profiles": []}),
    ("PUT", "/api/chains/default", {"patience": "long", "failback": "never"}),
    ("PUT", "/api/config", {"aliases": {"x": "nobody"}, "notify": ["nowhere"]}),
    ("POST", "/api/profiles", {"provider": "groq", "name": "one"}),
    ("POST", "/api/profiles", {"provider": "grok", "key": {"paste": "a b"}}),
    ("POST", "/api/profiles", {"provider": "groq", "key": {"env": "OTHER_KEY"}}),
    ("POST", "/api/chains", {"name": "a b", "profiles": ["one"]}),
    ("DELETE", "/api/chains/default", None),
    ("DELETE", "/api/profiles/one", None),
    ("POST", "/api/config/undo", {"to": 99}),
    ("POST", "/api/chains/default/pin", {"profile": "groq"}),
    ("POST", "/api/simulated/one/fail", {"fault": "x"}),
)


def test_no_english_in_what_is_refused(browser: Browser, busy: Steered) -> None:
    with reading(browser, busy.served.address, locale="zh-CN") as page:
        open_view(page, "/")
        for method, path, body in REFUSED:
            said = page.evaluate(
                "([method, path, body]) => api(method, path, body ?? undefined)"
                ".then(() => 'done', (error) => toast(error.message, 'bad', 60000))",
                [method, path, body],
            )

            assert said is None, path
            assert not english(page), page.locator(".toast").last.inner_text()


def test_no_english_where_a_form_or_a_button_is_refused(browser: Browser, busy: Steered) -> None:
    with reading(browser, busy.served.address, locale="zh-CN") as page:
        open_view(page, "/")
        page.locator("#card-default-two .name").click()
        page.locator("#drawer[open]").wait_for()
        page.locator("[data-row=add]").click()
        page.locator("[name='limits[0].amount']").fill("many")
        page.locator("form[data-limits] .main").click()
        page.locator("#drawer .problem", has_text="many").wait_for()
        page.locator("[data-post$='/probe']").click()
        page.locator(".toast.bad").first.wait_for()

        assert not english(page)

        for name in ("one", "two"):
            busy.post(f"/api/profiles/{name}/disable")
        page.goto("/playground")
        settled(page)
        page.locator("#ask .main").click()
        page.locator("#facts:not([hidden])").wait_for()

        assert page.locator("#answer").inner_text().startswith("'default' 的配置都无法提供服务")
        assert not english(page)


def test_no_english_where_the_file_was_broken_by_hand(browser: Browser, busy: Steered) -> None:
    with reading(browser, busy.served.address, locale="zh-CN") as page:
        open_view(page, "/")
        busy.path.write_text(busy.text.replace("provider: groq", "provider: grok"), "utf-8")
        wait_until(lambda: busy.told("config.rejected"))
        page.locator(".toast.bad").first.wait_for()
        assert not english(page)

        page.goto("/setup")
        settled(page)
        assert page.locator("main .problem").first.inner_text()
        assert not english(page)
        busy.post("/api/config/undo")


def test_no_english_before_the_login(browser: Browser, both: tuple[SimulatedProvider, ...]) -> None:
    server = {"client_keys": ["client-key-1"], "admin_key": "admin-key-1"}

    with (
        serving(document_for(*both, server=server)) as served,
        reading(browser, served.address, locale="zh-CN") as page,
    ):
        page.goto("/")
        page.locator("[name=key]").fill("wrong")
        page.locator("main button").click()
        page.locator("#refused").wait_for()

        assert not english(page)

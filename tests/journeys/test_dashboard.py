"""The dashboard, as people use it in a browser: watched live, in every look, by everyone."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from spillover.events import RequestDone
from spillover.simulator import ProviderSpec, running
from spillover.simulator.faults import Fault
from spillover.simulator.replies import Complaint
from tests.journeys.browsing import PHONE, open_view, reading, until, violations
from tests.serving import Served, document_for, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from spillover.simulator import SimulatedProvider

VIEWS = ("/", "/history?span=hour", "/trace", "/playground", "/setup")
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")

# Notes when a card's status changed, on the clock that the gateway's events go by.
WATCH = """
window.flips = [];
new MutationObserver((all) => all.forEach(({target}) => target.dataset?.profile &&
  flips.push([target.dataset.profile, target.className.split(' ')[1], Date.now()])))
  .observe(document.body, {subtree: true, attributes: true, attributeFilter: ['class']});
window.told = [];
document.addEventListener('happened', ({detail}) => told.push(...detail));
"""


@pytest.fixture(scope="module")
def providers() -> Iterator[tuple[SimulatedProvider, ...]]:
    with running(*(ProviderSpec(name=name) for name in ("one", "two", "three"))) as found:
        yield found


@pytest.fixture(scope="module")
def shared(providers: tuple[SimulatedProvider, ...]) -> Iterator[Served]:
    document = document_for(*providers, limits={"requests_per_minute": 50, "tokens_per_day": "1M"})
    with serving(document) as served:
        served.gateway.simulated = dict(zip(("one", "two", "three"), providers, strict=True))
        yield served


@pytest.fixture
def served(shared: Served, providers: tuple[SimulatedProvider, ...]) -> Iterator[Served]:
    yield shared

    for provider in providers:
        provider.reset()
    for name in shared.engine.routing.profiles:
        shared.run(shared.engine.set_disabled(name, disabled=False))
    shared.run(shared.engine.pin("default", None))
    shared.run(shared.engine.clear_usage(None))


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with reading(browser, served.address) as found:
        yield found


def a_request(number: int) -> RequestDone:
    return RequestDone(
        at=0.0,
        request_id=f"r{number}",
        chain="default",
        profile="one",
        outcome="served",
        took_ms=1.0,
    )


def card(page: Page, name: str) -> Any:
    return page.locator(f"#card-default-{name}")


def now_is(page: Page, name: str, status: str) -> None:
    page.locator(f"#card-default-{name}.is-{status}").wait_for()


# ---- live ----


def test_a_429_flips_a_card_within_250_ms(page: Page, served: Served, providers: Any) -> None:
    open_view(page, "/")
    page.evaluate(WATCH)
    providers[0].script("rate_limited")

    served.chat()
    now_is(page, "one", "cooldown")
    until(page, "told.some((each) => each.type === 'profile.status')")

    told = page.evaluate("told.find((each) => each.type === 'profile.status').at")
    at = page.evaluate("(iso) => Date.parse(iso)", told)
    (seen,) = page.evaluate(
        "flips.filter(([name, status]) => name === 'one' && status === 'is-cooldown').slice(0, 1)"
    )
    assert seen[2] - at <= 250
    assert "too many requests" in card(page, "one").inner_text()
    assert page.locator(".card.serves").get_attribute("data-profile") == "two"


def test_a_countdown_reaches_zero_and_the_card_is_active_again(
    page: Page, served: Served, providers: Any
) -> None:
    open_view(page, "/")
    providers[0].script(Fault(error=Complaint.RATE_LIMITED, headers={"retry-after": "2"}))

    served.chat()
    now_is(page, "one", "cooldown")
    left = card(page, "one").locator(".status time").inner_text()
    now_is(page, "one", "active")

    assert re.fullmatch(r"[12]s", left)
    assert page.locator(".card.serves").get_attribute("data-profile") == "one"


def test_usage_moves_without_reload(page: Page, served: Served) -> None:
    open_view(page, "/")
    before = card(page, "one").locator(".use td").nth(1).inner_text()

    served.chat()
    card(page, "one").locator(".use td", has_text="1").first.wait_for()

    assert before == "0"
    assert "49 left of 50" in card(page, "one").inner_text()


def test_a_page_finds_its_way_back_when_the_connection_broke(page: Page, served: Served) -> None:
    open_view(page, "/")

    page.context.set_offline(True)
    page.evaluate("stream.close(); stream = null; listen()")
    page.locator("#live.off").wait_for()
    served.post("/api/profiles/two/disable")
    page.context.set_offline(False)

    now_is(page, "two", "disabled")
    page.locator("#live.on").wait_for()


def test_a_thousand_events_a_second_do_not_freeze_it(page: Page, served: Served) -> None:
    open_view(page, "/")
    page.evaluate("""
        window.frames = [];
        const draw = (at) => { frames.push(at); requestAnimationFrame(draw); };
        requestAnimationFrame(draw);
    """)

    async def storm() -> None:
        for number in range(2_000):
            served.engine.events.publish(a_request(number))
            if number % 10 == 9:
                await asyncio.sleep(0.01)

    served.run(storm())
    served.post("/api/profiles/three/disable")
    now_is(page, "three", "disabled")

    longest = page.evaluate("Math.max(...frames.slice(1).map((at, place) => at - frames[place]))")
    assert longest < 500


# ---- change by hand ----


def test_a_profile_is_disabled_pinned_and_cleared_from_its_drawer(
    page: Page, served: Served
) -> None:
    served.chat()
    open_view(page, "/")

    card(page, "one").locator(".name").click()
    page.get_by_role("button", name="Disable").click()
    now_is(page, "one", "disabled")
    page.get_by_role("button", name="Enable").click()
    now_is(page, "one", "active")
    page.get_by_role("button", name="Pin: only this").click()
    page.locator(".chip.strong", has_text="only one").wait_for()
    page.get_by_role("button", name="Clear usage data").click()
    page.get_by_role("button", name="Yes").click()
    page.locator("#card-default-one .left", has_text="50 left of 50").wait_for()
    page.keyboard.press("Escape")

    assert not page.locator("#drawer").is_visible()


def test_one_cooldown_is_cleared(page: Page, served: Served, providers: Any) -> None:
    providers[0].script("rate_limited")
    served.chat()
    open_view(page, "/")
    now_is(page, "one", "cooldown")

    card(page, "one").locator(".name").click()
    page.get_by_role("button", name="Clear the cooldown").click()

    now_is(page, "one", "active")


def test_a_probe_says_what_came_of_it(page: Page, served: Served) -> None:
    open_view(page, "/")

    card(page, "two").locator(".name").click()
    page.get_by_role("button", name="Probe", exact=True).click()

    page.locator(".toast.good", has_text="two").wait_for()


def test_why_not_the_others_is_one_click(page: Page, served: Served) -> None:
    served.post("/api/profiles/one/disable")
    open_view(page, "/")

    page.get_by_role("button", name="Why not the others?").click()
    page.locator("#why-default li").nth(2).wait_for()

    said = page.locator("#why-default").inner_text()
    assert "would be served by two now" in said
    assert re.search(r"one\s+disabled", said)


def test_all_of_it_can_be_done_by_keyboard(page: Page, served: Served) -> None:
    open_view(page, "/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(4):  # why not, routing, then the first card's name
        page.keyboard.press("Tab")
        if "name" in page.evaluate("document.activeElement.className"):
            break
    page.keyboard.press("Enter")
    page.locator("#drawer").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    now_is(page, "one", "disabled")
    page.keyboard.press("Escape")

    assert page.evaluate("document.activeElement.textContent") == "one"


# ---- the other views ----


def test_history_is_drawn_and_its_fallbacks_lead_to_their_requests(
    page: Page, served: Served, providers: Any
) -> None:
    providers[0].script("overloaded")
    served.chat()
    served.run(served.engine.history.flush())
    open_view(page, "/history?span=hour")

    page.locator(".chart canvas").first.wait_for()
    page.locator("#fallbacks td", has_text="no capacity there").first.wait_for()
    page.get_by_label("from").select_option("two")
    page.get_by_text("No fallbacks here.").wait_for()
    page.get_by_label("from").select_option("one")
    page.locator("#fallbacks td a").first.click()

    page.locator("h1.mono").wait_for()
    assert "one" in page.locator(".water tbody tr").nth(0).inner_text()
    assert "two" in page.locator(".water tbody tr").nth(1).inner_text()


def test_history_is_exported(page: Page, served: Served) -> None:
    served.chat()
    open_view(page, "/history?span=day")

    with page.expect_download() as download:
        page.locator("form#span a", has_text="CSV").click()

    assert download.value.path().read_text().startswith("at,profile,requests")


def test_the_fallbacks_that_are_saved_are_those_that_are_shown(page: Page, served: Served) -> None:
    open_view(page, "/history")

    page.get_by_label("from").select_option("two")
    with page.expect_download() as download:
        page.locator("form#sought a", has_text="CSV").click()

    assert "from=two" in download.value.url
    assert "chain=" not in download.value.url


def test_traces_come_as_they_happen(page: Page, served: Served) -> None:
    open_view(page, "/trace")

    reply = served.chat()
    made = reply.headers["x-spillover-request-id"]
    page.get_by_role("link", name=made).click()

    page.locator("h1.mono", has_text=made).wait_for()
    assert not violations(page)


def test_the_playground_lights_up_the_ladder_as_providers_fail(page: Page, served: Served) -> None:
    open_view(page, "/playground")

    page.locator('.step[data-profile="one"] summary').click()
    page.locator('.step[data-profile="one"] .sheet button').first.click()
    page.locator(".toast.good", has_text="one will fail once").wait_for()
    with page.expect_request("**/api/ask") as asked:
        page.get_by_role("button", name="Send").click()
    page.locator('.step.done[data-profile="two"]').wait_for()

    assert "too many requests" in page.locator('.step.missed[data-profile="one"]').inner_text()
    assert page.locator("#answer").inner_text()
    page.locator("#trail", has_text="one:rate_limited,two:ok").wait_for()
    assert asked.value.headers["x-spillover-cache"] == "no", "the ladder is walked each time"


# ---- for everyone ----


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_stands_in_anybodys_way(
    page: Page, served: Served, providers: Any, view: str
) -> None:
    providers[0].script("rate_limited")
    served.chat()
    served.post("/api/profiles/three/disable")
    open_view(page, view)
    until(page, "!document.querySelector('.htmx-request')")
    for opener in page.locator("[data-row=add]").all():
        opener.click()

    for look in LOOKS:
        page.emulate_media(color_scheme=look)
        assert not violations(page), look


def test_nothing_in_the_drawers_stands_in_anybodys_way(page: Page, served: Served) -> None:
    open_view(page, "/")

    for opener in (
        card(page, "one").locator(".name"),
        page.get_by_role("button", name="Routing"),
        page.get_by_role("button", name="Add a profile"),
        page.get_by_role("button", name="Add a chain"),
    ):
        opener.click()
        page.locator("#drawer[open]").wait_for()
        for look in LOOKS:
            page.emulate_media(color_scheme=look)
            assert not violations(page), look
        page.keyboard.press("Escape")


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_shows_all_without_scrolling_sideways(
    browser: Browser, served: Served, view: str
) -> None:
    with reading(browser, served.address, viewport=PHONE, has_touch=True) as page:
        open_view(page, view)

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_names_of_64_characters_stand_in_nobodys_way(
    browser: Browser, providers: tuple[SimulatedProvider, ...]
) -> None:
    long = ("a-profile-whose-name-is-as-long-as-names-may-be" + "-and-more" * 2)[:64]
    document = document_for(providers[0], limits={"requests_per_minute": 9, "concurrency": 2})
    document["profiles"] = {long: document["profiles"]["one"]}
    document["chains"] = {f"c{long}"[:64]: [long]}

    with (
        serving(document) as served,
        reading(browser, served.address, viewport=PHONE, has_touch=True) as page,
    ):
        served.gateway.simulated = {long: providers[0]}
        made = served.chat(model=long).headers["x-spillover-request-id"]
        for view in (*VIEWS, f"/trace/{made}"):
            open_view(page, view)
            page.locator(".htmx-request").first.wait_for(state="detached")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view
        open_view(page, "/")
        heights = page.locator(".next, .limit > span:first-child").evaluate_all(
            "(all) => all.map((each) => each.getBoundingClientRect().height)"
        )

    assert len(heights) == 3
    assert max(heights) < 30, "each is one line"


def test_a_waterfall_is_for_everyone_on_a_phone(browser: Browser, served: Served) -> None:
    made = served.chat().headers["x-spillover-request-id"]

    with reading(browser, served.address, viewport=PHONE, has_touch=True) as page:
        open_view(page, f"/trace/{made}")

        assert not violations(page)


def test_the_theme_can_be_chosen_and_stays(page: Page, served: Served) -> None:
    open_view(page, "/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.locator("summary[aria-label='Look and language']").click()
    page.get_by_label("dark").check()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()

    assert light != dark
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_it_speaks_chinese_to_who_wants_it(page: Page, served: Served) -> None:
    open_view(page, "/")

    page.locator("summary[aria-label='Look and language']").click()
    page.get_by_label("简体中文").check()
    page.locator("html[lang=zh-Hans]").wait_for()

    assert page.get_by_role("link", name="总览").is_visible()
    assert "可用" in card(page, "one").inner_text()


def test_who_wants_no_motion_gets_none(browser: Browser, served: Served) -> None:
    with reading(browser, served.address, reduced_motion="reduce") as page:
        open_view(page, "/")
        card(page, "one").locator(".name").click()
        page.locator("#drawer[open]").wait_for()

        assert page.evaluate("document.getAnimations().length") == 0


# ---- who may see it ----


def test_with_keys_set_one_logs_in_with_the_admin_key(
    browser: Browser, providers: tuple[SimulatedProvider, ...]
) -> None:
    server = {"client_keys": ["client-key-1"], "admin_key": "admin-key-1"}

    with (
        serving(document_for(*providers, server=server)) as served,
        reading(browser, served.address) as page,
    ):
        page.goto("/")
        assert not violations(page)
        assert not page.locator("#live").count()
        page.get_by_label("The admin key of this gateway").fill("client-key-1")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("The admin key of this gateway").fill("admin-key-1")
        page.get_by_role("button", name="Log in").click()
        page.locator("#live.on").wait_for()
        (cookie,) = page.context.cookies()
        page.locator("summary[aria-label='Look and language']").click()
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("The admin key of this gateway").wait_for()

    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert "admin-key-1" not in cookie["value"]


# ---- figures ----


def test_a_page_of_64_profiles_is_light(
    browser: Browser, providers: tuple[SimulatedProvider, ...]
) -> None:
    profile = {"base_url": providers[0].base_url, "model": "model-one", "api_key": "key-of-one"}
    limits = {"limits": {"requests_per_minute": 30, "tokens_per_day": "1M"}}
    profiles = {f"profile-{number}": {**profile, **limits} for number in range(64)}
    document = {"storage": "memory", "profiles": profiles, "chains": {"default": list(profiles)}}

    with serving(document) as served, reading(browser, served.address) as page:
        open_view(page, "/")
        open_view(page, "/")
        until(page, "performance.getEntriesByName('first-contentful-paint').length")
        weights = page.evaluate(
            "performance.getEntries().filter((each) => each.decodedBodySize)"
            ".reduce((sum, each) => sum + each.decodedBodySize, 0)"
        )

    assert weights <= 250_000

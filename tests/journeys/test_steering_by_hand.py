"""The configuration is changed in the dashboard: by forms, by dragging, by keyboard, and undone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from spillover.config.loader import load
from spillover.simulator import ProviderSpec, running
from spillover.simulator.spec import Model
from tests.events.receiving import receiving
from tests.gateway.steered import TEXT
from tests.journeys.browsing import open_view, reading, until
from tests.serving import document_for, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from spillover.simulator import SimulatedProvider
    from tests.gateway.steered import Steered

KEY = "gsk_pasted0123456789abcdefABCDEF"


@pytest.fixture
def page(browser: Browser, steered: Steered) -> Iterator[Page]:
    with reading(browser, steered.served.address) as found:
        open_view(found, "/")
        yield found


def order_is(page: Page, *names: str) -> None:
    until(
        page,
        "(names) => [...document.querySelectorAll('.card')].map((each) => each.dataset.profile).join() === names",
        ",".join(names),
    )


def open_drawer(page: Page, name: str) -> None:
    page.locator(f"#card-default-{name} .name").click()
    page.locator("#drawer[open]").wait_for()


def test_arrows_change_the_order_and_it_is_undone(page: Page, steered: Steered) -> None:
    before = steered.text

    page.get_by_role("button", name="Move two up").click()
    order_is(page, "two", "one")
    assert steered.text == before.replace("[one, two]", "[two, one]")
    page.locator(".toast button", has_text="Undo").click()
    order_is(page, "one", "two")

    assert steered.text == before


def test_undo_takes_back_the_change_that_it_stands_beside_or_nothing(
    page: Page, steered: Steered
) -> None:
    page.get_by_role("button", name="Move two up").click()
    page.locator(".toast", has_text="two is now number 1").wait_for()
    order_is(page, "two", "one")
    page.get_by_role("button", name="Move one up").click()
    page.locator(".toast", has_text="one is now number 1").wait_for()
    edited = steered.text + "# by hand\n"
    steered.path.write_text(edited, "utf-8")

    page.locator(".toast button", has_text="Undo").click()  # there is but one
    page.locator(".toast.bad").first.wait_for()

    assert steered.text == edited


def test_the_keyboard_changes_the_order_and_the_card_keeps_the_focus(
    page: Page, steered: Steered
) -> None:
    page.locator("#card-default-one .name").focus()

    page.keyboard.press("Alt+ArrowDown")
    order_is(page, "two", "one")

    assert "[two, one]" in steered.text
    until(page, "document.activeElement.id === 'card-default-one'")


def test_a_card_is_dragged_to_another_place(page: Page, steered: Steered) -> None:
    page.locator("#card-default-two .grip").drag_to(
        page.locator("#card-default-one"), target_position={"x": 200, "y": 4}
    )
    order_is(page, "two", "one")

    assert "[two, one]" in steered.text


def test_limits_are_edited_and_show_on_the_card(page: Page, steered: Steered) -> None:
    open_drawer(page, "one")

    page.get_by_role("button", name="Add a limit").click()
    page.locator("[name='limits[0].amount']").fill("5K")
    page.locator("[name='limits[0].metric']").select_option("tokens")
    page.locator("[name='limits[0].per']").fill("hour")
    page.get_by_role("button", name="Save limits").click()
    page.locator("#card-default-one .limit", has_text="tokens/hour").wait_for()

    assert re.search(r"tokens: 5K, per: hour", steered.text)
    assert "# the fast one" in steered.text


def test_a_limit_that_makes_no_sense_is_said_where_it_was_typed(
    page: Page, steered: Steered
) -> None:
    before = steered.text
    open_drawer(page, "one")

    page.get_by_role("button", name="Add a limit").click()
    page.locator("[name='limits[0].amount']").fill("many")
    page.get_by_role("button", name="Save limits").click()
    problem = page.locator("#drawer .problem", has_text="many")
    problem.wait_for()

    assert problem.inner_text().count("many") == 1
    assert steered.text == before


def test_a_profile_is_added_from_the_catalogue_with_a_model_that_is_listed(
    browser: Browser, tmp_path: Path, both: tuple[SimulatedProvider, ...]
) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(TEXT.format(one=both[0].base_url, two=both[1].base_url), "utf-8")
    spec = ProviderSpec(flavour="ollama", models={"tiny:1b": Model(), "small:8b": Model()})

    with (
        running(spec) as (home,),
        serving(load(path, environ={"OLLAMA_HOST": home.origin})) as served,
        reading(browser, served.address) as page,
    ):
        open_view(page, "/")
        choose_ollama(page)
        page.get_by_label("small:8b").check()
        page.get_by_label("Name of the profile").fill("home")
        page.get_by_role("button", name="Add the profile").click()
        order_is(page, "one", "two", "home")

    assert re.search(r"home:.*provider: ollama.*small:8b", path.read_text("utf-8"), re.DOTALL)


def test_where_no_models_are_listed_one_is_named(page: Page, steered: Steered) -> None:
    choose_ollama(page)

    page.get_by_label("Model").fill("my-own:1b")
    page.get_by_role("button", name="Add the profile").click()
    order_is(page, "one", "two", "ollama")

    assert "my-own:1b" in steered.text


def choose_ollama(page: Page) -> None:
    page.get_by_role("button", name="Add a profile").click()
    page.get_by_placeholder("Groq, Gemini, Ollama").fill("ollama")
    page.locator("#providers button", has_text="Ollama (local)").click()
    page.get_by_role("button", name="List its models").click()
    page.locator("#models [name=model]").first.wait_for()


def test_a_pasted_key_never_stands_in_the_file(page: Page, steered: Steered) -> None:
    page.get_by_role("button", name="Add a profile").click()
    page.get_by_placeholder("Groq, Gemini, Ollama").fill("cerebras")
    page.locator("#providers button", has_text="cerebras").click()
    page.get_by_label("or pasted").fill(KEY)
    page.get_by_role("button", name="Add the profile").click()
    order_is(page, "one", "two", "cerebras")

    assert "cerebras" in steered.text
    assert KEY not in steered.text
    assert KEY not in page.content()
    assert steered.config()["profiles"]["cerebras"]["key"]["found"]


def test_a_profile_is_removed_after_a_question(page: Page, steered: Steered) -> None:
    open_drawer(page, "two")

    page.get_by_role("button", name="Remove the profile").click()
    page.get_by_role("button", name="Cancel").click()
    assert "two:" in steered.text
    page.get_by_role("button", name="Remove the profile").click()
    page.get_by_role("button", name="Yes").click()
    order_is(page, "one")

    assert "two:" not in steered.text


def test_a_profile_is_taken_out_of_its_chain_and_in_again(page: Page, steered: Steered) -> None:
    open_drawer(page, "two")
    page.get_by_role("button", name="Take it out of default").click()
    order_is(page, "one")

    page.get_by_role("button", name="Routing").click()
    page.get_by_role("button", name="+ two").click()
    order_is(page, "one", "two")

    assert "two:" in steered.text


def test_a_chains_routing_is_changed(page: Page, steered: Steered) -> None:
    page.get_by_role("button", name="Routing").click()

    page.get_by_label("Order of the profiles").select_option("round_robin")
    page.get_by_label("Back to a preferred one").select_option("after")
    page.get_by_role("textbox", name="Quiet time").fill("10m")
    page.get_by_label("When nobody can serve, wait").fill("30s")
    page.get_by_label("Paid after a spent free quota").select_option("ask")
    page.locator("#drawer").get_by_role("button", name="Save").click()
    page.locator(".chip", has_text="round robin").wait_for()

    config = steered.config()["chains"]["default"]
    assert (config["strategy"], config["failback"]) == ("round_robin", {"after": "10m"})
    assert (config["when_exhausted"], config["spend_gate"]) == (
        {"wait": "30s"},
        {"on_quota": "ask"},
    )


def test_a_chain_is_made_renamed_and_removed(page: Page, steered: Steered) -> None:
    page.get_by_role("button", name="Add a chain").click()
    page.get_by_label("Name: what clients ask for").fill("work")
    page.get_by_role("checkbox", name="groq").check()
    page.get_by_role("checkbox", name="two").check()
    page.get_by_role("checkbox", name="one").check()
    page.get_by_role("checkbox", name="two").uncheck()
    page.get_by_role("button", name="Add the chain").click()
    page.locator("#title-work").wait_for()
    assert "\n  work: [groq, one]\n" in steered.text

    page.locator("[hx-get='/parts/chain/work']").click()
    page.get_by_label("Name of the chain").fill("play")
    page.get_by_role("button", name="Rename").click()
    page.locator("#title-play").wait_for()
    assert "\n  play: [groq, one]\n" in steered.text

    page.locator("[hx-get='/parts/chain/play']").click()
    page.get_by_role("button", name="Remove the chain").click()
    page.get_by_role("button", name="Yes").click()
    page.locator("#title-play").wait_for(state="detached")
    assert "play" not in steered.text

    page.locator(".toast button", has_text="Undo").click()
    page.locator("#title-play").wait_for()
    assert "\n  play: [groq, one]\n" in steered.text


def test_a_chain_without_profiles_or_with_a_name_that_is_taken_is_refused(
    page: Page, steered: Steered
) -> None:
    before = steered.text
    page.get_by_role("button", name="Add a chain").click()

    page.get_by_label("Name: what clients ask for").fill("one")
    page.get_by_role("button", name="Add the chain").click()
    page.locator("#drawer .problem", has_text="called 'one' already").wait_for()
    page.get_by_label("Name: what clients ask for").fill("work")
    page.get_by_role("button", name="Add the chain").click()
    page.locator("#drawer .problem", has_text="an empty chain").wait_for()

    assert steered.text == before


def test_a_chain_that_an_alias_leads_to_stays_and_its_new_name_is_the_aliass(
    page: Page, steered: Steered
) -> None:
    page.get_by_role("button", name="Routing").click()

    page.get_by_role("button", name="Remove the chain").click()
    page.get_by_role("button", name="Yes").click()
    page.locator(".toast.bad", has_text="the alias 'gpt-*'").wait_for()
    page.get_by_label("Name of the chain").fill("main")
    page.keyboard.press("Enter")
    page.locator("#title-main").wait_for()

    assert '\n  main: [one, two]   # in this order\naliases: {"gpt-*": main}\n' in steered.text


def test_other_names_for_models_are_edited_by_keyboard(page: Page, steered: Steered) -> None:
    open_view(page, "/setup")

    page.get_by_role("button", name="Add a name").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("gpt-4*")
    page.keyboard.press("Tab")
    page.keyboard.type("two")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # above the other, for the first that fits counts
    page.keyboard.press("Tab")
    page.locator("[data-aliases] .main").focus()
    page.keyboard.press("Enter")
    page.locator(".toast.good", has_text="Saved.").wait_for()
    assert list(steered.config()["aliases"].items()) == [("gpt-4*", "two"), ("gpt-*", "default")]
    assert steered.served.chat(model="gpt-4o").headers["x-spillover-profile"] == "two"

    page.get_by_role("button", name="Add a name").click()
    page.get_by_label("Name of the model").last.fill("gpt-*")
    page.locator("[data-aliases] .main").click()
    page.locator("[data-aliases] .problem", has_text="stands there twice").wait_for()
    page.get_by_role("button", name="Remove").nth(2).click()
    page.get_by_role("button", name="Remove").nth(1).click()
    page.locator("[data-aliases] .main").click()
    wait_until(lambda: steered.config()["aliases"] == {"gpt-4*": "two"})
    page.locator(".toast button", has_text="Undo").click()
    page.locator("[name=_alias]").nth(1).wait_for()

    assert list(steered.config()["aliases"]) == ["gpt-4*", "gpt-*"]


def test_places_that_are_told_are_added_filtered_and_tried(page: Page, steered: Steered) -> None:
    with receiving() as receiver, receiving() as other:
        open_view(page, "/setup")
        for each in (receiver, other):
            page.get_by_role("button", name="Add a place").click()
            page.get_by_label("Address").last.fill(each.address)
        page.locator(".place").nth(1).get_by_label("falls back").uncheck()
        page.locator("[data-places] .main").click()
        page.locator("#sending tbody tr").nth(1).wait_for()
        shown = [each.input_value() for each in page.get_by_label("Address").all()]

        assert all("…" in each for each in shown), "what may be secret is not shown again"
        assert steered.config()["notify"][0] == shown[0]
        assert "fallback" not in steered.config()["notify"][1]["events"]

        page.get_by_role("button", name="Send a test").click()
        page.locator("#sending tbody tr", has_text="1").nth(1).wait_for()
        assert len(receiver.texts) == len(other.texts) == 1

        page.locator(".place").nth(0).get_by_label("Remove").click()
        page.locator("[data-places] .main").click()
        wait_until(lambda: len(steered.config()["notify"]) == 1)
        page.get_by_role("button", name="Send a test").click()
        wait_until(lambda: len(other.texts) == 2)

    assert len(receiver.texts) == 1, "the one that was removed, though both look alike"


def test_a_place_that_is_none_or_is_told_nothing_is_refused(page: Page, steered: Steered) -> None:
    before = steered.text
    open_view(page, "/setup")

    page.get_by_role("button", name="Add a place").click()
    page.get_by_label("Address").fill("nowhere")
    page.locator("[data-places] .main").click()
    page.locator("[data-places] .problem", has_text="desktop, or an address").wait_for()
    page.locator(".place :checked").evaluate_all("(all) => all.forEach((each) => each.click())")
    page.locator("[data-places] .main").click()
    page.locator("[data-places] .problem", has_text="at least one kind").wait_for()

    assert steered.text == before


def test_policy_and_privacy_are_switched_and_a_version_is_gone_back_to(
    page: Page, steered: Steered
) -> None:
    before = steered.text
    open_view(page, "/setup")

    page.get_by_label("Who may serve").select_option("local-only")
    page.get_by_label("Private: local profiles alone may serve").check()
    page.locator("#everywhere ~ form .main").click()
    wait_until(lambda: steered.config()["privacy"])
    assert steered.config()["routing_policy"] == "local-only"
    page.reload()
    page.get_by_role("button", name="Go back to it").first.click()

    wait_until(lambda: steered.text == before)


def test_a_key_that_was_found_is_used_with_one_click(page: Page, steered: Steered) -> None:
    open_view(page, "/setup")
    found = steered.served.get("/api/discovery").json["keys"]

    assert page.locator(".found li").count() >= len(found)
    page.locator("#text-1", has_text="curl http://127.0.0.1").wait_for()
    page.get_by_role("combobox", name="Program").select_option("claude-code")
    page.locator("#texts", has_text="ANTHROPIC_BASE_URL").wait_for()


def test_the_demo_can_be_played_with_and_says_that_it_is_not_kept(
    browser: Browser, both: tuple[SimulatedProvider, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {**document_for(*both), "aliases": {"*": "default"}}
    with serving(document) as served, reading(browser, served.address) as page:
        monkeypatch.setattr(
            served.gateway, "simulated", dict(zip(("one", "two"), both, strict=True))
        )
        open_view(page, "/")
        page.get_by_text("what you change is gone when it ends").wait_for()
        page.get_by_role("button", name="Move two up").click()
        order_is(page, "two", "one")
        page.locator(".toast button", has_text="Undo").click()
        order_is(page, "one", "two")
        open_drawer(page, "one")
        page.get_by_label("Title").fill("a name of mine")
        page.get_by_role("button", name="Save", exact=True).click()
        page.locator("#card-default-one", has_text="a name of mine").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Add a profile").click()
        page.get_by_text("It begins your own configuration").wait_for()
        open_view(page, "/setup")
        page.get_by_text("The first profile of your own begins").wait_for()

        assert not page.locator(".toast.bad").count()
        assert served.get("/api/config").json["source"] == "demo"


def test_a_notice_pops_up_and_rings(
    page: Page, steered: Steered, both: tuple[SimulatedProvider, ...]
) -> None:
    both[0].script("overloaded")
    steered.served.chat()

    page.locator(".toast").first.wait_for()
    page.locator("#unread").wait_for()
    page.get_by_role("button", name="Notices 1").click()
    page.locator("#unread").wait_for(state="hidden")

    assert page.locator("#notices li").count() == 1

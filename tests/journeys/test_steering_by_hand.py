"""The configuration is changed in the dashboard: by forms, by dragging, by keyboard, and undone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from spillover.config.loader import load
from spillover.simulator import ProviderSpec, running
from spillover.simulator.spec import Model
from tests.gateway.steered import TEXT
from tests.journeys.browsing import open_view, reading
from tests.serving import serving
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
    page.wait_for_function(
        "(names) => [...document.querySelectorAll('.card')].map((each) => each.dataset.profile).join() === names",
        arg=",".join(names),
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
    page.locator(".toast.bad").wait_for()

    assert steered.text == edited


def test_the_keyboard_changes_the_order_and_the_card_keeps_the_focus(
    page: Page, steered: Steered
) -> None:
    page.locator("#card-default-one .name").focus()

    page.keyboard.press("Alt+ArrowDown")
    order_is(page, "two", "one")

    assert "[two, one]" in steered.text
    page.wait_for_function("document.activeElement.id === 'card-default-one'")


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


def test_policy_and_privacy_are_switched_and_a_version_is_gone_back_to(
    page: Page, steered: Steered
) -> None:
    before = steered.text
    open_view(page, "/setup")

    page.get_by_label("Who may serve").select_option("local-only")
    page.get_by_label("Private: local profiles alone may serve").check()
    page.get_by_role("button", name="Save").click()
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

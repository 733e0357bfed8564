"""Parts of pages that are loaded by themselves."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from spillover.catalogue.clients import load

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider
    from tests.serving import Served


def part(served: Served, path: str) -> str:
    """A part's text, as it is read."""
    reply = served.get(path)
    assert reply.status == 200, reply.body
    return html.unescape(reply.body.decode())


def test_a_profiles_drawer_says_how_it_stands(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded")
    served.chat()

    found = part(served, "/parts/profile/one?chain=default")

    assert "Cooldown" in found
    assert "no capacity there (503)" in found
    assert "/api/profiles/one/clear-cooldown" in found
    assert 'data-body=\'{"profile": "one", "strict": true}\'' in found


def test_a_drawer_offers_what_can_be_done_now(served: Served) -> None:
    served.post("/api/profiles/two/disable")
    served.post("/api/chains/default/pin", {"profile": "one"})

    assert "/api/profiles/two/enable" in part(served, "/parts/profile/two?chain=default")
    assert '{"profile": null}' in part(served, "/parts/profile/one?chain=default")
    assert "/pin" not in part(served, "/parts/profile/one?chain=nonsense")


def test_a_profile_that_there_is_not_has_no_drawer(served: Served) -> None:
    assert served.get("/parts/profile/nobody").status == 404
    assert served.get("/parts/chain/nothing").status == 404


def test_why_not_the_others_is_what_explain_says(served: Served) -> None:
    served.post("/api/profiles/one/disable")

    found = part(served, "/parts/why/default")

    assert "would be served by two now" in found
    assert "<b>one</b><span>disabled" in found


def test_where_nobody_serves_the_refusal_is_said(served: Served) -> None:
    served.post("/api/profiles/one/disable")
    served.post("/api/profiles/two/disable")

    assert "Nobody could serve" in part(served, "/parts/why/default")


def test_the_wizard_begins_with_providers_that_cost_nothing(served: Served) -> None:
    found = part(served, "/parts/add?chain=default")

    assert found.index("<b>Ollama") < found.index("<b>Groq") < found.index("<b>OpenAI")


def test_the_wizard_asks_for_a_key_where_one_is_needed(served: Served) -> None:
    assert 'value="GROQ_API_KEY"' in part(served, "/parts/add/groq?chain=default")
    assert "key.paste" not in part(served, "/parts/add/ollama")


def test_tables_of_the_past_are_filtered(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded")
    request_id = served.chat().headers["x-spillover-request-id"]
    served.run(served.engine.history.flush())

    assert request_id in part(served, "/parts/fallbacks?chain=&from=one")
    assert "No fallbacks here." in part(served, "/parts/fallbacks?from=two")
    assert request_id in part(served, "/parts/requests?profile=two")
    assert "No requests yet." in part(served, "/parts/requests?outcome=cancelled")


def test_a_clients_texts_name_this_gateway_and_its_chain(served: Served) -> None:
    found = part(served, "/parts/client/curl")

    assert f"curl http://127.0.0.1:{served.port}/v1/chat/completions" in found
    assert '"model": "default"' in found
    assert served.get("/parts/client/nobody").status == 404


def test_every_client_has_its_texts(served: Served) -> None:
    for each in load().entries:
        assert "data-copy" in part(served, f"/parts/client/{each.id}")


def test_the_bell_lists_notices_in_the_readers_language(served: Served) -> None:
    served.post("/api/notices/test")

    english = part(served, "/parts/notices")
    chinese = served.get("/parts/notices", cookie="spillover_lang=zh").body.decode()

    assert "a test: notices of this gateway arrive here" in english
    assert "测试：本网关的通知能送到这里" in chinese


def test_what_the_api_says_is_said_again_in_the_readers_language(served: Served) -> None:
    refused = served.ask("DELETE", "/api/chains/nothing").error["message"]

    told = served.post("/parts/said", {"texts": [refused, "?"]}, cookie="spillover_lang=zh").json

    assert told == {"texts": ["没有名为 'nothing' 的链（现有：default）", "?"]}
    assert served.post("/parts/said", {"texts": [refused]}).json == {"texts": [refused]}


def test_what_is_added_to_the_demo_joins_a_chain_that_is_kept(
    served: Served, one: SimulatedProvider
) -> None:
    served.gateway.simulated = {"one": one}
    try:
        assert "?chain=default" in part(served, "/parts/add?chain=demo")
        assert 'name="chain" value="default"' in part(served, "/parts/add/groq?chain=demo")
    finally:
        served.gateway.simulated = {}

    assert 'name="chain" value="other"' in part(served, "/parts/add/groq?chain=other")

"""No key, prompt or answer is told or kept, even where providers repeat them in their errors.

Every journey's gateway is searched for them when it ends; here a gateway is led to tell them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.terminal import spillover
from tests.journeys.processes import (
    ASKED,
    KEYMARK,
    PROMPTMARK,
    assert_discreet,
    document,
    gateway,
    key_of,
    write,
)
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.processes import Provider

CLIENT_KEY = f"client-{KEYMARK}-of-ours"
ADMIN_KEY = f"admin-{KEYMARK}-of-ours"


def telling_error(key: str) -> dict[str, object]:
    """Return a fault that repeats the key and the request, as some providers do."""
    error = {
        "message": f"Incorrect API key provided: {key}. Bearer {key} was refused.",
        "type": "invalid_request_error",
        "code": "invalid_api_key",
        "input": f"What says the {PROMPTMARK}?",
    }
    headers = {"x-request-id": f"req-{key}"}
    return {"status": 401, "body": json.dumps({"error": error}), "headers": headers}


def test_a_provider_that_repeats_key_and_prompt_is_not_repeated(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    first.script(telling_error(key_of("first")), times=None)
    second.script(telling_error(key_of("second")), times=None)

    with gateway(config) as served:
        replies = [served.chat(messages=ASKED, stream=stream) for stream in (False, True)]
        last_error = served.profile()["last_error"]
        wait_until(lambda: served.told("profile.status"))
        shown = [
            spillover(*words, "--config", config) for words in (("status",), ("status", "--json"))
        ]

    assert {reply.status for reply in replies} == {503}
    assert_discreet(*(reply.body.decode() for reply in replies))
    assert_discreet(*(str(reply.headers) for reply in replies))
    assert "Incorrect API key provided: " in last_error["message"]
    assert_discreet(*(each.stdout + each.stderr for each in shown))


def test_a_bad_request_that_a_provider_explains_with_the_key_is_relayed_without_it(
    config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    message = f"bad parameter; you are {key_of('first')}"
    error = {"message": message, "type": "invalid_request_error", "param": "x", "code": None}
    first.script({"status": 400, "body": json.dumps({"error": error})})

    with gateway(config) as served:
        reply = served.chat(messages=ASKED)

    assert reply.status == 400
    assert reply.error["message"].startswith("bad parameter; you are ")
    assert_discreet(reply.body.decode())


def test_keys_of_clients_and_admins_go_nowhere(
    config: Path, first: Provider, second: Provider
) -> None:
    server = {"client_keys": [CLIENT_KEY], "admin_key": ADMIN_KEY}
    write(config, document(first, second, server=server))
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}

    with gateway(config) as served:
        allowed = served.ask(
            "POST",
            "/v1/chat/completions",
            {"model": "default", "messages": ASKED},
            headers={"authorization": f"Bearer {CLIENT_KEY}"},
        )
        refused = [
            served.chat(messages=ASKED),
            served.get("/api/status", authorization=f"Bearer {CLIENT_KEY}"),
            served.post(f"/v1/chat/completions?key={CLIENT_KEY}x", {"messages": ASKED}),
            served.get(f"/api/{ADMIN_KEY}", **admin),
        ]
        status = served.get("/api/status", **admin)
        write(config, document(first, second, server={**server, "max_bodyy": ADMIN_KEY}))
        wait_until(lambda: "the one before stays in force" in served.text)
        events = served.get("/api/events/recent", **admin)

    sent = first.last()
    assert allowed.status == 200
    assert sent["headers"]["authorization"] != f"Bearer {CLIENT_KEY}"
    assert CLIENT_KEY not in json.dumps(sent)
    assert [reply.status for reply in refused] == [401, 401, 401, 404]
    assert_discreet(*(reply.body.decode() for reply in (*refused[:3], status, events)))

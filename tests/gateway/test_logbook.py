"""A gateway logs each request and each event as long as it runs."""

from __future__ import annotations

import json
from typing import Any

from spillover.config.loader import load_document
from spillover.config.locate import log_folder
from spillover.events.log import FILE_NAME
from spillover.simulator import ProviderSpec, running
from tests.serving import document_for, serving
from tests.waiting import wait_until


def test_requests_are_logged_with_their_ids_and_no_word_of_them() -> None:
    file = log_folder({}) / FILE_NAME

    def lines() -> list[dict[str, Any]]:
        text = file.read_text() if file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    with running(ProviderSpec(name="one", answer="a word of the answer")) as (one,):
        loaded = load_document(document_for(one, limits={"requests_per_hour": 1}), environ={})
        with serving(loaded, follow=True) as gateway:
            ids = [gateway.chat().headers["x-spillover-request-id"] for _ in range(2)]
            wait_until(lambda: sum(each["type"] == "request.done" for each in lines()) == 2)

    done = [each for each in lines() if each["type"] == "request.done"]
    assert [each["request_id"] for each in done] == ids
    assert [each["outcome"] for each in done] == ["served", "refused"]
    assert done[0]["trail"] == "one:ok"
    assert "profile.status" in [each["type"] for each in lines()]
    assert "hello" not in file.read_text()
    assert "a word of" not in file.read_text()

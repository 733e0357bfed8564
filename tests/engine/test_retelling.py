"""A traced request in words: a row of a list, and the whole of it."""

from __future__ import annotations

from typing import Any

import pytest

from spillover.engine.retelling import Wanted, document, row, rows
from tests.engine.staging import HELLO, Client, plays, staged

PAID = {"tier": "paid", "price": {"input": 1_000.0, "output": 1_000.0}}


def latest(client: Client, *, limit: int = 10, **wanted: str) -> list[dict[str, Any]]:
    return rows(client.engine.traces.latest(), Wanted(**wanted), limit=limit)


def whole(client: Client) -> dict[str, Any]:
    return document(next(client.engine.traces.latest()))


@plays
async def test_a_row_says_who_asked_for_what_and_how_it_went() -> None:
    async with staged("generic", "generic", profiles={"p1": PAID}) as stage:
        stage.first.script("overloaded")
        answer = await stage.stream()
        found = row(next(stage.engine.traces.latest()))

    tokens = found["input_tokens"] + found["output_tokens"]
    assert found["request_id"] == answer.headers["x-spillover-request-id"]
    assert (found["chain"], found["model"], found["dialect"]) == ("default", "default", "chat")
    assert (found["operation"], found["stream"]) == ("chat", True)
    assert (found["outcome"], found["status"], found["code"]) == ("served", 200, None)
    assert (found["profile"], found["trail"]) == ("p1", "p0:overloaded,p1:ok")
    assert (found["sends"], found["reported"]) == (2, True)
    assert found["cost_usd"] == pytest.approx(tokens / 1_000)
    assert found["took_ms"] >= found["ttft_ms"] > 0


@plays
async def test_the_whole_has_the_ladder_and_the_attempts_as_a_waterfall() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("overloaded")
        await stage.stream()
        found = whole(stage)

    first, second = found["ladder"]
    failed, served = found["attempts"]
    assert (first["candidates"], first["skipped"]) == (["p0"], [])
    assert second["candidates"] == ["p1"]
    assert [(s["profile"], s["reason"], s["detail"]) for s in second["skipped"]] == [
        ("p0", "tried", "overloaded")
    ]
    assert (failed["result"], failed["status"], failed["used"]) == ("overloaded", 503, None)
    assert failed["message"]
    assert (failed["first_token_ms"], served["result"], served["code"]) == (None, "ok", None)
    assert 0 <= failed["start_ms"] <= failed["end_ms"] <= served["start_ms"]
    assert served["start_ms"] <= served["connected_ms"] <= served["first_token_ms"]
    assert served["first_token_ms"] <= served["end_ms"]
    assert served["estimated"]["output_tokens"] > 0
    assert served["used"]["output_tokens"] == found["output_tokens"]
    (fallback,) = found["fallbacks"]
    assert (fallback["from"], fallback["to"], fallback["cause"]) == ("p0", "p1", "overloaded")
    assert fallback["until"] is not None
    assert fallback["waited_ms"] >= 0
    assert (found["refusal"], found["session"]) == (None, False)
    assert found["chars"] >= len("hello")


@plays
async def test_who_had_no_room_is_told_among_those_left_out() -> None:
    full = {"limits": {"requests_per_day": 1}}
    async with staged("generic", "generic", profiles={"p0": full}) as stage:
        await stage.ask()
        await stage.ask()
        (look,) = whole(stage)["ladder"]

    assert look["candidates"] == ["p0", "p1"]
    assert [(s["profile"], s["reason"], s["detail"], s["never"]) for s in look["skipped"]] == [
        ("p0", "limit", "requests_per_day", False)
    ]
    assert look["skipped"][0]["available_at"] is not None


@plays
async def test_a_refusal_is_told_with_everyone_who_was_left_out() -> None:
    async with staged("generic") as stage:
        await stage.engine.set_disabled("p0", disabled=True)
        await stage.ask()
        found = whole(stage)

    assert (found["outcome"], found["status"], found["code"]) == ("refused", 503, "all_failed")
    assert (found["refusal"]["code"], found["refusal"]["status"]) == ("all_failed", 503)
    assert found["ladder"][-1]["candidates"] == []
    assert [s["reason"] for s in found["ladder"][-1]["skipped"]] == ["disabled"]
    assert (found["profile"], found["attempts"]) == (None, [])


@plays
async def test_a_providers_own_error_has_the_status_that_the_client_had() -> None:
    async with staged("generic") as stage:
        stage.first.script("bad_request")
        answer = await stage.ask()
        found = whole(stage)

    assert (found["outcome"], found["status"]) == ("provider_error", answer.status)
    assert found["attempts"][0]["result"] == "bad_request"


@plays
async def test_a_client_that_left_had_no_status() -> None:
    async with staged("generic") as stage:
        answer = await stage.engine.answer(stage.call({**HELLO, "stream": True}))
        await answer.aclose()
        found = whole(stage)

    assert (found["outcome"], found["status"]) == ("cancelled", None)
    assert found["attempts"][0]["result"] == "cancelled"
    assert found["attempts"][0]["used"] is not None


@plays
async def test_requests_are_found_by_profile_chain_outcome_and_page() -> None:
    async with staged("generic", "generic") as stage:
        stage.first.script("overloaded")
        await stage.ask()
        await stage.ask({**HELLO, "model": "p1"})
        await stage.engine.set_disabled("p1", disabled=True)
        await stage.ask({**HELLO, "model": "p1"})
        ids = [each["request_id"] for each in latest(stage)]

        def found(**wanted: Any) -> list[str]:
            return [each["request_id"] for each in latest(stage, **wanted)]

        assert found(chain="p1") == ids[:2]
        assert found(outcome="served") == ids[1:]
        assert found(profile="p0") == ids[2:]
        assert found(profile="p1", outcome="served") == ids[1:]
        assert found(before=ids[0]) == ids[1:]
        assert found(before="nobody") == []
        assert [each["request_id"] for each in latest(stage, limit=1)] == ids[:1]

"""What free and local profiles saved since midnight."""

from __future__ import annotations

from datetime import datetime

from spillover.engine.savings import midnight, savings
from tests.core.making import NOON
from tests.engine.staging import HELLO, Client, plays, staged


async def of(client: Client) -> dict[str, object]:
    engine = client.engine
    return await savings(engine.history, engine.routing, midnight(engine.clock.now()))


def test_the_day_begins_at_the_machines_own_midnight() -> None:
    began = datetime.fromtimestamp(midnight(NOON))  # noqa: DTZ006 - the machine's own zone

    assert (began.hour, began.minute, began.second, began.microsecond) == (0, 0, 0, 0)
    assert NOON - 86_400 < midnight(NOON) <= NOON
    assert midnight(midnight(NOON)) == midnight(NOON)


@plays
async def test_savings_are_told_by_profile_beside_what_was_spent() -> None:
    paid = {"tier": "paid", "price": {"input": 1_000.0, "output": 1_000.0}}
    async with staged("generic", "generic", profiles={"p1": paid}) as stage:
        tokens = (await stage.ask()).json["usage"]["total_tokens"]
        spent = (await stage.ask({**HELLO, "model": "p1"})).json["usage"]["total_tokens"]

        found = await of(stage)

    assert found["saved_usd"] == tokens / 1_000
    assert found["spent_usd"] == spent / 1_000
    assert found["profiles"] == {
        "p0": {"tier": "free", "tokens": tokens, "saved_usd": tokens / 1_000}
    }
    assert found["unpriced"] == []


@plays
async def test_tokens_that_nobody_can_price_are_named() -> None:
    async with staged("generic") as stage:
        await stage.ask()
        stage.first.script("overloaded", times=None)
        await stage.ask()

        found = await of(stage)

    assert (found["saved_usd"], found["unpriced"]) == (0.0, ["p0"])

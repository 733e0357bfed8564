"""Ask each profile for one real token, by the way of any request: counted, learned from, told of.

Refuses to ask whether that is wanted: whoever calls it has asked.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from spillover.doctor.judge.live import Answered
from spillover.events import RequestDone

if TYPE_CHECKING:
    from spillover.engine import Engine
    from spillover.events import Event


async def converse(engine: Engine, profiles: tuple[str, ...]) -> list[Answered]:
    """Return what came of asking each profile, all at once, in their order."""
    ended: dict[str, RequestDone] = {}

    def hear(event: Event) -> None:
        if isinstance(event, RequestDone) and event.request_id.startswith("probe-"):
            ended[event.chain] = event

    engine.events.listen(hear)
    probed = await asyncio.gather(*(engine.probe(name) for name in profiles))
    standing = engine.status()["profiles"]
    managed = {name for each in engine.routing.managed for name in each.profiles}
    return [
        msgspec.structs.replace(
            _answered(found, ended.get(found["profile"]), standing),
            is_managed=found["profile"] in managed,
        )
        for found in probed
    ]


def _answered(found: dict[str, Any], done: RequestDone | None, standing: Any) -> Answered:
    name = found["profile"]
    return Answered(
        profile=name,
        sent=found["sent"],
        answered=found["answered"],
        outcome=found["outcome"],
        message=found["message"],
        took_ms=found["took_ms"],
        input_tokens=0 if done is None else done.input_tokens,
        output_tokens=0 if done is None else done.output_tokens,
        reported=done is None or done.reported,
        left=left(standing[name]),
    )


def left(profile: dict[str, Any]) -> str:
    """Return what the fullest limit of a profile's status has left; empty: it has none."""
    limits = [each for each in profile["limits"] if each["per"] is not None]
    # Where none is set, what its headers said is all that is known.
    limits = limits or [
        each | {"provider_remaining": each["remaining"]}
        for each in profile["provider_limits"]
        if each["amount"] is not None and each["remaining"] is not None
    ]
    if not limits:
        return ""
    tightest = min(limits, key=lambda each: each["remaining"] / max(1, each["amount"]))
    amount, remaining = tightest["amount"], tightest["remaining"]
    if tightest["provider_remaining"] is not None:
        remaining = min(remaining, tightest["provider_remaining"])
    metric = tightest["metric"].replace("_", " ")
    return f"{remaining:,g} of {amount:,g} {metric}/{tightest['per']} left"

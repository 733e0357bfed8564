"""Real answers are asked for by the engine's own way, and counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spillover.config.loader import load, load_document
from spillover.doctor.probe.live import converse, left
from spillover.engine import EngineOptions, open_engine
from tests.library.setting import two_providers
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.doctor.judge.live import Answered


def test_each_profile_is_asked_for_one_token_and_it_counts(tmp_path: Path) -> None:
    with two_providers(tmp_path, limit=5) as setting:
        setting.second.script("unauthorized")

        async def run() -> list[Answered]:
            engine = await open_engine(
                load(setting.path, environ={}), EngineOptions(in_memory=True)
            )
            try:
                return await converse(engine, ("first", "second"))
            finally:
                await engine.close(grace_s=0.0)

        first, second = asyncio.run(run())

    assert first.answered
    assert first.output_tokens == 1
    assert first.input_tokens > 0
    assert first.left == "4 of 5 requests/minute left"
    assert (second.answered, second.sent, second.outcome) == (False, True, "auth_invalid")
    assert not first.is_managed
    assert setting.first.counters().accepted == 1


def test_a_profile_whose_server_the_gateway_runs_is_known(tmp_path: Path) -> None:
    local = {"base_url": f"http://127.0.0.1:{free_port()}/v1", "model": "m"}
    loaded = load_document(
        {"profiles": {"p": {**local, "upstream": {"command": ["local-server"]}}}}, environ={}
    )

    async def run() -> list[Answered]:
        engine = await open_engine(loaded, EngineOptions(in_memory=True))
        try:
            return await converse(engine, ("p",))
        finally:
            await engine.close(grace_s=0.0)

    (found,) = asyncio.run(run())

    assert (found.answered, found.is_managed) == (False, True)


def test_the_tighter_of_both_counts_is_told() -> None:
    limit = {"metric": "tokens", "per": "minute", "amount": 100, "remaining": 90}

    ours = {**limit, "provider_remaining": 50}

    assert left({"limits": [ours], "provider_limits": []}) == "50 of 100 tokens/minute left"
    assert left({"limits": [], "provider_limits": [limit]}) == "90 of 100 tokens/minute left"
    assert left({"limits": [{**ours, "per": None}], "provider_limits": []}) == ""

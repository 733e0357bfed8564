"""Answers are given again to those who ask the very same, where the chain says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from spillover.core.chains import Caching
from spillover.engine.caching import CACHE, Cache
from spillover.engine.call import Answer
from spillover.events import RequestDone
from tests.engine.staging import HELLO, Got, Stage, plays, read, staged

if TYPE_CHECKING:
    from spillover.engine import Call

TEN_MINUTES: dict[str, Any] = {"cache": "10m"}


def told(got: Got) -> str | None:
    return got.headers.get(CACHE)


async def ask(stage: Stage, call: Call) -> Got:
    return await read(await stage.engine.answer(call))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_same_bytes_are_given_again_and_nobody_is_asked(*, stream: bool) -> None:
    @plays
    async def play() -> None:
        async with staged("generic", chain=TEN_MINUTES) as stage:
            body = {**HELLO, "stream": stream}

            first = await stage.ask(body)
            again = await stage.ask(body)

            assert (told(first), told(again)) == ("miss", "hit")
            assert again.body == first.body
            assert again.chunks == first.chunks
            assert again.profile == first.profile == "p0"
            assert again.headers["content-type"] == first.headers["content-type"]
            assert again.headers["x-spillover-attempts"] == "0"
            assert again.trail == ""
            assert (
                again.headers["x-spillover-request-id"] != first.headers["x-spillover-request-id"]
            )
            assert stage.sent_to(0) == 1
            assert stage.used("p0")[0] == 1
            assert (again.answer.usage, again.answer.ending) == (None, None)

    play()


@plays
async def test_an_answer_that_is_given_again_ends_as_cached_and_uses_nothing() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        for _ in range(2):
            await stage.ask()

        first, again = stage.events(RequestDone)
        assert (first.outcome, again.outcome) == ("served", "cached")
        assert (again.profile, again.chain, again.trail) == ("p0", "default", "")
        assert (again.input_tokens, again.output_tokens) == (0, 0)
        found = stage.engine.status()["chains"]["default"]["cache"]
        assert (found["hits"], found["misses"], found["answers"]) == (1, 1, 1)
        assert found["bytes"] > 0


@plays
async def test_a_spent_chain_still_says_what_it_said() -> None:
    profiles = {"p0": {"limits": {"requests_per_hour": 1}}}
    async with staged("generic", chain=TEN_MINUTES, profiles=profiles) as stage:
        first = await stage.ask()
        other = await stage.ask({**HELLO, "temperature": 1})
        again = await stage.ask()

        assert (first.status, other.status, again.status) == (200, 429, 200)
        assert told(again) == "hit"


@plays
async def test_whole_and_streamed_answers_are_kept_apart() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        await stage.ask()

        streamed = await stage.stream()

        assert told(streamed) == "miss"
        assert streamed.is_whole


@plays
async def test_each_client_key_has_its_own() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        mine, theirs = (replace(stage.call(), client=print_) for print_ in (b"mine", b"theirs"))

        found = [told(await ask(stage, call)) for call in (mine, theirs, mine)]

        assert found == ["miss", "miss", "hit"]


@plays
async def test_a_request_that_wants_to_be_answered_anew_is_and_is_not_kept() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        anew = replace(stage.call(), anew=True)

        found = [told(await ask(stage, call)) for call in (anew, stage.call(), anew)]

        assert found == [None, "miss", None]
        assert stage.sent_to(0) == 3


@plays
async def test_requests_with_tools_are_asked_anew() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        body = {**HELLO, "tools": [tool]}

        found = [told(await stage.ask(body)) for _ in range(2)]

        assert found == [None, None]
        assert stage.sent_to(0) == 2


def test_an_answer_is_forgotten_when_its_time_is_up() -> None:
    at = [0.0]
    cache = Cache(Caching(ttl_s=60.0), lambda: at[0])
    cache.keep(b"a", Answer(200, {}, body=b"x"), (b"x",), is_stream=False)

    at[0] = 59.9
    before = cache.find(b"a")
    at[0] = 60.0

    assert before is not None
    assert cache.find(b"a") is None
    assert cache.status() == {"hits": 1, "misses": 1, "answers": 0, "bytes": 0}


@plays
async def test_errors_are_not_kept() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        stage.first.script("content_filter")

        refused = await stage.ask()
        served = await stage.ask()

        assert (refused.status, served.status) == (400, 200)
        assert (told(refused), told(served)) == ("miss", "miss")


@plays
async def test_a_stream_that_broke_off_is_not_kept() -> None:
    async with staged("generic", "generic", chain=TEN_MINUTES) as stage:
        stage.first.script("cut")

        broken = await stage.stream()
        whole = await stage.stream()

        assert not broken.is_whole
        assert (told(whole), whole.is_whole) == ("miss", True)


@plays
async def test_a_stream_that_its_client_leaves_is_not_kept_and_ends() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        body = {**HELLO, "stream": True}
        answer = await stage.engine.answer(stage.call(body))
        await answer.aclose()
        await stage.settles()

        assert told(await stage.ask(body)) == "miss"

        again = await stage.engine.answer(stage.call(body))
        await again.aclose()
        assert again.headers[CACHE] == "hit"


@plays
async def test_an_answer_larger_than_all_that_is_kept_passes_by() -> None:
    small = {"cache": {"ttl": "10m", "max_size": "600B"}}
    async with staged("generic", chain=small) as stage:
        found = [told(await stage.stream()) for _ in range(2)]
        found += [told(await stage.ask({**HELLO, "n": 4})) for _ in range(2)]

        assert found == ["miss"] * 4


@plays
async def test_a_pin_asks_anew() -> None:
    async with staged("generic", "generic", chain=TEN_MINUTES) as stage:
        await stage.ask()
        await stage.engine.pin("default", "p1")

        pinned = await stage.ask()

        assert (told(pinned), pinned.profile) == ("miss", "p1")


@plays
async def test_a_chain_without_a_cache_keeps_nothing_though_another_does() -> None:
    chains = {"other": {"profiles": ["p0"], **TEN_MINUTES}}
    async with staged("generic", chains=chains) as stage:
        found = [told(await stage.ask()) for _ in range(2)]

        assert found == [None, None]
        status = stage.engine.status()["chains"]
        assert status["default"]["cache"] is None
        assert status["other"]["cache"]["answers"] == 0


@plays
async def test_another_configuration_forgets_all() -> None:
    async with staged("generic", chain=TEN_MINUTES) as stage:
        assert stage.loaded is not None
        await stage.ask()
        await stage.engine.reload(stage.loaded)

        assert told(await stage.ask()) == "miss"


def test_the_longest_unused_goes_where_there_is_no_room() -> None:
    cache = Cache(Caching(ttl_s=60.0, most_bytes=1_400), lambda: 0.0)
    body = b"x" * 100

    for key in (b"a", b"b"):
        cache.keep(key, Answer(200, {}, body=body), (body,), is_stream=False)
    cache.find(b"a")
    cache.keep(b"c", Answer(200, {}, body=body), (body,), is_stream=False)
    cache.keep(b"c", Answer(200, {}, body=body), (body,), is_stream=False)

    assert [cache.find(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    assert cache.status()["bytes"] == 2 * (100 + 64 + 512)

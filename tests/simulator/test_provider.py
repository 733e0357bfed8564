"""What a provider counts and remembers, whatever becomes of its answers."""

from __future__ import annotations

import threading
from email.utils import parsedate_to_datetime

import pytest

from spillover.simulator.records import Outcome
from spillover.simulator.spec import ProviderSpec, limits
from tests.simulator.asking import KEY, NOON, Clock, a_provider, a_request, ask, chat


def test_counters_tell_what_was_received_accepted_and_used() -> None:
    provider = a_provider(limits=limits("requests=2/minute"))
    answers = [ask(provider) for _ in range(5)]

    counters = provider.counters()

    assert [got.status for got in answers] == [200, 200, 429, 429, 429]
    assert (counters.received, counters.accepted, counters.refused) == (5, 2, 3)
    assert counters.outcomes == {"answered": 2, "refused": 3}
    assert counters.tokens == sum(got.json["usage"]["total_tokens"] for got in answers[:2])


def test_tokens_of_the_output_count_when_the_answer_has_ended() -> None:
    provider = a_provider(limits=limits("tokens=4/minute"), answer="four")
    done = provider.handle(a_request())
    provider.finish(done, performed=True, chars=4)

    first, second = ask(provider), ask(provider)

    assert (first.status, second.status) == (429, 429)
    assert provider.most_tokens(60) == 3


def test_an_abandoned_stream_counts_what_had_been_sent() -> None:
    provider = a_provider(answer="x" * 400)
    done = provider.handle(a_request(chat(stream=True)))
    provider.finish(done, performed=False, chars=10)

    record = provider.records[0]

    assert (record.outcome, record.output_tokens) == (Outcome.ABANDONED, 3)
    assert provider.counters().output_tokens == 3


def test_a_faulted_answer_counts_a_request_and_what_it_sent() -> None:
    provider = a_provider(limits=limits("requests=2/minute"))
    provider.script("overloaded")
    ask(provider)
    provider.script("cut")
    cut = ask(provider, stream=True)
    refused = ask(provider)

    counters = provider.counters()

    assert refused.status == 429
    assert counters.outcomes == {"faulted": 2, "refused": 1}
    assert counters.output_tokens == -(-len(cut.text) // 4)


def test_faults_wait_for_requests_that_the_limits_let_through() -> None:
    clock = Clock()
    provider = a_provider(clock, limits=limits("requests=1/minute"))
    ask(provider)
    provider.script("server_error")
    statuses = [ask(provider).status]
    clock.at += 60
    statuses.append(ask(provider).status)

    assert statuses == [429, 500]
    assert provider.scripted == ()


def test_a_script_is_cleared() -> None:
    provider = a_provider()
    provider.script("server_error", times=None)
    spoiled = ask(provider).status
    provider.clear_script()

    assert (spoiled, ask(provider).status) == (500, 200)


def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no fault: 'flood' .*reset_before_head"):
        a_provider().script("flood")


def test_records_hold_the_request_whole() -> None:
    provider = a_provider()
    ask(provider, "a question")

    record = provider.records[0]

    assert (record.method, record.path) == ("POST", "/v1/chat/completions")
    assert b"a question" in record.body
    assert (record.model, record.key, record.status) == ("m", KEY, 200)
    assert (provider.carried(KEY), provider.carried("sk-client")) == (1, 0)


def test_a_reset_forgets_faults_requests_and_usage() -> None:
    provider = a_provider(limits=limits("requests=1/minute"))
    under_way = provider.handle(a_request())
    provider.script("server_error")
    provider.reset()
    provider.finish(under_way, performed=True, chars=0)

    after = ask(provider)

    assert after.status == 200
    assert provider.counters().received == 1
    assert provider.counters().in_flight == 0


def test_other_limits_start_unused_and_the_same_ones_go_on() -> None:
    provider = a_provider(limits=limits("requests=1/minute"))
    ask(provider)
    provider.change(ProviderSpec(limits=limits("requests=1/minute"), answer="new"))
    same = ask(provider).status
    provider.change(ProviderSpec(limits=limits("requests=2/minute"), answer="new"))
    other = ask(provider)

    assert (same, other.status) == (429, 200)
    assert other.json["choices"][0]["message"]["content"] == "new"


def test_a_provider_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="a generic can't become a groq"):
        a_provider().change(ProviderSpec(flavour="groq"))


def test_answers_are_dated_by_the_providers_clock() -> None:
    clock = Clock()
    provider = a_provider(clock)
    first = ask(provider).headers["date"]
    clock.at += 61

    dates = [first, ask(provider).headers["date"]]

    assert [parsedate_to_datetime(one).timestamp() for one in dates] == [NOON, NOON + 61]


def test_the_most_in_any_span_is_known_afterwards() -> None:
    clock = Clock()
    provider = a_provider(clock)
    for gap in (0, 10, 55, 1):
        clock.at += gap
        ask(provider)

    assert provider.most_requests(60) == 3


def test_many_threads_never_pass_more_than_a_limit() -> None:
    provider = a_provider(limits=limits("requests=50/minute"))

    def many() -> None:
        for _ in range(50):
            ask(provider)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counters = provider.counters()
    assert (counters.accepted, counters.refused, counters.in_flight) == (50, 150, 0)

"""Providers are asked for their models with the key, each account once; simulated ones answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spillover.core.values import FailureClass
from spillover.doctor.probe.providers import about, ask, groups, read
from spillover.simulator import Model, ProviderSpec, running
from spillover.upstream import HttpUpstream
from tests.doctor.setup import set_up
from tests.upstream.commanding import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.doctor.judge.answers import Asked
    from spillover.doctor.probe.subject import Subject

SPEC = ProviderSpec(models={"m": Model(), "n": Model()}, keys=frozenset({"right-key-0123456789"}))


def asked(subject: Subject) -> list[Asked]:
    async def run() -> list[Asked]:
        upstream = HttpUpstream()
        try:
            return [await ask(each, subject, upstream) for each in groups(subject)]
        finally:
            await upstream.close()

    return asyncio.run(run())


def config(base_url: str, key: str = "right-key-0123456789", **more: str) -> str:
    extra = "".join(f", {name}: {value}" for name, value in more.items())
    return f"profiles: {{p: {{base_url: '{base_url}', model: m, api_key: {key}{extra}}}}}\n"


def test_models_are_listed_with_the_right_key(tmp_path: Path) -> None:
    with running(SPEC) as (provider,):
        (found,) = asked(set_up(tmp_path, config(provider.base_url)))

        assert provider.counters().accepted == 0

    assert found.listing.status == 200
    assert found.listing.models == ("m", "n")
    assert found.listing.skew_s is not None


def test_a_wrong_key_is_refused_as_the_gateways_tables_say(tmp_path: Path) -> None:
    with running(SPEC) as (provider,):
        (found,) = asked(set_up(tmp_path, config(provider.base_url, "wrong-key-0123456789")))

    assert found.listing.failure is FailureClass.AUTH_INVALID
    assert "wrong-key-0123456789" not in repr(found)


def test_a_key_is_proved_where_the_catalogue_says(tmp_path: Path) -> None:
    spec = ProviderSpec(flavour="openrouter", keys=frozenset({"right-key-0123456789"}))
    with running(spec) as (provider,):
        subject = set_up(tmp_path, config(provider.base_url, provider="openrouter"))
        (found,) = asked(subject)

    assert found.key_check is not None
    assert found.key_check.status == 200
    assert found.key_check.url.endswith("/api/v1/key")


def test_nobody_there_is_an_error_and_no_exception(tmp_path: Path) -> None:
    (found,) = asked(set_up(tmp_path, config(f"http://127.0.0.1:{free_port()}/v1")))

    assert found.listing.error
    assert found.listing.models is None


def test_profiles_of_one_account_are_asked_for_once(tmp_path: Path) -> None:
    same = "{base_url: 'https://a.example/v1', model: m, api_key: k}"
    subject = set_up(
        tmp_path,
        f"profiles: {{a: {same}, b: {same}, c: {{base_url: 'https://c.example', model: m}}}}\n",
    )

    assert [each.profiles for each in groups(subject)] == [("a", "b"), ("c",)]


def test_what_is_known_of_a_model_needs_no_question(tmp_path: Path) -> None:
    subject = set_up(
        tmp_path,
        "profiles: {p: {provider: groq, model: llama-3.3-70b-versatile, api_key: k}}\n",
    )

    found = about(groups(subject)[0], subject)

    assert found.retired["p"].successor == "openai/gpt-oss-120b"


def test_headers_that_state_limits_are_read() -> None:
    headers = {
        "content-type": "application/json",
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "990",
    }

    found = read(200, headers, b'{"data": []}', provider="groq")
    page = read(200, {"content-type": "text/html; charset=utf-8"}, b"<html>", provider="groq")

    assert [(each.limit, each.remaining) for each in found.stated] == [(1_000, 990)]
    assert page.is_page
    assert page.models is None

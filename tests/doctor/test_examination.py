"""A whole set-up is examined at once: what is broken is named, and what is not is not blamed."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from spillover.doctor.examination import WITHIN_S, Job, bounded, examine, in_order
from spillover.doctor.findings import Finding, Level
from spillover.doctor.probe.subject import Subject
from spillover.doctor.table import BY_NAME
from spillover.errors import Problem
from spillover.ledger.sqlite import SqliteJournal
from spillover.simulator import Model, ProviderSpec, running
from tests.doctor.setup import set_up
from tests.upstream.commanding import free_port
from tests.upstream.serving import proxy, raw_provider

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEY = "right-key-0123456789"
SPEC = ProviderSpec(models={"m": Model()}, keys=frozenset({KEY}))


def examined(subject: Subject) -> tuple[list[Finding], list[str]]:
    told: list[str] = []
    found = asyncio.run(
        examine(subject, lambda title, done, of: told.append(f"{done}/{of} {title}"))
    )
    return found, told


def config(*profiles: str) -> str:
    return "\n".join((f"server: {{port: {free_port()}}}", "profiles:", *profiles))


def profile(name: str, base_url: str, model: str = "m", key: str = KEY) -> str:
    return f"  {name}: {{base_url: '{base_url}', model: {model}, api_key: '{key}', tier: paid}}"


def bad(found: list[Finding]) -> set[tuple[str, str]]:
    return {(each.check, each.about) for each in found if each.level is Level.PROBLEM}


def test_a_sound_set_up_has_no_problem(tmp_path: Path) -> None:
    with running(SPEC, SPEC) as (one, two):
        subject = set_up(tmp_path, config(profile("a", one.base_url), profile("b", two.base_url)))
        found, told = examined(subject)

    assert not bad(found)
    assert KEY not in repr(found)
    assert sorted(each.partition(" ")[2] for each in told) == [
        "configuration",
        "keys",
        "local servers",
        "machine",
        "port",
        "state",
    ]
    assert [each.check for each in found] == sorted(
        (each.check for each in found), key=list(BY_NAME).index
    )


def test_each_fault_is_named_and_no_other(tmp_path: Path) -> None:
    with running(SPEC) as (provider,):
        subject = set_up(
            tmp_path,
            config(
                profile("sound", provider.base_url),
                profile("denied", provider.base_url, key="wrong-key-0123456789"),
                profile("lacking", provider.base_url, model="mm"),
                profile("down", f"http://127.0.0.1:{free_port()}/v1"),
                profile("lost", "https://nobody.invalid/v1"),
            ),
        )
        found, _ = examined(subject)

    assert bad(found) == {
        ("net.dns", "nobody.invalid"),
        ("provider.key", "denied"),
        ("provider.model", "lacking"),
        ("server.local", "down"),
    }


def test_a_far_provider_is_asked_by_the_way_of_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(number: int) -> list[Finding]:
        async with proxy([]) as address:
            monkeypatch.setenv("HTTP_PROXY", address)
            far = f"http://api.example:{number}/v1"
            subject = set_up(tmp_path, config(profile("far", far), profile("lacks", far, "mm")))
            return await examine(subject, lambda *_: None)

    with running(SPEC) as (provider,):
        found = asyncio.run(run(int(provider.origin.rpartition(":")[2])))

    shown = {each.check: each.saw for each in found if each.about.startswith(("far", "api"))}
    assert shown["net.tcp"].startswith("goes through the proxy")
    assert shown["net.http"].startswith("answered 200")
    assert shown["net.clock"] == "within 30 s of api.example"
    assert bad(found) == {("provider.model", "lacks")}


def test_a_clock_that_is_wrong_is_told_by_whom_it_differs_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(number: int) -> list[Finding]:
        async with proxy([]) as address:
            monkeypatch.setenv("HTTP_PROXY", address)
            far = profile("far", f"http://api.example:{number}/v1")
            return await examine(set_up(tmp_path, config(far)), lambda *_: None)

    with running(SPEC, clock=lambda: time.time() + 1_000) as (provider,):
        found = asyncio.run(run(int(provider.origin.rpartition(":")[2])))

    assert bad(found) == {("net.clock", "api.example")}


RUINED = """\
server: {{port: {port}}}
profiles:
  literal: {{base_url: 'http://127.0.0.1:{down}/v1', model: m, api_key: sk-0123456789abcdef}}
  keyless: {{provider: mistral, model: mistral-small-latest}}
  quoted: {{provider: groq, model: llama-3.1-8b-instant, api_key: '${{GROQ_API_KEY}}'}}
  foreign: {{provider: openrouter, model: 'x:free', api_key: '${{OPENROUTER_API_KEY}}'}}
chains: {{alone: [quoted]}}
aliases: {{alone: quoted}}
"""
KEYS = """\
NO VALUE
GROQ_API_KEY='"gsk_0123456789abcdefghijklmnopqrstuvwxyz0123456789"'
OPENROUTER_API_KEY=sk-ant-0123456789abcdefghijklmnopqrstuvwxyz0123456789
"""


def test_a_ruin_is_named_stone_by_stone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    down = free_port()
    proxy_url = f"http://me:secret@127.0.0.1:{down}"
    monkeypatch.setenv("HTTPS_PROXY", proxy_url)
    SqliteJournal(tmp_path / "state" / "ledger.db").close()
    (tmp_path / "state" / "ledger.db").write_bytes(b"no pages" * 1_000)
    (tmp_path / "state").chmod(0o755)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        subject = set_up(
            tmp_path,
            RUINED.format(port=taken.getsockname()[1], down=down),
            KEYS,
            OPENROUTER_API_KEY="AIza0123456789abcdefghijklmnopqrstuvwxyz",
            HTTPS_PROXY=proxy_url,
        )
        (tmp_path / ".env").chmod(0o644)
        found, _ = examined(subject)

    faults = {each.check for each in found if each.level is not Level.OK}
    assert faults >= {
        "config.chains", "config.keys", "config.permissions", "config.warnings", "env.file",
        "env.key", "env.key_form", "env.key_owner", "env.proxy", "env.shadowed", "net.tcp",
        "port.gateway",
        "provider.model", "server.local", "state.file",
    }  # fmt: skip
    assert "secret" not in repr(found)
    assert "0123456789abcdef" not in repr(found)


def test_what_takes_too_long_is_a_problem_of_its_own() -> None:
    async def never() -> list[Finding]:
        await asyncio.Event().wait()
        return []

    (found,) = asyncio.run(bounded(Job("api.example", "net.tcp", never()), within_s=0.01))

    assert (found.level, found.about) == (Level.PROBLEM, "api.example")
    assert found.saw == "no answer within 0.01 s"


def test_a_configuration_that_can_not_be_used_leaves_the_rest_to_look_at(tmp_path: Path) -> None:
    problem = Problem(file="f", key="profiles", found="nothing", expected="a mapping")
    environ = {"SPILLOVER_STATE_DIR": str(tmp_path / "state"), "HTTPS_PROXY": "http://proxy:1"}
    subject = Subject(path=tmp_path / "f", environ=environ, problems=(problem,))

    found, _ = examined(subject)

    assert ("config.file", "f") in bad(found)
    assert {"env.proxy", "port.gateway", "state.file", "system.versions"} <= {
        each.check for each in found
    }


def test_a_provider_that_never_answers_holds_nobody_up(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> list[Finding]:
        async with raw_provider(silent) as url:
            subject = replace(set_up(tmp_path, config(profile("mute", url))), answer_s=0.2)
            return await examine(subject, lambda *_: None)

    began_s = time.monotonic()
    found = asyncio.run(run())

    assert ("server.local", "mute") in bad(found)
    assert time.monotonic() - began_s < WITHIN_S


def test_the_same_finding_is_told_once() -> None:
    one = Finding(check="env.key", saw="x")

    assert in_order([Finding(check="net.tcp", saw="y"), one, one]) == [
        one,
        Finding(check="net.tcp", saw="y"),
    ]

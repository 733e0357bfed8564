"""The way to a host: its address, the connection, the certificate, the clock; on each system."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from spillover.doctor.findings import Finding, Level
from spillover.doctor.judge.network import Certificate, Way, clock, way
from spillover.doctor.systems import System

NOW = 1_800_000_000.0
GOOD = Certificate(issuer="Let's Encrypt R3", ends_at=NOW + 60 * 86_400)
UP = Way(
    host="api.example",
    port=443,
    secure=True,
    addresses=("192.0.2.1",),
    tcp_ms=12.0,
    certificate=GOOD,
)


def worst(found: Way, system: System = System.LINUX) -> Finding:
    every = list(way(found, system, NOW))
    return max(every, key=lambda each: list(Level).index(each.level))


def test_a_way_without_faults_is_sound_at_every_step() -> None:
    found = list(way(UP, System.LINUX, NOW))

    assert [each.check for each in found] == ["net.dns", "net.tcp", "net.tls"]
    assert {each.level for each in found} == {Level.OK}


@pytest.mark.parametrize(
    ("system", "flush"),
    [
        (System.LINUX, "resolvectl flush-caches"),
        (System.MACOS, "sudo dscacheutil -flushcache"),
        (System.WINDOWS, "ipconfig /flushdns"),
    ],
)
def test_a_host_without_an_address_is_told_with_the_systems_own_commands(
    system: System, flush: str
) -> None:
    found = worst(Way(host="api.example", port=443, secure=True, dns_error="unknown"), system)

    assert (found.check, found.level) == ("net.dns", Level.PROBLEM)
    assert flush in found.remedy
    assert "--resolver" in found.remedy


def test_a_host_that_another_resolver_knows_is_hidden_by_ours() -> None:
    lost = Way(
        host="api.example",
        port=443,
        secure=True,
        dns_error="unknown",
        resolver="192.0.2.53",
        other_addresses=("192.0.2.9",),
    )

    found = worst(lost, System.WINDOWS)

    assert "192.0.2.53 has 192.0.2.9" in found.saw
    assert "stale" in found.why
    assert found.remedy.startswith("ipconfig /flushdns")


def test_a_host_that_no_resolver_knows_is_not_there() -> None:
    lost = Way(
        host="a.example", port=443, secure=True, dns_error="unknown", resolver="r", other_error="no"
    )

    assert worst(lost).saw == "no address: unknown; r: no"


def test_an_address_that_no_longer_answers_is_stale_where_another_does() -> None:
    stale = replace(
        UP, tcp_error="connection refused", resolver="r", other_addresses=("192.0.2.9",),
        other_works=True,
    )  # fmt: skip

    dns, tcp = way(stale, System.LINUX, NOW)

    assert (dns.level, dns.why) == (Level.PROBLEM, "the system's address is stale")
    assert tcp.check == "net.tcp"


def test_a_refused_connection_is_told_with_a_way_to_try_it() -> None:
    found = worst(replace(UP, tcp_error="connection refused"), System.WINDOWS)

    assert found.check == "net.tcp"
    assert found.remedy == "Test-NetConnection -ComputerName api.example -Port 443"


@pytest.mark.parametrize(
    ("code", "fields", "why"),
    [
        (10, {}, "has expired"),
        (10, {"skew_s": 9e7}, "this machine's clock is wrong"),
        (9, {}, "begins in the future"),
        (62, {"certificate": Certificate(names=("portal.test",))}, "it is of portal.test"),
        (20, {"certificate": Certificate(issuer="Zscaler Root")}, "a company's proxy"),
        (19, {"certificate": Certificate(issuer="Who Knows")}, "TLS is intercepted here"),
        (0, {}, "no secure connection"),
    ],
    ids=["expired", "clock", "early", "name", "interceptor", "unknown signer", "other"],
)
def test_each_fault_of_a_certificate_has_its_own_reason(
    code: int, fields: dict[str, Any], why: str
) -> None:
    found = list(way(replace(UP, tls_error="refused", tls_code=code, **fields), System.LINUX, NOW))

    assert found[-1].level is Level.PROBLEM
    assert why in found[-1].why
    assert found[-1].remedy


def test_an_interceptor_that_is_trusted_is_told_all_the_same() -> None:
    found = worst(replace(UP, certificate=Certificate(issuer="Kaspersky Anti-Virus")))

    assert (found.check, found.level) == ("net.tls", Level.WARNING)
    assert "an antivirus looks into the connection" in found.saw


def test_a_certificate_that_soon_ends_is_a_note() -> None:
    found = worst(replace(UP, certificate=Certificate(issuer="x", ends_at=NOW + 86_400)))

    assert found.level is Level.NOTE
    assert "ends in 1 days" in found.saw


def test_a_proxy_stands_for_the_way() -> None:
    (up,) = way(replace(UP, proxy="http://proxy:3128"), System.LINUX, NOW)
    (down,) = way(
        replace(UP, proxy="http://proxy:3128", tcp_error="connection refused"), System.LINUX, NOW
    )

    assert up.level is Level.OK
    assert (down.level, down.check) == (Level.PROBLEM, "net.tcp")
    assert "the proxy http://proxy:3128" in down.saw


@pytest.mark.parametrize(
    ("skew_s", "level"),
    [(3.0, Level.OK), (-45.0, Level.WARNING), (4_000.0, Level.PROBLEM)],
)
def test_a_clock_is_judged_by_how_far_it_is_off(skew_s: float, level: Level) -> None:
    (found,) = clock("api.example", skew_s, System.MACOS)

    assert found.level is level
    assert (level is Level.OK) is not ("sntp" in found.remedy)
    assert not list(clock("api.example", None, System.MACOS))

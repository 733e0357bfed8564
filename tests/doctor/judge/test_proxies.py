"""Proxies of the environment: which kind, and whether this machine is left out."""

from __future__ import annotations

from pathlib import Path

from spillover.doctor.findings import Level, SetVariable
from spillover.doctor.judge.proxies import Proxies, leaves_out, proxies
from spillover.doctor.systems import System

ENV = Path("conf/.env")


def found(system: System = System.LINUX, **fields: object) -> Proxies:
    return Proxies(env_path=ENV, proxies={"https": "http://proxy:3128"}, **fields)  # type: ignore[arg-type]


def test_no_proxy_is_no_trouble() -> None:
    (one,) = proxies(Proxies(env_path=ENV), System.LINUX)

    assert one.level is Level.OK


def test_a_proxy_that_would_be_asked_for_this_machine_is_told_and_mended() -> None:
    (one,) = proxies(found(no_proxy="example.com, localhost"), System.WINDOWS)

    assert (one.check, one.level) == ("env.proxy", Level.WARNING)
    assert "does not leave out 127.0.0.1" in one.saw
    assert one.fix == SetVariable(
        path=ENV, name="NO_PROXY", value="example.com, localhost,127.0.0.1"
    )
    assert one.remedy.startswith('$env:NO_PROXY = "')


def test_a_proxy_that_leaves_this_machine_out_is_sound() -> None:
    (one,) = proxies(found(no_proxy="localhost,127.0.0.1"), System.LINUX)

    assert one.level is Level.OK


def test_what_the_env_file_leaves_out_this_shell_may_not() -> None:
    (one,) = proxies(found(env_no_proxy="localhost,127.0.0.1"), System.LINUX)

    assert one.level is Level.NOTE
    assert one.remedy == "export NO_PROXY=localhost,127.0.0.1"


def test_a_proxy_of_another_kind_is_of_no_use() -> None:
    socks = Proxies(env_path=ENV, proxies={"all": "socks5://proxy:1080"}, no_proxy="*")

    bad, rest = proxies(socks, System.LINUX)

    assert (bad.level, bad.about) == (Level.PROBLEM, "all_proxy")
    assert "kind socks5" in bad.saw
    assert rest.level is Level.OK


def test_a_star_leaves_everything_out() -> None:
    assert leaves_out("*", "localhost")
    assert leaves_out(".localhost", "localhost")
    assert not leaves_out("", "localhost")

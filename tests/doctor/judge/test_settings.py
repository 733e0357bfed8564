"""The configuration itself: what keeps it from being used, who can read it, chains with no way out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spillover.config.assemble import assemble
from spillover.config.loader import load, load_document
from spillover.doctor.findings import Level, OnlyOwner
from spillover.doctor.judge.settings import (
    Access,
    chains,
    limits,
    literal_keys,
    permissions,
    unusable,
    usable,
)
from spillover.doctor.systems import System
from spillover.errors import Problem

if TYPE_CHECKING:
    from spillover.config.routing import Routing

FILE = Path("spillover.yaml")


def routing(profiles: dict[str, Any], **more: Any) -> Routing:
    loaded = load_document({"profiles": profiles, **more}, environ={"GROQ_API_KEY": "k"})
    return assemble(loaded, loaded.catalogue)


def far(number: int) -> dict[str, str]:
    return {"base_url": f"https://api{number}.example/v1", "model": "m"}


def test_every_problem_of_a_file_is_a_finding_with_its_place() -> None:
    problem = Problem(
        file="spillover.yaml", line=3, key="profiles.x.model", found="'m'", expected="'n'"
    )

    (found,) = unusable([problem], FILE, exists=True)
    (absent,) = unusable([problem], FILE, exists=False)

    assert (found.check, found.level) == ("config.file", Level.PROBLEM)
    assert found.saw == "line 3, profiles.x.model: 'm'"
    assert found.remedy == "spillover check --config spillover.yaml"
    assert absent.remedy == "spillover init"


def test_what_is_odd_and_keys_that_are_written_out_are_told(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(
        "profiles: {a: {base_url: 'https://a.example/v1', model: m, api_key: sk-0123456789abcdef}}\n"
        "aliases: {'*': a, x: a}\n"
    )

    found = {each.check: each for each in usable(load(path, environ={}), path)}

    assert found["config.file"].level is Level.OK
    assert "below '*'" in found["config.warnings"].saw
    assert "profiles.a.api_key" in found["config.keys"].saw
    assert "sk-0" not in str(found)


def test_each_literal_key_has_a_variable_to_go_to(tmp_path: Path) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(
        "server: {admin_key: mine, client_keys: [one]}\n"
        "profiles:\n"
        "  groq: {provider: groq, model: m, api_key: a}\n"
        "  glm-1: {provider: openrouter, model: m, api_key: b, headers: {x-key: c}}\n"
        "  own: {base_url: 'http://127.0.0.1:4000/v1', model: m, api_key: d}\n"
    )

    found = {
        each.check: each for each in usable(load(path, environ={"OPENROUTER_API_KEY": "e"}), path)
    }

    assert found["config.keys"].remedy.splitlines() == [
        "server.admin_key: ${SPILLOVER_ADMIN_KEY}",
        "server.client_keys[0]: ${SPILLOVER_CLIENT_KEYS_0}",
        "profiles.groq.api_key: ${GROQ_API_KEY}",
        "profiles.glm-1.api_key: ${GLM_1_API_KEY}",
        "profiles.glm-1.headers.x-key: ${GLM_1_HEADERS_X_KEY}",
        "profiles.own.api_key: ${OWN_API_KEY}",
        f"and each key as NAME=key in {tmp_path / '.env'}",
    ]


def test_named_keys_are_no_literal_ones() -> None:
    document = {
        "profiles": {
            "a": {"api_key": "${A}"},
            "b": {"api_key": "file:b.key"},
            "c": {"api_key": "keyring:c", "headers": {"x-key": "literal"}},
        },
        "server": {"client_keys": ["mine", ""]},
    }

    assert list(literal_keys(document)) == [
        ("profiles", "c", "headers", "x-key"),
        ("server", "client_keys", 0),
    ]


def test_files_that_others_can_read_are_named_with_what_closes_them() -> None:
    closed = Access(path=Path("a/.env"), what="the .env", mode=0o100600)
    open_ = Access(path=Path("a b/.env"), what="the .env", mode=0o100644)
    absent = Access(path=Path("none"), what="nothing", mode=None)

    (found,) = permissions([closed, open_, absent], System.LINUX, check="config.permissions")

    assert found.level is Level.WARNING
    assert "mode 644" in found.saw
    assert found.remedy == "chmod go= 'a b/.env'"
    assert found.fix == OnlyOwner(path=Path("a b/.env"))


def test_closed_files_are_sound_and_absent_ones_are_nothing() -> None:
    closed = Access(path=Path("a/.env"), what="the .env", mode=0o100600)
    absent = Access(path=Path("none"), what="nothing", mode=None)

    (sound,) = permissions([closed], System.MACOS, check="config.permissions")

    assert sound.level is Level.OK
    assert not list(permissions([absent], System.MACOS, check="config.permissions"))


def test_windows_has_other_permissions() -> None:
    here = Access(path=Path(__file__), what="the .env", mode=0o100666)

    (found,) = permissions([here], System.WINDOWS, check="config.permissions")

    assert found.level is Level.OK
    assert found.remedy.startswith("icacls ")


def test_a_chain_of_one_has_nothing_to_fall_back_to() -> None:
    found = {
        each.about: each
        for each in chains(
            routing(
                {"a": far(1), "b": far(1), "c": far(2)},
                chains={"alone": ["a"], "same": ["a", "b"], "good": ["a", "c"]},
            )
        )
    }

    assert found["alone"].level is Level.WARNING
    assert "nothing to fall back to" in found["alone"].why
    assert found["same"].level is Level.NOTE
    assert found["good"].level is Level.OK


def test_a_free_profile_without_limits_could_have_the_known_ones() -> None:
    groq = {"provider": "groq", "api_key": "k", "model": "openai/gpt-oss-120b"}
    loaded = load_document({"profiles": {"a": groq}}, environ={})

    (found,) = limits(assemble(loaded, loaded.catalogue), loaded.catalogue)

    assert found.about == "a"
    assert found.remedy == "profiles.a: limits: free"
    assert not list(limits(routing({"a": {**groq, "limits": "free"}}), loaded.catalogue))

"""The image and its composition are as small a target as can be, and take what is locked."""

from __future__ import annotations

import re
import shlex
from typing import Any

from ruamel.yaml import YAML

from tests.structure.project import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "compose.yaml").read_text("utf-8"))
GATEWAY: dict[str, Any] = COMPOSE["services"]["spillover"]


def instructions() -> list[tuple[str, str]]:
    """Return the file's instructions, each with what it says on one line."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    lines = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [(name, " ".join(rest.split())) for name, rest in lines]


def last(name: str) -> str:
    return [rest for found, rest in instructions() if found == name][-1]


def test_every_instruction_is_one_that_exists() -> None:
    known = {
        "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME",
        "WORKDIR",
    }  # fmt: skip

    assert {name for name, _ in instructions()} == known
    assert instructions()[0][0] == "FROM"


def test_what_is_installed_is_locked_by_hash_and_built_from_here() -> None:
    installs = [
        command
        for name, rest in instructions()
        if name == "RUN"
        for command in rest.split(" && ")
        if "pip" in command and " install " in command
    ]

    assert len(installs) == 3
    for command in installs:
        words = shlex.split(command)
        assert "--no-deps" in words
        assert "--require-hashes" in words or words[-1].endswith("/*.whl")
    assert "://" not in re.sub(r"http://127\.0\.0\.1:4400\S*", "", DOCKERFILE)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line[:1] == "!"
    }
    copied = [
        word
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for word in rest.split()[:-1]
    ]

    assert copied
    assert all((ROOT / word).exists() for word in copied)
    assert set(copied) <= kept


def test_it_runs_as_nobody_in_particular_and_writes_to_its_volumes_alone() -> None:
    user = last("USER")
    volumes = re.findall(r'"(/\w+)"', last("VOLUME"))

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert volumes == ["/config", "/state"]
    environment = last("ENV")
    assert "SPILLOVER_CONFIG=/config/spillover.yaml" in environment
    assert "SPILLOVER_STATE_DIR=/state" in environment
    assert GATEWAY["user"] == user
    assert GATEWAY["read_only"] is True
    assert GATEWAY["cap_drop"] == ["ALL"]
    assert GATEWAY["security_opt"] == ["no-new-privileges:true"]
    assert {each.split(":")[1] for each in GATEWAY["volumes"]} == set(volumes)
    assert {each.split(":")[0] for each in GATEWAY["volumes"]} == set(COMPOSE["volumes"])


def test_its_health_is_asked_and_this_machine_alone_reaches_it() -> None:
    check = GATEWAY["healthcheck"]["test"]

    assert "/health/live" in check[-1]
    compile(check[-1], "healthcheck", "exec")
    assert check[-1] in last("HEALTHCHECK")
    assert GATEWAY["ports"] == ["127.0.0.1:4400:4400"]
    assert '"--host", "0.0.0.0"' in last("CMD")
    assert last("EXPOSE") == "4400"

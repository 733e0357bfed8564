"""What keeps the gateway from starting a server is seen before it tries, and its own word is asked for."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from spillover.core.managed import ManagedState
from spillover.doctor.probe.managed import Crew, crew, post
from tests.doctor.setup import set_up
from tests.serving import serving
from tests.upstream.commanding import free_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from spillover.doctor.judge.managed import Post
    from spillover.doctor.probe.subject import Subject


def managed(*command: str, port: int = 0, **more: Any) -> dict[str, Any]:
    profile = {
        "base_url": f"http://127.0.0.1:{free_port()}/v1",
        "model": "m",
        "upstream": {"command": [*command], **more},
    }
    return {"server": {"port": port or free_port()}, "profiles": {"p": profile}}


def of(folder: Path, *command: str, **more: Any) -> Subject:
    return set_up(folder, json.dumps(managed(*command, **more)))


def posted(subject: Subject, kind: str = "", found: Crew | None = None) -> Post:
    assert subject.routing is not None
    (server,) = subject.routing.managed
    return asyncio.run(post(server, kind, found or Crew(at="")))


def program(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.touch(0o755)
    return path.name


def test_a_program_is_looked_for_as_the_gateway_does(tmp_path: Path) -> None:
    name = program(tmp_path / "bin" / "my-server")
    path = {"env": {"PATH": str(tmp_path / "bin")}}

    assert posted(of(tmp_path, name)).lacks == "my-server is not found on the PATH"
    assert posted(of(tmp_path, name, **path)).lacks == ""
    assert posted(of(tmp_path, f"bin/{name}")).lacks == ""
    assert posted(of(tmp_path, f"other/{name}")).lacks == (
        f"other/my-server is not found in {tmp_path}"
    )


def test_what_brings_a_known_program_is_told(tmp_path: Path) -> None:
    found = posted(of(tmp_path, "litellm", env={"PATH": str(tmp_path)}), "litellm")

    assert found.install == "pip install 'litellm[proxy]'"


@pytest.mark.parametrize(
    ("arguments", "content", "lacks"),
    [
        (("--config", "its.yaml"), "model_list: [{model_name: m}]", ""),
        ((), None, ""),
        (("--config",), None, ""),
        (("--config=its.yaml",), None, "its file its.yaml: No such file or directory"),
        (("-c", "its.yaml"), "model_list: []", "its file its.yaml has no model_list"),
        (("-c", "its.yaml"), "general_settings: {}", "its file its.yaml has no model_list"),
        (("-c", "its.yaml"), "a: [", "its file its.yaml: it can't be read on line"),
    ],
    ids=["sound", "none", "no name", "gone", "empty", "no list", "no YAML"],
)
def test_litellms_own_file_is_read_before_it_fails_on_it(
    tmp_path: Path, arguments: tuple[str, ...], content: str | None, lacks: str
) -> None:
    program(tmp_path / "bin" / "litellm")
    if content is not None:
        (tmp_path / "its.yaml").write_text(content, "utf-8")

    found = posted(of(tmp_path, "bin/litellm", *arguments), "litellm")

    assert found.lacks.startswith(lacks)
    assert (bool(found.lacks), str(tmp_path / "its.yaml") in found.install) == (
        bool(lacks),
        bool(lacks),
    )


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    subject = of(folder, "my-server")
    (folder / "spillover.yaml").unlink()
    folder.rmdir()

    assert posted(subject).lacks == f"its folder {folder} is not there"


def test_a_gateway_that_runs_is_asked_how_its_servers_stand(tmp_path: Path) -> None:
    document = managed("/no/such/program")
    with serving(document) as served:
        wait_until(lambda: served.get("/api/status").json["upstreams"]["p"]["reason"])
        document["server"]["port"] = urlsplit(served.address).port
        subject = set_up(tmp_path, json.dumps(document))
        found = asyncio.run(crew(subject))
        standing = posted(subject, found=found)

    assert (standing.gateway, standing.gateway_at) == (True, urlsplit(served.address).netloc)
    assert standing.state is ManagedState.WAITING
    assert "No such file or directory: /no/such/program" in standing.reason


def test_nobody_is_asked_where_none_runs_or_there_is_nothing_to_run(tmp_path: Path) -> None:
    port = free_port()
    none_runs = asyncio.run(crew(of(tmp_path, "litellm", port=port)))
    nothing = set_up(tmp_path, "profiles: {p: {base_url: 'http://a.example/v1', model: m}}\n")

    assert (none_runs.runs, none_runs.at) == (False, f"127.0.0.1:{port}")
    assert not asyncio.run(crew(nothing)).runs

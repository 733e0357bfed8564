"""`spillover add` writes a provider's profile into the configuration, whether a gateway runs or not."""

from __future__ import annotations

import io
import stat
from typing import TYPE_CHECKING

import pytest

from spillover.cli.entry import run
from spillover.config.loader import load
from tests.cli.terminal import spillover
from tests.config.rings import ring_in_use
from tests.serving import serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
# mine
profiles:
  own: {base_url: "http://127.0.0.1:9/v1", model: m}   # first
chains:
  work: [own]
"""


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "spillover.yaml"


@pytest.fixture(name="mine")
def _mine(path: Path) -> Path:
    path.parent.mkdir()
    path.write_text(TEXT, "utf-8")
    return path


def add(path: Path, *arguments: str) -> int:
    return run(["add", *arguments, "--config", str(path)])


def test_the_first_one_makes_the_file_with_whatever_else_is_there(path: Path) -> None:
    added = spillover(
        "add", "openrouter", "--key", "env:MY_KEY", "--model", "z-ai/glm-5:free", "--config", path,
        MY_KEY="sk-or-1", GROQ_API_KEY="gsk_1",
    )  # fmt: skip
    checked = spillover("check", "--config", path, MY_KEY="sk-or-1", GROQ_API_KEY="gsk_1")

    assert added.stdout.splitlines() == [
        "added openrouter (z-ai/glm-5:free, free limits) to the chain default, last",
        f"in {path}",
    ]
    assert (added.returncode, checked.returncode) == (0, 0)
    loaded = load(path, environ={"MY_KEY": "sk-or-1", "GROQ_API_KEY": "gsk_1"})
    assert [each.profile for each in loaded.config.chains["default"].profiles] == [
        "groq",
        "openrouter",
    ]
    assert "${MY_KEY}" in path.read_text("utf-8")


def test_a_provider_whose_key_is_there_is_added_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_1")

    assert add(path, "groq") == 0

    assert list(load(path, environ={"GROQ_API_KEY": "gsk_1"}).config.profiles) == ["groq"]
    assert "to the chain default" in capsys.readouterr().out


def test_it_is_put_into_a_file_that_is_there_and_the_rest_stays(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = add(mine, "groq", "--first", "--name", "fast")

    assert code == 0
    assert mine.read_text("utf-8") == TEXT.replace(
        "\nchains", '\n  fast: {provider: groq, api_key: "${GROQ_API_KEY}", '
        "model: openai/gpt-oss-120b, limits: free}\nchains"
    ).replace("[own]", "[fast, own]")  # fmt: skip
    said = capsys.readouterr().out
    assert "added fast (openai/gpt-oss-120b, free limits) to the chain work, first" in said
    assert "GROQ_API_KEY is not set" in said


def test_a_key_that_is_read_is_kept_out_of_the_file(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "gsk_read-0123456789"
    with ring_in_use() as ring:
        ring.locked = True
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
        assert add(mine, "groq", "--key", "-") == 0
        ring.locked = False
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
        assert add(mine, "groq", "--key", "-", "--name", "groq-2") == 0
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
        assert add(mine, "groq", "--key", "-", "--name", "c", "--chain", "nowhere") == 1
        held = list(ring.held.values())

    (file,) = (mine.parent / "keys").iterdir()
    assert held == [key]
    assert file.read_text("utf-8").strip() == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key not in mine.read_text("utf-8") + "".join(capsys.readouterr())


def test_what_is_there_already_is_refused_by_its_name(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(mine, "groq", "--name", "fast") == 0
    text = mine.read_text("utf-8")

    assert add(mine, "groq") == 1

    said = capsys.readouterr().err
    assert "the profile 'fast' asks groq for openai/gpt-oss-120b already" in said
    assert "--name" in said
    assert mine.read_text("utf-8") == text


def test_another_model_or_a_name_of_its_own_is_another_profile(mine: Path) -> None:
    assert add(mine, "groq") == 0
    assert add(mine, "groq", "--model", "openai/gpt-oss-20b") == 0
    assert add(mine, "groq", "--name", "of-another-account", "--key", "env:OTHER_KEY") == 0

    assert list(load(mine, environ={}).config.chains["work"].profiles)[-1].profile == (
        "of-another-account"
    )
    assert list(load(mine, environ={}).config.profiles) == [
        "own", "groq", "groq-2", "of-another-account"
    ]  # fmt: skip


def test_a_gateway_that_runs_takes_it_over(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPILLOVER_STATE_DIR")  # the gateway of tests has an environment of its own
    with serving(load(mine, environ={}), follow=True) as served:
        assert add(mine, "groq", "--first") == 0
        wait_until(lambda: served.get("/api/chains/work").json["profiles"] == ["groq", "own"])
        undone = served.post("/api/config/undo").json

    assert undone["restored"]["what"] == "before the first change"
    assert mine.read_text("utf-8") == TEXT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grok"], "did you mean 'groq'?"),
        (["groq", "--name", "own"], "called 'own' already"),
        (["groq", "--name", "a b"], "is no name"),
        (["groq", "--chain", "wrok"], "did you mean 'work'?"),
        (["groq", "--key", "gsk_literal"], "env:NAME"),
        (["groq", "--key", "env:A B"], "plain name"),
        (["vllm"], "say --model"),
    ],
    ids=str,
)
def test_what_can_not_be_added_is_told_and_the_file_is_left_alone(
    mine: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    code = add(mine, *arguments)

    shown = capsys.readouterr().err
    assert code == 1
    assert said in shown
    assert "gsk_literal" not in shown
    assert mine.read_text("utf-8") == TEXT

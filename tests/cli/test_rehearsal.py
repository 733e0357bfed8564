"""`spillover doctor --offline` proves a set-up without a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.in_process import Done, runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """\
profiles:
  groq: {provider: groq, api_key: "${GROQ_API_KEY}", model: openai/gpt-oss-120b, limits: free}
  openai: {provider: openai, api_key: "${OPENAI_API_KEY}", model: gpt-5-mini, tier: paid}
  plain: {base_url: "https://plain.example/v1", model: m}
chains:
  default: [groq, openai]
  hammering: {profiles: [plain, openai], cooldown: {rate_limited: {fixed: 0s}}}
"""


@pytest.fixture(name="spillover")
def _spillover(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return runner(capsys)


def test_a_chain_is_proved_without_a_key(
    spillover: Callable[..., Done], tmp_path: Path, own_folders: Path
) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(CONFIG)

    done = spillover("doctor", "--offline", "--config", path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "default  groq, openai" in done.stdout
    assert "✓ 429" in done.stdout
    assert "14 promises held" in done.stdout
    assert not own_folders.exists()


def test_a_broken_promise_exits_with_1_and_an_unknown_chain_is_told(
    spillover: Callable[..., Done], tmp_path: Path
) -> None:
    path = tmp_path / "spillover.yaml"
    path.write_text(CONFIG)

    broken = spillover("doctor", "hammering", "--offline", "--json", "--config", path)
    unknown = spillover("doctor", "defalt", "--offline", "--config", path)

    assert broken.returncode == 1
    assert [each["act"] for each in json.loads(broken.stdout) if each["outcome"] == "broken"] == [
        "429"
    ]
    assert "did you mean 'default'?" in unknown.stderr

"""A gateway, a library and the command line side by side share everything that is counted and set."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from spillover.cli.entry import run
from spillover.library import Spillover
from tests.cli.terminal import SECONDS, serving, spillover
from tests.cli.test_serve import chat
from tests.library.setting import Setting, two_providers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spillover.library import SyncSpillover

LIMIT = 30


@contextmanager
def side_by_side(folder: Path) -> Iterator[tuple[Setting, str, SyncSpillover]]:
    """Run a gateway in a process of its own and a library in this one."""
    with (
        two_providers(folder, limit=LIMIT) as setting,
        serving("serve", "--port", 0, "--config", setting.path) as gateway,
        Spillover.open_sync(setting.path) as llm,
    ):
        yield setting, gateway.address, llm


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Setting, str, SyncSpillover]]:
    folder = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPILLOVER_STATE_DIR", str(folder / "state"))
        with side_by_side(folder) as both:
            yield both


@pytest.fixture(name="fresh")
def _fresh(
    both: tuple[Setting, str, SyncSpillover], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Setting, str, SyncSpillover]]:
    """Let every test begin with unused limits, in the folder that both share."""
    setting, _, llm = both
    monkeypatch.setenv("SPILLOVER_STATE_DIR", str(setting.path.parent / "state"))
    setting.first.reset()
    setting.second.reset()
    assert command(setting, "usage", "clear") == 0
    yield both
    assert command(setting, "use", "default", "auto") == 0
    assert command(setting, "enable", "first") == 0
    wait_until(lambda: is_as_it_was(llm.status()))


def is_as_it_was(status: dict[str, Any]) -> bool:
    """Whether who says so has seen that nothing is pinned and disabled any more."""
    is_pinned = status["chains"]["default"]["pinned"] is not None
    return not is_pinned and status["profiles"]["first"]["status"] != "disabled"


def command(setting: Setting, *words: str) -> int:
    return run([*words, "--config", str(setting.path)])


def gateway_status(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/api/status", timeout=SECONDS) as response:
        status: dict[str, Any] = json.load(response)
        return status


def test_both_together_never_exceed_a_limit(fresh: tuple[Setting, str, SyncSpillover]) -> None:
    setting, address, llm = fresh

    with ThreadPoolExecutor(16) as pool:
        by_gateway = [pool.submit(chat, address) for _ in range(40)]
        by_library = [pool.submit(llm.chat, "hi") for _ in range(40)]
        served = [future.result()["profile"] for future in by_gateway]
        served += [future.result().profile for future in by_library]

    assert served.count("first") == LIMIT
    assert served.count("second") == 80 - LIMIT
    assert setting.first.counters().received == LIMIT


def test_what_one_used_the_other_shows(fresh: tuple[Setting, str, SyncSpillover]) -> None:
    _, address, llm = fresh

    chat(address)
    llm.chat("hi")

    wait_until(
        lambda: gateway_status(address)["profiles"]["first"]["usage"]["minute"]["requests"] == 2
    )
    assert llm.status()["profiles"]["first"]["usage"]["minute"]["requests"] == 2


def test_a_cooldown_that_one_learned_keeps_the_other_away(
    fresh: tuple[Setting, str, SyncSpillover],
) -> None:
    setting, address, llm = fresh
    setting.first.script("overloaded")

    by_library = llm.chat("hi").profile
    wait_until(lambda: gateway_status(address)["profiles"]["first"]["status"] == "cooldown")
    by_gateway = chat(address)["profile"]

    assert (by_library, by_gateway) == ("second", "second")
    assert setting.first.counters().received == 1


def test_a_pin_of_the_command_line_holds_in_both(
    fresh: tuple[Setting, str, SyncSpillover],
) -> None:
    setting, address, llm = fresh

    shown = spillover("use", "default", "second", "--config", setting.path)
    wait_until(lambda: gateway_status(address)["chains"]["default"]["pinned"] == "second")

    wait_until(lambda: llm.chat("hi").profile == "second")

    assert shown.returncode == 0
    assert chat(address)["profile"] == "second"


def test_a_profile_disabled_by_the_command_line_is_off_in_both(
    fresh: tuple[Setting, str, SyncSpillover],
) -> None:
    setting, address, llm = fresh

    shown = spillover("disable", "first", "--config", setting.path)
    wait_until(lambda: gateway_status(address)["profiles"]["first"]["status"] == "disabled")

    wait_until(lambda: llm.chat("hi").profile == "second")

    assert shown.returncode == 0
    assert chat(address)["profile"] == "second"


def test_usage_cleared_by_the_command_line_opens_the_profile_in_both(
    fresh: tuple[Setting, str, SyncSpillover],
) -> None:
    setting, address, llm = fresh
    for _ in range(LIMIT):
        llm.chat("hi")
    assert chat(address)["profile"] == "second"

    shown = spillover("usage", "clear", "first", "--config", setting.path)

    assert shown.returncode == 0
    assert (chat(address)["profile"], llm.chat("hi").profile) == ("first", "first")


def test_the_command_line_shows_what_both_counted(
    fresh: tuple[Setting, str, SyncSpillover],
) -> None:
    setting, address, llm = fresh
    chat(address)
    llm.chat("hi")

    shown = spillover("usage", "--json", "--config", setting.path)

    used = json.loads(shown.stdout)["profiles"]["first"]
    assert used["minute"]["requests"] == 2


def test_two_libraries_on_event_loops_of_their_own_share_the_limit_too(
    fresh: tuple[Setting, str, SyncSpillover],
) -> None:
    setting, _, llm = fresh

    async def other() -> list[str]:
        async with Spillover.open(setting.path) as second:
            answers = await asyncio.gather(*(second.chat("hi") for _ in range(20)))
            return [answer.profile for answer in answers]

    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(asyncio.run, other())
        ours = [llm.chat("hi").profile for _ in range(20)]
        served = theirs.result() + ours

    assert served.count("first") == LIMIT


def test_a_shell_without_the_keys_sees_and_changes_what_the_gateway_has(tmp_path: Path) -> None:
    state = {"SPILLOVER_STATE_DIR": str(tmp_path / "state")}
    with two_providers(tmp_path, limit=LIMIT) as setting:
        text = setting.path.read_text("utf-8")
        keyed = text.replace("tier: free,", "tier: free, api_key: '${THE_FIRST_KEY}',")
        setting.path.write_text(keyed, "utf-8")

        def said(*words: str) -> Any:
            shown = spillover(*words, "--json", "--config", setting.path, **state)
            return json.loads(shown.stdout)

        def first() -> tuple[str, str | None]:
            found = said("status")["profiles"]["first"]
            return found["status"], found["reason"]

        alone = first()
        with serving(
            "serve", "--port", 0, "--config", setting.path, THE_FIRST_KEY="sk-of-the-first", **state
        ) as gateway:
            served = chat(gateway.address)["profile"]
            beside, explained = first(), said("explain")["serves"]
            setting.first.script("payment_required")
            chat(gateway.address)
            failed = first(), gateway_status(gateway.address)["profiles"]["first"]["status"]
            spillover("enable", "first", "--config", setting.path, **state)
            wait_until(
                lambda: gateway_status(gateway.address)["profiles"]["first"]["status"] == "active"
            )
        left = first()

    assert alone == left == ("failed", "key_missing")
    assert (served, beside, explained) == ("first", ("active", None), "first")
    assert failed == (("failed", "payment_required"), "failed")

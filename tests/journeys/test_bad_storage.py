"""Storage that fails costs no answer and no count: by default the record goes on in memory."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from openai import InternalServerError

from tests.cli.terminal import spillover
from tests.journeys.processes import ASKED, document, gateway, write
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.journeys.processes import Gateway, Provider

LEDGER = "ledger.db"


def counted_by_another(config: Path) -> int:
    """Return how many requests on `first` another process sees: what is on the disk."""
    shown = spillover("usage", "--json", "--config", config)
    count: int = json.loads(shown.stdout)["profiles"]["first"]["hour"]["requests"]
    return count


def degraded(served: Gateway) -> str | None:
    found: str | None = served.status()["ledger"]["degraded"]
    return found


def test_a_state_folder_that_can_t_be_made_is_done_without_until_it_can(
    config: Path, own_folders: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"requests_per_hour": 3}))
    own_folders.write_text("a file where the folder should be", "utf-8")

    with gateway(config) as served:
        answered = [served.served_by() for _ in range(4)]
        without = degraded(served)
        told = served.told("ledger.trouble")
        health = served.get("/health").json["status"]
        own_folders.unlink()
        wait_until(lambda: degraded(served) is None)
        written = counted_by_another(config)

    assert answered == ["first", "first", "first", "second"]
    assert without is not None
    assert str(own_folders) in told[0]["message"]
    assert health == "degraded"
    assert "the ledger" in served.text
    assert written == 3


def test_a_state_folder_that_can_t_be_made_is_refused_where_nothing_may_go_uncounted(
    config: Path, own_folders: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, on_ledger_error="fail_closed"))
    own_folders.write_text("a file where the folder should be", "utf-8")

    shown = spillover("serve", "--port", 0, "--config", config)

    assert shown.returncode == 1
    assert "the ledger can't be opened" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


# A disk that fills up while the gateway runs.


class SmallDisk:
    """A mounted disk of 1 MiB."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self, gateway: Gateway) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while file.write(b"\0" * 4_096):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - any other is a broken test

    def make_room(self, gateway: Gateway) -> None:
        self._ballast.unlink()


class SmallFiles:
    """A bound on how large the files of a running process may grow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self, gateway: Gateway) -> None:
        largest = max(path.stat().st_size for path in self._folder.iterdir())
        self._allow(gateway, largest)

    def make_room(self, gateway: Gateway) -> None:
        import resource

        self._allow(gateway, resource.RLIM_INFINITY)

    def _allow(self, gateway: Gateway, size: int) -> None:
        import resource

        assert sys.platform == "linux"
        bounds = (size, resource.RLIM_INFINITY)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, bounds)


@pytest.fixture(name="disk", params=["small disk", "small files"])
def _disk(request: pytest.FixtureRequest, own_folders: Path) -> Iterator[SmallDisk | SmallFiles]:
    if sys.platform != "linux":
        pytest.skip("bounds of a running process are set as Linux does")
    own_folders.mkdir()
    if request.param == "small files":
        yield SmallFiles(own_folders)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(own_folders)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield SmallDisk(own_folders)
    subprocess.run(["umount", str(own_folders)], check=True)


def test_a_full_disk_costs_no_answer_and_what_was_counted_is_written_later(
    disk: SmallDisk | SmallFiles, config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, limits={"requests_per_hour": 100_000}))

    with gateway(config) as served:
        served.served_by()
        disk.fill(served)
        wait_until(lambda: served.served_by() and degraded(served))
        answered = [served.served_by() for _ in range(20)]
        counted = served.used()["requests"]
        sent = first.accepted
        disk.make_room(served)
        wait_until(lambda: degraded(served) is None)
        written = counted_by_another(config)
        troubles = [event["failing"] for event in served.told("ledger.trouble")]

    assert answered == ["first"] * 20
    assert sent == counted == written
    assert troubles == [True, False]


def test_a_full_disk_stops_a_gateway_that_may_not_send_uncounted_until_there_is_room(
    disk: SmallDisk | SmallFiles, config: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second, on_ledger_error="fail_closed"))

    with gateway(config) as served, served.client() as client:
        served.served_by()
        disk.fill(served)
        wait_until(lambda: served.chat(messages=ASKED).status == 503)
        sent = first.accepted
        with pytest.raises(InternalServerError) as refused:
            client.chat.completions.create(model="default", messages=ASKED)
        stream = served.chat(messages=ASKED, stream=True)
        sent_meanwhile = first.accepted - sent
        disk.make_room(served)
        wait_until(lambda: served.chat(messages=ASKED).status == 200)

    assert (refused.value.status_code, refused.value.code) == (503, "ledger_unavailable")
    assert (stream.status, stream.error["code"]) == (503, "ledger_unavailable")
    assert "on_ledger_error" in refused.value.message
    assert sent_meanwhile == 0


def test_a_ledger_that_can_t_be_read_is_moved_aside_and_told_of(
    config: Path, own_folders: Path, first: Provider, second: Provider
) -> None:
    write(config, document(first, second))
    own_folders.mkdir()
    (own_folders / LEDGER).write_bytes(b"SQLite format 3\0" + b"\xaa" * 8_000)

    with gateway(config) as served:
        answered = served.served_by()
        [told] = served.told("ledger.trouble")
        counted = counted_by_another(config)

    [moved] = own_folders.glob(f"{LEDGER}.unusable-*")
    assert answered == "first"
    assert (told["failing"], counted) == (False, 1)
    assert str(moved) in told["message"]
    assert str(moved) in served.text
    assert moved.read_bytes().endswith(b"\xaa" * 8_000)

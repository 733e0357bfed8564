"""Everything that is told becomes a line, redacted, and nobody waits for it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.levels import LogLevel
from spillover.events import (
    BudgetReached,
    ConfigRejected,
    ConfigReloaded,
    Event,
    LedgerDrift,
    LedgerTrouble,
    ProfileStatus,
    RequestDone,
    RequestFallback,
    UpstreamStatus,
)
from spillover.events.log import LOGGER, Log, level_of, set_level
from spillover.events.logfile import LogFile, LogReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_800_000_000.125
SERVED = RequestDone(
    at=NOW,
    request_id="019ac1a2b3c001ab12",
    chain="default",
    profile="glm",
    outcome="served",
    trail="groq:rate_limited,glm:ok",
    took_ms=12.5,
    input_tokens=5,
    output_tokens=7,
)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Iterator[LogFile]:
    logger = logging.getLogger(LOGGER)
    before = logger.level
    set_level(LogLevel.INFO)
    yield LogFile(tmp_path / "log")
    logger.setLevel(before)


def written(file: LogFile) -> list[dict[str, Any]]:
    return [json.loads(line) for line in LogReader(file).lines()]


def redact(text: str) -> str:
    return text.replace("sk-secret", "sk…")


def test_a_request_is_a_line_with_all_that_its_event_tells(file: LogFile) -> None:
    log = Log(file, redact)
    log.put(SERVED)
    log.close()

    (line,) = written(file)
    assert list(line)[:4] == ["at", "level", "type", "request_id"]
    assert line == {
        "at": "2027-01-15T08:00:00.125Z",
        "level": "info",
        "type": "request.done",
        "request_id": "019ac1a2b3c001ab12",
        "chain": "default",
        "profile": "glm",
        "outcome": "served",
        "code": None,
        "trail": "groq:rate_limited,glm:ok",
        "took_ms": 12.5,
        "ttft_ms": None,
        "reserve_ms": 0.0,
        "input_tokens": 5,
        "output_tokens": 7,
        "reported": True,
        "garbage_events": 0,
    }


def test_a_secret_in_any_text_is_masked(file: LogFile) -> None:
    log = Log(file, redact)
    log.put(RequestDone(**{**as_fields(SERVED), "request_id": "sk-secret"}))
    log.put(ConfigRejected(at=NOW, path="p", problems=("found sk-secret",)))
    logger = logging.getLogger("spillover.test")
    logger.addHandler(log.handler)
    try:
        int("sk-secret")
    except ValueError:
        logger.exception("key %s failed", "sk-secret")
    finally:
        logger.removeHandler(log.handler)
    log.close()

    request, rejected, record = written(file)
    assert (request["request_id"], rejected["problems"]) == ("sk…", ["found sk…"])
    assert (record["level"], record["logger"]) == ("error", "spillover.test")
    assert record["message"] == "key sk… failed"
    assert record["traceback"].endswith("'sk…'\n")
    assert "sk-secret" not in file.path.read_text()


def as_fields(event: RequestDone) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (SERVED, "info"),
        (RequestDone(**{**as_fields(SERVED), "outcome": "refused"}), "warning"),
        (RequestDone(**{**as_fields(SERVED), "outcome": "cancelled"}), "info"),
        (RequestFallback(at=1, request_id="r", chain="c", source="a", to="b", cause="x"), "info"),
        (ProfileStatus(at=1, profile="a", source="active", to="failed"), "warning"),
        (ProfileStatus(at=1, profile="a", source="active", to="cooldown"), "info"),
        (UpstreamStatus(at=1, upstream="a", state="waiting"), "warning"),
        (UpstreamStatus(at=1, upstream="a", state="healthy"), "info"),
        (LedgerTrouble(at=1, failing=True, message="m"), "error"),
        (LedgerTrouble(at=1, failing=False, message="m"), "warning"),
        (LedgerDrift(at=1, profile="a", limit="l", counted=1, stated=0), "warning"),
        (ConfigReloaded(at=1, path="p"), "info"),
        (ConfigRejected(at=1, path="p", problems=()), "error"),
        (
            BudgetReached(
                at=1, profile="a", scope="profile", limit="l", percent=100, used=1, amount=1
            ),
            "warning",
        ),
    ],
)
def test_events_matter_as_much_as_they_keep_from_working(event: Event, level: str) -> None:
    assert level_of(event) == level


def test_what_matters_less_than_the_level_is_not_written(file: LogFile) -> None:
    set_level(LogLevel.ERROR)
    log = Log(file, redact)
    log.put(SERVED)
    log.put(LedgerTrouble(at=NOW, failing=True, message="m"))
    log.close()

    assert [line["type"] for line in written(file)] == ["ledger.trouble"]


def test_lines_that_come_too_fast_are_lost_and_counted(file: LogFile) -> None:
    log = Log(file, redact, most=2)
    for _ in range(10):
        log.put(SERVED)
    log.close()

    types = [line["type"] for line in written(file)]
    assert types.count("request.done") + log.lost == 10
    assert written(file)[-1] | {"at": ""} == {
        "at": "", "level": "warning", "type": "log.lost", "lines": log.lost
    }  # fmt: skip


def test_a_place_that_cannot_be_written_loses_lines_and_is_told_once(
    tmp_path: Path, file: LogFile, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file")
    log = Log(LogFile(tmp_path / "taken" / "log"), redact)
    log.put(SERVED)
    log.close()

    assert log.lost == 1
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the log can't be written"
    ]

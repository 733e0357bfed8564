"""The page on HTTP names everything that can be asked, told and measured."""

from __future__ import annotations

import asyncio
import re
import typing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from spillover.clock import SystemClock
from spillover.config.loader import load_document
from spillover.core.history import METRICS
from spillover.core.notices import NoticeKind
from spillover.core.refusals import Code, EndKind
from spillover.core.values import (
    Confidence,
    FailureClass,
    LimitScope,
    SkipReason,
    Source,
    Status,
)
from spillover.engine import EngineOptions, open_engine
from spillover.events import Bus, Event
from spillover.gateway.desk import ROUTES
from spillover.gateway.metrics import Metrics
from spillover.gateway.proxy import OPERATIONS
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from enum import StrEnum

PAGE = (ROOT / "docs" / "http.md").read_text("utf-8")
EVENTS: tuple[Any, ...] = typing.get_args(Event)


def below(heading: str) -> str:
    """What stands below a heading of a section or a table, up to the next one."""
    _, found, rest = PAGE.partition(f"\n{heading}\n")
    assert found, heading
    return re.split(r"\n#|\n\n\| of a ", rest, maxsplit=1)[0]


async def a_status() -> dict[str, Any]:
    """The status of one profile with a limit, in a chain."""
    profile = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "limits": {"requests_per_day": 5}}
    loaded = load_document({"profiles": {"p": profile}}, environ={})
    engine = await open_engine(loaded, EngineOptions(in_memory=True, clock=SystemClock()))
    try:
        return engine.status()
    finally:
        await engine.close()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_documented(route: Any) -> None:
    assert f"`{route.method} {route.path.replace(':path', '')}`" in PAGE


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_proxy_route_is_documented(path: str) -> None:
    assert f"`POST {path}`" in PAGE


@pytest.mark.parametrize("code", Code)
def test_every_error_code_is_documented(code: Code) -> None:
    assert f"`{code}`" in PAGE


@pytest.mark.parametrize(
    ("kinds", "heading"),
    [
        (SkipReason, "### Why a profile was left out"),
        (FailureClass, "### Outcomes of a send"),
        (EndKind, "### Outcomes of a request"),
        (Status, "| of a profile | meaning |"),
        (Confidence, "| of a profile | meaning |"),
        (Source, "| of a profile | meaning |"),
        (LimitScope, "| of a limit | meaning |"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_word_of_an_answer_is_documented_in_its_place(
    kinds: type[StrEnum], heading: str
) -> None:
    place = below(heading)

    assert [kind.value for kind in kinds if f"`{kind}`" not in place] == []


def test_every_field_of_the_status_document_is_documented() -> None:
    status = asyncio.run(a_status())
    (chain,), (profile,) = status["chains"].values(), status["profiles"].values()

    for heading, fields in (
        ("| of a chain | meaning |", chain),
        ("| of a profile | meaning |", profile | profile["usage"] | profile["usage"]["day"]),
        ("| of a limit | meaning |", profile["limits"][0]),
    ):
        assert [name for name in fields if f"`{name}`" not in below(heading)] == [], heading


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_is_documented(kind: NoticeKind) -> None:
    assert f"`{kind}`" in (ROOT / "docs" / "notices.md").read_text("utf-8")


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_of_the_history_is_documented(metric: str) -> None:
    assert f"`{metric}`" in below("| metric | of a profile, or of a chain |")


@pytest.mark.parametrize("reason", ["by_hand", "key_missing", "limit", "restarting"])
def test_every_reason_that_is_no_failure_is_documented(reason: str) -> None:
    assert f"`{reason}`" in below("| of a profile | meaning |")


@pytest.mark.parametrize(
    "field",
    ["chains_without_service", "benched_profiles", "ledger", "healthy", "degraded", "unhealthy"],
)
def test_every_field_of_health_is_documented(field: str) -> None:
    assert f"`{field}`" in below("### The document of `/health`")


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_documented_with_its_fields(kind: Any) -> None:
    (row,) = [
        line for line in PAGE.splitlines() if line.startswith(f"| `{kind.__struct_config__.tag}`")
    ]
    fields = {field.encode_name for field in msgspec.structs.fields(kind)} - {"at"}

    assert fields == {part.strip(" `") for part in row.split("|")[3].split(",")}


def test_every_metric_is_documented() -> None:
    engine = SimpleNamespace(events=Bus(), status=lambda: {"profiles": {}})
    kinds = {family.name: family.type for family in Metrics(cast("Any", engine)).collect()}

    for name, kind in kinds.items():
        written = (
            rf"\| `{name}{'_total' if kind == 'counter' else ''}(\{{[a-z,]+\}})?` \| {kind} \|"
        )
        assert re.search(written, PAGE), name

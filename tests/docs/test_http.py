"""The page on HTTP names everything that can be asked, told and measured."""

from __future__ import annotations

import re
import typing
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from spillover.core.refusals import Code
from spillover.events import Bus, Event
from spillover.gateway.desk import ROUTES
from spillover.gateway.metrics import Metrics
from spillover.gateway.proxy import OPERATIONS
from tests.structure.project import ROOT

PAGE = (ROOT / "docs" / "http.md").read_text("utf-8")
EVENTS: tuple[Any, ...] = typing.get_args(Event)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_documented(route: Any) -> None:
    assert f"`{route.method} {route.path.replace(':path', '')}`" in PAGE


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_proxy_route_is_documented(path: str) -> None:
    assert f"`POST {path}`" in PAGE


@pytest.mark.parametrize("code", Code)
def test_every_error_code_is_documented(code: Code) -> None:
    assert f"`{code}`" in PAGE


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

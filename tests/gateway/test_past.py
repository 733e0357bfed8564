"""History, traces and pace over HTTP."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from spillover.core.history import METRICS, SPANS
from tests.serving import HELLO, Reply, Served

if TYPE_CHECKING:
    from spillover.simulator import SimulatedProvider


def table(reply: Reply) -> list[dict[str, str]]:
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(reply.body.decode())))


def before_and_after(served: Served, path: str) -> tuple[Any, Any]:
    """What is answered before and after a request; the module's gateway has counted others."""
    before = served.get(path).json
    served.chat()
    return before, served.get(path).json


def test_history_is_arrays_for_a_plot(served: Served) -> None:
    before, after = before_and_after(served, "/api/history?span=hour")

    (one,) = [each for each in after["series"] if each["name"] == "one"]
    assert (after["span"], after["by"], after["step_s"]) == ("hour", "profile", 60)
    assert after["metrics"] == list(METRICS)
    assert after["totals"]["requests"] == before["totals"]["requests"] + 1
    assert {len(one[name]) for name in METRICS} == {len(after["at"])} == {60}
    assert sum(one["requests"]) == one["totals"]["requests"]
    assert after["from"] < after["to"]


@pytest.mark.parametrize("span", SPANS)
def test_every_span_has_the_request_that_just_ended(served: Served, span: str) -> None:
    before, after = before_and_after(served, f"/api/history?span={span}&by=chain&chain=default")

    assert [each["name"] for each in after["series"]] == ["default"]
    assert after["totals"]["requests"] == before["totals"]["requests"] + 1


def test_history_of_one_profile_leaves_out_the_others(served: Served) -> None:
    served.chat(model="two")
    served.post("/api/profiles/two/disable")
    served.chat(model="two")

    names = [each["name"] for each in served.get("/api/history").json["series"]]
    two = served.get("/api/history?profile=two").json["series"]

    assert [each["name"] for each in two] == ["two"]
    assert None in names, "nobody answered the second"


def test_history_is_exported_as_a_table(served: Served) -> None:
    served.chat()

    reply = served.get("/api/history?span=hour&by=chain&format=csv")

    rows = table(reply)
    assert (
        reply.headers["content-disposition"] == 'attachment; filename="spillover-history-hour.csv"'
    )
    assert list(rows[0]) == ["at", "chain", *METRICS]
    assert any(row["chain"] == "default" and float(row["requests"]) > 0 for row in rows)


def test_fallbacks_are_listed_filtered_and_exported(served: Served, one: SimulatedProvider) -> None:
    one.script("overloaded")
    request_id = served.chat().headers["x-spillover-request-id"]

    (found,) = served.get(f"/api/history/fallbacks?request_id={request_id}").json["fallbacks"]
    by_place = served.get("/api/history/fallbacks?from=one&to=two&chain=default&span=hour").json
    none = served.get("/api/history/fallbacks?to=").json
    rows = table(served.get("/api/history/fallbacks?format=csv&cause=overloaded"))

    assert (found["from"], found["to"], found["cause"]) == ("one", "two", "overloaded")
    assert found["waited_ms"] > 0
    assert found["until"] > found["at"]
    assert found in by_place["fallbacks"]
    assert none == {"fallbacks": [], "next": None}
    assert rows[0]["request_id"] == request_id
    assert list(rows[0]) == list(found)


def test_pages_of_fallbacks_follow_each_other(served: Served, one: SimulatedProvider) -> None:
    for _ in range(2):
        one.script("overloaded")
        served.chat()
        served.post("/api/profiles/one/clear-cooldown")

    first = served.get("/api/history/fallbacks?limit=1").json
    second = served.get(f"/api/history/fallbacks?limit=1&before={first['next']}").json

    assert first["next"] == first["fallbacks"][0]["id"]
    assert second["fallbacks"][0]["id"] < first["next"]


def test_savings_are_told(served: Served) -> None:
    found = served.get("/api/history/savings").json

    assert set(found) == {"since", "saved_usd", "spent_usd", "profiles", "unpriced"}


def test_requests_are_listed_and_shown_whole(served: Served) -> None:
    request_id = served.chat().headers["x-spillover-request-id"]

    (row,) = served.get("/api/requests?limit=1&outcome=served&profile=one").json["requests"]
    shown = served.get(f"/api/requests/{request_id}").json

    assert row["request_id"] == request_id
    assert row.items() <= shown.items()
    assert [each["profile"] for each in shown["attempts"]] == ["one"]
    assert "content" not in str(shown)


def test_a_clients_own_id_finds_its_request(served: Served) -> None:
    served.post("/v1/chat/completions", HELLO, x_request_id="my.request-1")

    assert served.get("/api/requests/my.request-1").json["request_id"] == "my.request-1"
    older = served.get("/api/requests?before=my.request-1&limit=500").json
    assert "my.request-1" not in [each["request_id"] for each in older["requests"]]


def test_a_request_that_is_not_kept_is_not_found(served: Served) -> None:
    reply = served.get("/api/requests/nobody")

    assert (reply.status, reply.error["code"]) == (404, "not_found")


def test_pace_is_shown_of_all_profiles_or_of_one(served: Served) -> None:
    served.chat(stream=True)

    every = served.get("/api/pace").json["profiles"]
    one = served.get("/api/profiles/one/pace").json

    assert list(every) == ["one", "two"]
    assert one == {"name": "one", **every["one"]}
    assert one["ttft_ms"][-1] > 0
    assert served.get("/api/profiles/onee/pace").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/history?span=decade",
        "/api/history?by=account",
        "/api/history?format=xml",
        "/api/history/fallbacks?limit=1001",
        "/api/history/fallbacks?before=x",
        "/api/history/savings?since=1",
        "/api/requests?outcome=lost",
        "/api/requests?limit=501",
    ],
)
def test_what_makes_no_sense_is_refused(served: Served, path: str) -> None:
    assert served.get(path).status == 400

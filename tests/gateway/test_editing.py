"""Edits from the gateway and edits by hand meet in one file, and neither is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spillover.config.loader import load_document
from spillover.config.locate import config_path
from tests.gateway.steered import ENV, steering
from tests.serving import document_for, serving
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from spillover.config.loader import LoadedConfig
    from spillover.simulator import SimulatedProvider


def found(both: tuple[SimulatedProvider, ...]) -> LoadedConfig:
    """A configuration as discovery makes one up."""
    document = document_for(*both)
    chain = {"profiles": document["chains"]["default"]}
    made_up = {
        "profiles": document["profiles"],
        "chains": {"default": chain},
        "aliases": {"*": "default"},
    }
    return load_document(made_up, environ={}, name="<found on this machine>")


def test_a_change_is_told_once_and_the_file_is_followed_on(
    tmp_path: Path, both: tuple[SimulatedProvider, ...]
) -> None:
    with steering(tmp_path, both, follow=True) as steered:
        for title in ("1", "2"):
            steered.put("/api/profiles/one", {"title": title})
        by_hand = steered.text.replace('title: "2"', "title: by hand")
        steered.path.write_text(by_hand, "utf-8")
        wait_until(lambda: steered.served.get("/api/profiles/one").json["title"] == "by hand")

        assert steered.told("config.reloaded") == 3


def test_a_broken_edit_by_hand_is_shown_and_can_be_undone(
    tmp_path: Path, both: tuple[SimulatedProvider, ...]
) -> None:
    with steering(tmp_path, both, follow=True) as steered:
        steered.put("/api/profiles/one", {"title": "1"})
        good = steered.text
        steered.path.write_text(good.replace("provider: groq", "provider: grok"), "utf-8")
        wait_until(lambda: steered.told("config.rejected"))

        shown = steered.config()
        refused = steered.put("/api/profiles/one", {"title": "2"})
        undone = steered.post("/api/config/undo").json

        assert shown["problems"][0]["nearest"] == "groq"
        assert shown["profiles"]["one"]["title"] == "1"
        assert (refused.status, refused.error["code"]) == (409, "config_broken")
        assert refused.error["problems"] == shown["problems"]
        assert (undone["restored"]["id"], undone["kept"]["what"]) == (2, "edited by hand")
        assert steered.text == good
        assert steered.config()["problems"] == []


def test_the_first_edit_writes_what_was_found_and_the_file_is_followed(
    both: tuple[SimulatedProvider, ...],
) -> None:
    path = config_path(None, os.environ)
    with serving(found(both), follow=True) as served:
        before = served.get("/api/config").json
        added = served.post("/api/profiles", {"provider": "groq", "chain": "default"})
        after = served.get("/api/config").json
        path.write_text(
            path.read_text("utf-8").replace("model: model-one", "model: other"), "utf-8"
        )
        wait_until(lambda: served.get("/api/profiles/one").json["model"] == "other")

    assert (before["source"], before["revision"], before["path"]) == ("found", None, str(path))
    assert (added.status, added.json["reason"]) == (201, "key_missing")
    assert "GROQ_API_KEY is not set" in added.json["change"]["notes"][0]
    assert (after["source"], list(after["profiles"])) == ("file", ["one", "two", "groq"])
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=")


def test_in_the_demo_the_first_edit_begins_a_file_without_the_simulated(
    both: tuple[SimulatedProvider, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_path(None, os.environ)
    path.parent.mkdir(parents=True)
    (path.parent / ".env").write_text(ENV, "utf-8")
    with serving(document_for(*both)) as served:
        monkeypatch.setattr(served.gateway, "simulated", True)
        source = served.get("/api/config").json["source"]
        demo = served.get("/").body
        added = served.post("/api/profiles", {"provider": "groq", "key": {"env": "GROQ_API_KEY"}})
        listed = served.get("/api/status").json
        page = served.get("/").body

    assert source == "demo"
    assert (added.status, added.json["status"]) == (201, "active")
    assert "in memory alone" in added.json["change"]["notes"][0]
    assert list(listed["profiles"]) == ["groq"]
    assert listed["chains"]["default"]["profiles"] == ["groq"]
    assert b"This is the demo" in demo
    assert b"This is the demo" not in page, "a real provider serves now"


def test_in_the_demo_edits_are_tried_out_and_undone_and_no_file_is_written(
    both: tuple[SimulatedProvider, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_path(None, os.environ)
    with serving({**document_for(*both), "aliases": {"*": "default"}}) as served:
        monkeypatch.setattr(served.gateway, "simulated", True)
        before = served.get("/api/config").json
        moved = served.ask("PUT", "/api/chains/default", {"profiles": ["two", "one"]})
        order = served.get("/api/chains/default").json["profiles"]
        named = served.ask("PUT", "/api/chains/default", {"name": "play"})
        refused = served.ask("PUT", "/api/chains/play", {"strategy": "firts"})
        shown = served.get("/api/config").json
        undone = [served.post("/api/config/undo").status for _ in range(2)]
        after = served.get("/api/config").json
        sketch = served.gateway.editing.writer().path

    assert (before["source"], before["revision"], before["undo"]) == ("demo", None, None)
    assert (moved.status, order, moved.json["change"]["notes"]) == (200, ["two", "one"], [])
    assert (named.status, refused.status) == (200, 400)
    assert (shown["source"], shown["path"], list(shown["chains"])) == ("demo", str(path), ["play"])
    assert shown["revision"] == named.json["change"]["revision"]
    assert undone == [200, 200]
    assert list(after["chains"]["default"]["profiles"]) == [{"profile": "one"}, {"profile": "two"}]
    assert not path.exists()
    assert not sketch.parent.exists(), "it went with the demo"


def test_a_file_that_came_to_be_meanwhile_is_left_alone(
    both: tuple[SimulatedProvider, ...],
) -> None:
    path = config_path(None, os.environ)
    with serving(found(both)) as served:
        path.parent.mkdir(parents=True)
        path.write_text("profiles: {}\n", "utf-8")
        refused = served.post("/api/profiles", {"provider": "groq"})

    assert (refused.status, refused.error["code"]) == (409, "config_changed")
    assert path.read_text("utf-8") == "profiles: {}\n"

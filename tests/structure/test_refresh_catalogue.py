"""The packaged catalogue is built by a script from a data set and judgements, and says what changed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from spillover.catalogue import Catalogue
from tests.structure.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = ROOT / "scripts" / "refresh_catalogue.py"
FILES = ("providers.json", "models.json")


def a_limit(**changes: Any) -> dict[str, Any]:
    row = {"models": ["*"], "rpm": 30, "tpd": 1_000, "source": "s", "as_of": "2026-01-01"}
    return row | {"confidence": "high", "note": None} | changes


def a_data_set(*limits: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A data set of one provider and one model."""
    provider = {
        "id": "acme", "name": "Acme", "kind": "cloud", "base_url": "https://acme.example/{ACME_ID}",
        "native": None, "env": ["ACME_KEY", "ACME_ID"], "models_endpoint": "/models",
        "auth": {"header": "Authorization", "scheme": "Bearer"}, "quota_endpoint": None,
        "quota_pool": "account", "free_tier": {"status": "recurring", "note": None,
        "limits": list(limits)}, "reset": {"day": {"kind": "calendar_day", "tz": "UTC",
        "source": "s", "note": None}}, "rate_limit_headers": [], "wait_hints": None,
        "stream_usage": {"include_usage": "no", "note": None}, "quirks": [], "aliases": [],
        "doc": None, "sources": [], "as_of": None, "base_url_source": "s", "env_unverified": [],
    }  # fmt: skip
    model = {
        "id": "m", "context": 1_000, "max_output": 0, "tool_call": False, "reasoning": False,
        "cost_in": 1, "cost_out": 2, "status": None, "in_modalities": ["text"],
    }  # fmt: skip
    listed = {"source": "s", "as_of": "2026-01-01", "note": "", "by_provider": {"acme": [model]}}
    return {"generated": "2026-02-02", "providers": [provider | changes], "models": listed}


JUDGED: dict[str, Any] = {
    "about": "made up",
    "providers": {
        "acme": {
            "set": {
                "pool": "account",
                "default_model": {"id": "m", "source": "s", "as_of": "2026-01-01"},
            },
            "rows": [{"models": ["*"], "metrics": {"tokens": "input_tokens"}}],
        }
    },
    "models": {"acme": {"m": {"rank": 4}}},
}


def refreshed(
    folder: Path, data_set: str, *options: str, judged: Any = None
) -> subprocess.CompletedProcess[str]:
    judgements = folder / "judgements.json"
    judgements.write_text(json.dumps(judged or JUDGED), "utf-8")
    asked = [data_set, "--judgements", str(judgements), "--into", str(folder), *options]
    return subprocess.run(
        [sys.executable, str(SCRIPT), *asked], check=False, capture_output=True, text=True
    )


def kept(folder: Path, data_set: dict[str, Any]) -> str:
    file = folder / "data.json"
    file.write_text(json.dumps(data_set), "utf-8")
    return str(file)


def built(folder: Path) -> Catalogue:
    return Catalogue(*((folder / name).read_bytes() for name in FILES))


def test_data_set_and_judgements_make_a_catalogue(tmp_path: Path) -> None:
    done = refreshed(tmp_path, kept(tmp_path, a_data_set(a_limit())))

    assert (done.returncode, done.stderr) == (0, "")
    catalogue = built(tmp_path)
    entry = catalogue.providers["acme"]
    assert (entry.key_env, entry.places) == (("ACME_KEY",), ("ACME_ID",))
    assert (entry.as_of, entry.undated) == ("2026-02-02", True)
    assert [figure.metric.value for figure in entry.free[0].figures] == ["requests", "input_tokens"]
    assert catalogue.rank("acme", "m") == 4
    facts = catalogue.model_facts("acme", "m")
    assert facts is not None
    assert (facts.context_tokens, facts.max_output_tokens, facts.price_usd) == (1_000, None, (1, 2))


def test_what_changed_is_printed_and_what_was_is_kept(tmp_path: Path) -> None:
    refreshed(tmp_path, kept(tmp_path, a_data_set(a_limit())))

    newer = a_data_set(a_limit(rpm=5, as_of="2026-03-03"))
    done = refreshed(tmp_path, kept(tmp_path, newer))

    assert done.stdout.splitlines() == ["~ acme *: requests per minute: 30 -> 5"]
    (row,) = built(tmp_path).providers["acme"].free
    (was,) = row.was
    assert (was.as_of, was.figures[0].amount) == ("2026-01-01", 30)


def test_the_same_data_again_changes_nothing(tmp_path: Path) -> None:
    data_set = kept(tmp_path, a_data_set(a_limit()))
    refreshed(tmp_path, data_set)
    before = [(tmp_path / name).read_bytes() for name in FILES]

    done = refreshed(tmp_path, data_set)

    assert done.stdout == ""
    assert [(tmp_path / name).read_bytes() for name in FILES] == before


def test_a_dry_run_prints_and_writes_nothing(tmp_path: Path) -> None:
    done = refreshed(tmp_path, kept(tmp_path, a_data_set(a_limit())), "--dry-run")

    assert "+ acme *: requests per minute: 30" in done.stdout
    assert not (tmp_path / "providers.json").exists()


def test_a_judgement_of_a_row_that_is_gone_is_told(tmp_path: Path) -> None:
    done = refreshed(tmp_path, kept(tmp_path, a_data_set(a_limit(models=["other"]))))

    assert "judgement that fits nothing: acme *" in done.stdout


def test_what_makes_no_catalogue_is_refused_and_not_written(tmp_path: Path) -> None:
    done = refreshed(tmp_path, kept(tmp_path, a_data_set(a_limit(), kind="planet")))

    assert done.returncode == 1
    assert "planet" in done.stderr
    assert not (tmp_path / "providers.json").exists()


@contextmanager
def served(body: bytes) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tell nothing: what is asked for is known."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/providers.json"
        finally:
            server.shutdown()
            thread.join()


def test_the_data_set_may_stand_at_an_address(tmp_path: Path) -> None:
    with served(json.dumps(a_data_set(a_limit())).encode()) as address:
        done = refreshed(tmp_path, address)

    assert done.returncode == 0
    assert list(built(tmp_path).providers) == ["acme"]


def test_judgements_name_providers_of_the_packaged_catalogue_alone() -> None:
    judged = json.loads((ROOT / "scripts" / "catalogue-judgements.json").read_text("utf-8"))
    packaged = json.loads((ROOT / "src/spillover/catalogue/providers.json").read_text("utf-8"))

    assert judged["providers"].keys() == {entry["id"] for entry in packaged["providers"]}

"""The demo's configuration is tried out in a file that goes with it."""

from __future__ import annotations

from spillover.config.loader import load
from spillover.config.writer import Edit, Written
from spillover.gateway.sketch import Sketch, unfiled

DOCUMENT = {
    "profiles": {"one": {"base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key": "k-of-one"}},
    "chains": {"demo": {"title": "a demo", "profiles": ["one"]}},
    "aliases": {"*": "demo"},
}


def test_what_is_tried_out_is_in_a_file_until_it_is_closed() -> None:
    sketch = Sketch(DOCUMENT)
    edit = Edit(change=lambda document: document.update(privacy=True), what="w", by="api")

    written = sketch.writer({}, lambda: 0.0).edit(edit)
    kept = load(sketch.path, environ={})
    sketch.close()

    assert kept.document == {**DOCUMENT, "privacy": True}
    assert written.version is not None
    assert not sketch.path.parent.exists()


def test_what_is_in_force_then_stands_in_no_file() -> None:
    sketch = Sketch(DOCUMENT)

    found = unfiled(Written(loaded=load(sketch.path, environ={}), version=None))
    sketch.close()

    assert found.loaded.path is None
    assert found.loaded.document == DOCUMENT

"""The catalogue as plain values."""

from __future__ import annotations

from datetime import date

import msgspec

from spillover.catalogue import load
from spillover.catalogue.documents import document, whole


def test_a_provider_is_shown_with_its_models_and_its_age() -> None:
    known = load()
    groq = known.providers["groq"]

    fresh = document(groq, known, date(2020, 1, 1))
    old = document(groq, known, date(2120, 1, 1))

    assert (fresh["id"], fresh["stale"], old["stale"]) == ("groq", False, True)
    assert set(fresh["models"]) == set(known.models("groq"))
    assert fresh["oldest_as_of"] <= known.collected
    assert fresh["changed_by"] is None


def test_every_provider_is_shown() -> None:
    known = load()

    shown = whole(known, date(2020, 1, 1))

    assert [each["id"] for each in shown["providers"]] == list(known.providers)
    assert shown["collected"] == known.collected
    assert msgspec.json.encode(shown)

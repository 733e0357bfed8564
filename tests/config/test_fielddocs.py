"""What the schema's source says of each setting."""

from __future__ import annotations

from spillover.config.fielddocs import field_docs


def test_a_setting_is_described_by_the_text_below_it() -> None:
    assert field_docs()["Price"]["input"] == "US dollars per million input tokens."


def test_descriptions_are_running_text() -> None:
    texts = [text for docs in field_docs().values() for text in docs.values()]

    assert len(texts) > 60
    assert all("\n" not in text and "  " not in text for text in texts)

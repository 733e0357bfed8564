"""A configuration file is edited as a whole or not at all, and every edit can be taken back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from spillover.config import edits
from spillover.config.starter import SCHEMA_FILE, blank
from spillover.config.versions import revision_of, revision_of_entry
from spillover.config.writer import Edit, Writer, Written
from spillover.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spillover.config.loader import LoadedConfig

TEXT = """\
# mine
profiles:
  one: {base_url: "http://127.0.0.1:9/v1", model: m}   # first
  two: {base_url: "http://127.0.0.1:9/v1", model: m}
chains:
  default: [one, two]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "spillover.yaml"
    file.write_bytes(TEXT.encode())
    return file


def writer(path: Path, seed: str | None = None, **environ: str) -> Writer:
    state = path.parent / "state"
    return Writer(path, environ=environ, state=state, now=lambda: 1_000.0, seed=seed)


def titled(title: str | None, **more: Any) -> Edit:
    def change(document: dict[str, Any]) -> None:
        edits.merge_profile(document, "one", {"title": title})

    return Edit(change=change, what=f"title {title}", by="api", **more)


def undo(path: Path, to: int | None = None) -> Written:
    return writer(path).undo(to, revision=None, check=lambda _loaded: None)


def refusal(work: Callable[[], object]) -> EditRefused:
    with pytest.raises(EditRefused) as raised:
        work()
    return raised.value


def test_an_edit_is_written_checked_and_kept(path: Path) -> None:
    written = writer(path).edit(titled("One"))

    assert "model: m, title: One}   # first" in path.read_text()
    assert written.loaded.config.profiles["one"].title == "One"
    assert written.version is not None
    assert (written.version.what, written.version.parent, written.kept) == ("title One", 1, None)
    assert [each.what for each in writer(path).history().versions] == [
        "before the first change",
        "title One",
    ]


def test_an_edit_that_changes_nothing_makes_no_version(path: Path) -> None:
    assert writer(path).edit(titled(None)).version is None
    assert writer(path).history().versions == ()


def test_an_edit_that_can_not_be_used_changes_nothing_and_says_all_that_is_wrong(
    path: Path,
) -> None:
    def change(document: dict[str, Any]) -> None:
        edits.merge_profile(document, "one", {"tier": "fre", "limits": {"tokens_per_hour": "5Q"}})

    error = refusal(lambda: writer(path).edit(Edit(change=change, what="", by="api")))

    assert (error.status, error.code) == (400, "invalid_config")
    assert [(each.key, each.nearest) for each in error.problems] == [
        ("profiles.one.tier", "free"),
        ("profiles.one.limits.tokens_per_hour", None),
    ]
    assert path.read_text() == TEXT
    assert writer(path).history().versions == ()


def test_undo_goes_back_step_by_step_and_to_any_version(path: Path) -> None:
    for title in ("1", "2", "3"):
        writer(path).edit(titled(title))

    back = [undo(path).version for _ in range(3)]
    nothing = refusal(lambda: undo(path))
    text = path.read_text()
    forward = undo(path, 4)

    assert [each.id for each in back if each is not None] == [3, 2, 1]
    assert nothing.code == "nothing_to_undo"
    assert text == TEXT
    assert forward.loaded.config.profiles["one"].title == "3"
    assert refusal(lambda: undo(path, 99)).status == 404


def test_what_was_edited_by_hand_is_kept_before_it_is_undone(path: Path) -> None:
    writer(path).edit(titled("1"))
    path.write_text("profiles: [broken")

    broken = refusal(lambda: writer(path).edit(titled("2")))
    undone = undo(path)
    kept = undone.kept

    assert broken.code == "config_broken"
    assert "broken YAML" in str(broken)
    assert kept is not None
    assert (kept.what, kept.source) == ("edited by hand", b"profiles: [broken")
    assert undone.loaded.config.profiles["one"].title == "1"
    assert refusal(lambda: undo(path, kept.id)).code == "invalid_config"


def by_hand(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


HANDS = {
    "gateway's keys": ("# mine\n", '# mine\nserver: {admin_key: "an-admin-key"}\n'),
    "another origin for a key": ("//127.0.0.1:9/v1", "//127.0.0.1:10/v1"),
}


@pytest.mark.parametrize("case", HANDS)
def test_undo_takes_back_nothing_by_hand_that_is_for_the_file_alone(path: Path, case: str) -> None:
    by_hand(path, "model: m}   # first", 'model: m, api_key: "a-key-0123456789"}   # first')
    writer(path).edit(titled("1"))
    by_hand(path, *HANDS[case])
    text = path.read_text()

    at_once = refusal(lambda: undo(path))
    writer(path).edit(titled("2"))
    writer(path).edit(titled("3"))
    own = undo(path)
    further = refusal(lambda: undo(path, 1))

    assert [(each.status, each.code) for each in (at_once, further)] == [(403, "not_by_api")] * 2
    assert own.version is not None
    assert own.version.what == "title 2"
    assert path.read_text() == text.replace('title: "1"', 'title: "2"')


def test_undo_takes_back_by_hand_what_it_may_and_what_never_was_in_force(path: Path) -> None:
    writer(path).edit(titled("1"))
    by_hand(path, 'title: "1"', "title: by hand")
    writer(path).edit(titled("2"))
    by_hand(path, "# mine\n", "server: [broken\n")

    undone = [undo(path).version for _ in range(3)]

    assert [each.what for each in undone if each is not None] == [
        "title 2",
        "edited by hand",
        "title 1",
    ]


def test_undo_brings_back_a_profile_with_its_key_that_an_edit_removed(path: Path) -> None:
    by_hand(path, "model: m}\n", 'model: m, api_key: "a-key-0123456789"}\n')
    text = path.read_text()

    def change(document: dict[str, Any]) -> None:
        edits.remove_profile(document, "two", from_chains=True)

    writer(path).edit(Edit(change=change, what="remove", by="api"))
    undo(path)

    assert path.read_text() == text


def test_an_edit_on_top_of_one_by_hand_keeps_that_as_a_version(path: Path) -> None:
    writer(path).edit(titled("1"))
    path.write_text(path.read_text() + "privacy: false\n")

    written = writer(path).edit(titled("2"))
    undo(path)

    assert written.kept is not None
    assert path.read_text().endswith("privacy: false\n")


def test_an_edit_for_another_text_than_the_files_is_refused(path: Path) -> None:
    first = writer(path).edit(titled("1")).version
    assert first is not None

    writer(path).edit(titled("2", revision=first.revision))
    late = refusal(lambda: writer(path).edit(titled("3", revision=first.revision)))

    assert late.code == "config_changed"
    assert 'title: "2"' in path.read_text()


def test_a_file_that_changes_under_an_edit_is_left_alone(path: Path) -> None:
    def check(_loaded: LoadedConfig) -> None:
        path.write_text(TEXT + "privacy: false\n")

    error = refusal(lambda: writer(path).edit(titled("1", check=check)))

    assert error.code == "config_changed"
    assert path.read_text() == TEXT + "privacy: false\n"
    assert [each.by for each in writer(path).history().versions] == ["hand"]


def test_a_file_that_can_not_be_written_is_told_with_the_reason(path: Path) -> None:
    path.chmod(0o444)

    error = refusal(lambda: writer(path).edit(titled("1")))

    assert error.code == "config_read_only"
    assert "read-only" in str(error)


def test_a_file_that_is_gone_is_not_made_anew(path: Path) -> None:
    path.unlink()

    assert refusal(lambda: writer(path).edit(titled("1"))).code == "config_changed"


def test_the_first_edit_writes_the_file_that_there_was_not(path: Path) -> None:
    path.unlink()

    def change(document: dict[str, Any]) -> None:
        edits.add_profile(document, "new", {"provider": "groq", "limits": "free"})
        edits.put_in_chain(document, "default", "new", 0)

    edit = Edit(change=change, what="add profile new", by="api")
    written = writer(path, blank()).edit(edit)

    assert written.loaded.config.chains["default"].profiles[0].profile == "new"
    assert path.read_text().startswith("# yaml-language-server")
    assert path.with_name(SCHEMA_FILE).is_file()
    assert refusal(lambda: writer(path, blank()).edit(edit)).code == "config_changed"


def test_byte_order_marks_stay(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())

    writer(path).edit(titled("1"))

    assert path.read_bytes().startswith(b"\xef\xbb\xbf# mine")


def test_edits_at_the_same_time_are_made_one_after_the_other(path: Path) -> None:
    def work(number: int) -> None:
        def change(document: dict[str, Any]) -> None:
            edits.add_profile(
                document, f"p{number}", {"base_url": "http://127.0.0.1:9", "model": "m"}
            )

        writer(path).edit(Edit(change=change, what="", by="api"))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    names = {"one", "two", *(f"p{number}" for number in range(6))}
    assert set(undo(path, 7).loaded.config.profiles) == names


def test_no_variable_is_read_out_by_an_edit_that_is_refused(path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        edits.merge_profile(document, "one", {"tier": "${SECRET}"})

    error = refusal(
        lambda: writer(path, SECRET="the-secret").edit(Edit(change=change, what="", by="api"))
    )

    assert (error.status, error.code) == (403, "not_by_api")
    assert "the-secret" not in str(error)


def test_an_edit_says_what_of_the_entry_alone_it_was_made_from(path: Path) -> None:
    entry = ("profiles", "one")
    seen = revision_of_entry(writer(path).edit(titled("1")).loaded.document, *entry)
    other = Edit(
        change=lambda document: edits.merge_profile(document, "two", {"title": "2"}),
        what="",
        by="api",
    )
    writer(path).edit(other)

    writer(path).edit(titled("3", entry=entry, revision=seen))
    late = refusal(lambda: writer(path).edit(titled("4", entry=entry, revision=seen)))

    assert late.code == "config_changed"
    assert 'title: "3"' in path.read_text()
    whole = revision_of(path.read_bytes())
    writer(path).edit(titled("5", entry=entry, revision=whole))
    assert 'title: "5"' in path.read_text()


def test_who_writes_a_chain_of_all_profiles_must_know_all_of_them(path: Path) -> None:
    without: dict[str, Any] = {"profiles": {"one": {}}}
    more: dict[str, Any] = {"profiles": {"one": {}, "two": {}}}

    assert revision_of_entry(without, "chains", "default") != revision_of_entry(
        more, "chains", "default"
    )
    assert revision_of_entry(without, "profiles", "one") == revision_of_entry(
        more, "profiles", "one"
    )


def test_an_edit_whose_writer_was_killed_is_not_what_undo_brings_back(path: Path) -> None:
    writer(path).edit(titled("1"))
    before = path.read_bytes()
    writer(path).edit(titled("2"))
    path.write_bytes(before)  # as if it had been killed between the history and the file

    undone = undo(path)

    assert undone.loaded.config.profiles["one"].title is None
    assert path.read_text() == TEXT

"""A YAML text is made to say something else, and the rest of it stays as it is."""

from __future__ import annotations

import copy
import difflib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from spillover.config.document import parse
from spillover.config.rewriting import Unwritable, rewritten, same

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = """\
# yaml-language-server: $schema=spillover.schema.json
# my own file
server: {host: 127.0.0.1, port: 4400}
routing_policy: free-tier   # why not

accounts:
  router: {provider: openrouter, api_key: "${OPENROUTER_API_KEY}"}

profiles:
  # the free one
  chutes:
    provider: chutes      # a catalogue id
    api_key: ${CHUTES_API_KEY}
    limits: {tokens_per_hour: 5000}

  groq:
    provider: groq
    model: 'openai/gpt-oss-120b'
    # tight
    limits: free            # the catalogue's
    alternatives: [openai/gpt-oss-20b]     # tried

  # glm, over the account
  glm: {account: router, model: "z-ai/glm-5:free"}
  gemini:
    provider: gemini
    limits:   # two of them
      - {requests: 20, per: day, window: calendar}  # a day
      # a minute
      - {requests: 5, per: minute}
  shared: {provider: groq, model: m, limits: &few {requests_per_day: 5}}
  sharing: {provider: groq, model: m2, limits: *few}
  base: &base
    provider: mistral
    model: big
    limits: {requests_per_day: 7}
  kin:
    <<: *base
    model: small
  last: {provider: openai, price: {input: 0.25, output: 2.0}}   # USD
  # after all of them
  #   a hint

chains:
  default: [chutes, groq, glm, last]      # short form
  lines:
  - groq   # fast
  # big
  - glm

  - chutes
  braced: [
    groq,  # fast
    # big
    glm,
    chutes,  # last
  ]
  coding:
    profiles: [{profile: groq, weight: 3}, {profile: last, hours: "18:00-09:00"}]
    strategy: priority            # as written
  dashed:
    profiles:
      - profile: groq
        weight: 3  # three
      - profile: glm
        # later
        weight: 1
aliases: {"gpt-*": default, "claude-*": coding}                    # clients'
"""


def read(text: str) -> Any:
    parsed = parse(text.encode(), file="")
    assert not parsed.problems
    return parsed.document


def changed(edit: Callable[[Any], object], text: str = TEXT) -> str:
    """The text after an edit of its document."""
    document = copy.deepcopy(read(text))
    edit(document)
    return rewritten(text, read(text), document)


def difference(edit: Callable[[Any], object], text: str = TEXT) -> list[str]:
    """The lines that went and those that came."""
    lines = difflib.unified_diff(
        text.splitlines(), changed(edit, text).splitlines(), n=0, lineterm=""
    )
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def profile(name: str, **settings: object) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        document["profiles"][name].update(settings)

    return edit


def chain(name: str, value: object) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        document["chains"][name] = value

    return edit


def without(section: str, name: str) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        del document[section][name]

    return edit


def test_a_document_that_says_it_already_is_left_alone() -> None:
    assert rewritten(TEXT, read(TEXT), read(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            profile("groq", limits={"requests_per_day": 9}),
            [
                "-    limits: free            # the catalogue's",
                "+    limits: {requests_per_day: 9}            # the catalogue's",
            ],
        ),
        (
            profile("groq", model="it's"),
            ["-    model: 'openai/gpt-oss-120b'", "+    model: 'it''s'"],
        ),
        (
            profile("glm", model="other", title='a "b"'),
            [
                '-  glm: {account: router, model: "z-ai/glm-5:free"}',
                '+  glm: {account: router, model: "other", title: "a \\"b\\""}',
            ],
        ),
        (
            profile("chutes", title="x: # y"),
            ['+    title: "x: # y"'],
        ),
        (
            profile("last", price={"input": 1, "output": 2.0}),
            [
                "-  last: {provider: openai, price: {input: 0.25, output: 2.0}}   # USD",
                "+  last: {provider: openai, price: {input: 1, output: 2.0}}   # USD",
            ],
        ),
        (
            lambda document: document.update(routing_policy="any", privacy=True),
            [
                "-routing_policy: free-tier   # why not",
                "+routing_policy: any   # why not",
                "+privacy: true",
            ],
        ),
    ],
)
def test_a_setting_is_changed_in_its_own_style_beside_its_comment(
    edit: Callable[[Any], None], expected: list[str]
) -> None:
    assert difference(edit) == expected


def test_a_block_that_becomes_a_word_keeps_the_comment_of_its_key() -> None:
    lines = difference(profile("gemini", limits="free"))

    assert lines[-1] == "+    limits: free  # two of them"
    assert len(lines) == 5


def test_entries_of_a_block_go_and_come_with_their_own_comments() -> None:
    def edit(document: Any) -> None:
        document["profiles"]["gemini"]["limits"][1:] = [{"tokens": 5, "per": "day"}]

    assert difference(edit) == [
        "-      # a minute",
        "-      - {requests: 5, per: minute}",
        "+      - {tokens: 5, per: day}",
    ]


@pytest.mark.parametrize(
    ("name", "first", "count"),
    [("chutes", "-  # the free one", 6), ("glm", "-  # glm, over the account", 2)],
)
def test_a_profile_goes_with_its_comment_and_leaves_the_others(
    name: str, first: str, count: int
) -> None:
    lines = difference(without("profiles", name))

    assert lines[0] == first
    assert len(lines) == count
    assert all(line.startswith("-") for line in lines)


def test_a_new_profile_looks_like_the_one_before_it() -> None:
    new = {"provider": "groq", "api_key": "${GROQ_API_KEY}", "limits": {"requests_per_day": 5}}

    def edit(document: Any) -> None:
        document["profiles"]["new"] = new

    below = "profiles:\n    one:\n        provider: groq\n\nchains: {default: [one]}\n"
    assert difference(edit) == [
        '+  new: {provider: groq, api_key: "${GROQ_API_KEY}", limits: {requests_per_day: 5}}'
    ]
    assert difference(edit, below) == [
        "+    new:",
        "+        provider: groq",
        "+        api_key: ${GROQ_API_KEY}",
        "+        limits: {requests_per_day: 5}",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("profiles:\n\naliases: {}\n", "profiles:\n  a:\n    limits: free\n\naliases: {}\n"),
        ("profiles: {}  # mine\n", "profiles:\n  a:\n    limits: free  # mine\n"),
        ("profiles:  # mine\n", "profiles:\n  a:\n    limits: free  # mine\n"),
        ("privacy: true", "privacy: true\nprofiles:\n  a:\n    limits: free"),
        ("{privacy: true}", "{privacy: true, profiles: {a: {limits: free}}}"),
    ],
)
def test_the_first_profile_opens_its_section(text: str, expected: str) -> None:
    def edit(document: Any) -> None:
        document["profiles"] = {"a": {"limits": "free"}}

    assert changed(edit, text) == expected


def test_a_section_that_loses_its_last_entry_stays() -> None:
    text = "profiles:\n  a: {limits: free}\nnotify:\n  - desktop\n"

    def edit(document: Any) -> None:
        document.update(profiles={}, notify=[])

    assert changed(edit, text) == "profiles: {}\nnotify: []\n"


@pytest.mark.parametrize(
    ("name", "order", "expected"),
    [
        ("default", ["groq", "last", "new"], "  default: [groq, last, new]      # short form"),
        (
            "lines",
            ["chutes", "groq", "new", "glm"],
            "  - chutes\n  - groq   # fast\n\n  - new\n  # big\n  - glm",
        ),
        (
            "braced",
            ["chutes", "glm", "groq", "new"],
            "    chutes,  # last\n    # big\n    glm,\n    groq,  # fast\n    new\n  ]",
        ),
    ],
)
def test_a_chain_in_another_order_keeps_each_comment_with_its_profile(
    name: str, order: list[str], expected: str
) -> None:
    assert expected in changed(chain(name, order))


def test_a_short_chain_becomes_a_long_one_only_when_it_must() -> None:
    flow = difference(chain("default", {"profiles": ["groq"], "strategy": "fastest"}))
    lines = changed(chain("lines", {"profiles": ["glm", "groq"], "patience": "2s"}))

    assert flow[1] == "+  default: {profiles: [groq], strategy: fastest}      # short form"
    assert (
        "  lines:\n    profiles:\n      # big\n      - glm\n      - groq   # fast\n    patience: 2s\n"
        in lines.replace("\n\n", "\n")
    )


def test_entries_behind_dashes_are_changed_line_by_line() -> None:
    def weigh(document: Any) -> None:
        first, second = document["chains"]["dashed"]["profiles"]
        document["chains"]["dashed"]["profiles"] = [second, {**first, "weight": 5}]

    def drop(document: Any) -> None:
        del document["chains"]["dashed"]["profiles"][0]["weight"]

    def turn(document: Any) -> None:
        document["chains"]["dashed"]["profiles"][0] = {"weight": 2, "profile": "groq"}

    assert (
        "      - profile: glm\n        # later\n        weight: 1\n"
        "      - profile: groq\n        weight: 5  # three\n" in changed(weigh)
    )
    assert difference(drop) == ["-        weight: 3  # three"]
    assert "      - {weight: 2, profile: groq}\n" in changed(turn)


def test_what_others_share_by_an_anchor_changes_for_one_alone() -> None:
    shared = difference(profile("shared", limits={"requests_per_day": 9}))
    base = changed(profile("base", limits="free"))

    assert shared[-1] == "+  sharing: {provider: groq, model: m2, limits: {requests_per_day: 5}}"
    assert "&few {requests_per_day: 9}" in shared[-2]
    assert "  base: &base\n    provider: mistral\n    model: big\n    limits: free\n" in base
    assert "    <<: *base\n    model: small\n    limits: {requests_per_day: 7}\n" in base


def test_what_names_an_anchor_says_its_value_itself_when_the_anchor_goes() -> None:
    shared = changed(without("profiles", "shared"))
    base = changed(without("profiles", "base"))

    assert "limits: {requests_per_day: 5}}" in shared
    assert (
        "kin:\n    model: small\n    provider: mistral\n    limits: {requests_per_day: 7}" in base
    )


def test_a_merged_setting_is_taken_out_by_an_empty_one() -> None:
    def edit(document: Any) -> None:
        del document["profiles"]["kin"]["limits"]

    assert difference(edit) == ["+    limits:"]


def test_empty_settings_stay_where_they_are() -> None:
    text = "profiles:\n  a:\n    limits:   # none\n    title: x\n  b: {limits: , model: m}\n"

    assert difference(profile("a", title="y"), text) == ["-    title: x", "+    title: y"]
    assert difference(profile("a", limits="free"), text) == [
        "-    limits:   # none",
        "+    limits: free   # none",
    ]
    assert difference(profile("b", limits="free"), text) == [
        "-  b: {limits: , model: m}",
        "+  b: {limits: free , model: m}",
    ]


def test_line_ends_stay_those_of_the_file() -> None:
    text = TEXT.replace("\n", "\r\n")

    def edit(document: Any) -> None:
        document["chains"]["lines"] = ["new", "glm"]
        document["profiles"]["new"] = {"provider": "groq"}

    assert "\n" not in changed(edit, text).replace("\r\n", "")


def test_long_texts_in_blocks_are_left_or_replaced_whole() -> None:
    text = "profiles:\n  a:\n    title: |\n      one\n      two\n\n    model: m\n"

    assert difference(profile("a", model="n"), text) == ["-    model: m", "+    model: n"]
    assert "    title: short\n\n    model: m\n" in changed(profile("a", title="short"), text)


@pytest.mark.parametrize(
    "text",
    [
        "profiles:\n  ? a\n  : {limits: free}\n",
        "# nothing\n",
        "- a\n",
        "profiles: &all # a comment\n  - x\n",
    ],
)
def test_what_can_not_be_changed_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(Unwritable):
        rewritten(text, read(text), {"profiles": {"b": {"limits": "free"}, "a": {}}, "x": True})


def test_braces_over_several_lines_keep_their_comments() -> None:
    text = "aliases: {\n  a: x,  # one\n  # two\n  b: y }\n"

    def turn(document: Any) -> None:
        document["aliases"] = {"b": "y", "a": "x", "c": "z"}

    def shorten(document: Any) -> None:
        document["aliases"] = {"a": "x"}

    assert changed(turn, text) == "aliases: {\n  # two\n  b: y,\n  a: x,  # one\n  c: z }\n"
    assert read(changed(shorten, text)) == {"aliases": {"a": "x"}}


def test_an_empty_list_in_braces_takes_its_first_entry() -> None:
    def edit(document: Any) -> None:
        document["profiles"]["a"]["alternatives"] = ["b"]

    assert changed(edit, "profiles: {a: {alternatives: []}}\n") == (
        "profiles: {a: {alternatives: [b]}}\n"
    )


def test_the_order_of_entries_counts_and_that_of_settings_does_not() -> None:
    one = {"aliases": {"a": "x", "b": "y"}, "privacy": True}

    assert same(one, {"privacy": True, "aliases": {"a": "x", "b": "y"}, "notify": None})
    assert not same(one, {"privacy": True, "aliases": {"b": "y", "a": "x"}})
    assert not same({"a": 1}, {"a": True})
    assert difference(
        lambda document: document.update(aliases={"claude-*": "coding", "gpt-*": "default"})
    )[1].startswith('+aliases: {"claude-*": coding, "gpt-*": default}')


words = st.text(st.characters(codec="utf-8"), max_size=12)
plain = st.one_of(words, st.integers(-(10**15), 10**15), st.booleans(), st.floats(0, 1e6))
values_of_settings = st.one_of(
    plain,
    st.lists(plain, max_size=3),
    st.dictionaries(words.filter(bool), plain, max_size=3),
    st.lists(st.dictionaries(words.filter(bool), plain, min_size=1, max_size=2), max_size=2),
)
names = st.sampled_from(["provider", "model", "limits", "title", "price"])


@st.composite
def edits(draw: st.DrawFn) -> Callable[[Any], None]:
    """Any edit: settings changed, profiles gone and new, chains of any order."""
    profiles = draw(st.lists(st.sampled_from(list(read(TEXT)["profiles"])), max_size=3))
    values = draw(st.lists(st.tuples(names, values_of_settings), min_size=3, max_size=3))
    gone = draw(st.lists(st.sampled_from(["chutes", "glm", "shared", "base", "last"]), max_size=2))
    new = draw(
        st.dictionaries(
            words.filter(bool), st.dictionaries(names, values_of_settings, min_size=1), max_size=2
        )
    )
    members = ["groq", "glm", "chutes", "last", "x"]
    orders = draw(st.lists(st.permutations(members), min_size=3, max_size=3))
    count = draw(st.integers(1, 5))

    def edit(document: Any) -> None:
        for name, (setting, value) in zip(profiles, values, strict=False):
            document["profiles"][name][setting] = value
        for name in gone:
            document["profiles"].pop(name, None)
        document["profiles"].update(new)
        for name, order in zip(("default", "lines", "braced"), orders, strict=True):
            document["chains"][name] = order[:count]

    return edit


@given(edits())
@bounds(max_examples=25)
def test_whatever_is_written_is_what_was_meant(edit: Callable[[Any], None]) -> None:
    document = copy.deepcopy(read(TEXT))
    edit(document)

    text = rewritten(TEXT, read(TEXT), document)

    assert same(read(text), document)
    for line in ("# my own file", "# tight", "  #   a hint", "        # later", "# clients'"):
        assert line in text


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("a:\n  # one\n  b: [x]   # two\n  c: [y]\n", "a:\n  # one\n  z: [x]   # two\n  c: [y]\n"),
        (
            'a:\n  "b": # two\n    - x\n    - y  # why\n',
            "a:\n  z: # two\n    - x\n    - y  # why\n",
        ),
        ("a: {b: &it [x], c: *it} # one\n", "a: {z: &it [x], c: *it} # one\n"),
    ],
)
def test_a_key_that_becomes_another_keeps_what_stands_around_it(text: str, renamed: str) -> None:
    old = parse(text.encode(), file="").document
    new = {"a": {"z" if key == "b" else key: value for key, value in old["a"].items()}}

    assert rewritten(text, old, new) == renamed


def test_a_key_that_becomes_another_may_change_its_value() -> None:
    text = "a:\n  b: # why\n    c: 1\n    d: 2 # two\n"
    old = parse(text.encode(), file="").document

    found = rewritten(text, old, {"a": {"z": {"c": 3, "d": 2}}})

    assert found == "a:\n  z: # why\n    c: 3\n    d: 2 # two\n"

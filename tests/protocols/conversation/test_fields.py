"""Objects are read field by field, and what nobody read is known in the end."""

from __future__ import annotations

import pytest

from spillover.protocols.conversation.fields import (
    Fields,
    Losses,
    Malformed,
    data_url,
    decoded,
    file_name,
    object_in,
    raw_fields,
    read_body,
    split_data_url,
    value_of,
)
from spillover.protocols.openai_chat import InvalidRequest


def test_what_was_not_read_is_left() -> None:
    fields = Fields({"a": "x", "b": 1, "c": None, "d": 2})

    assert fields.text("a") == "x"
    assert fields.count("d") == 2
    assert fields.left() == ("b",)
    assert "b" in fields
    assert "c" not in fields


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        ("text", 1, "a string"),
        ("needed", None, "a string"),
        ("count", 1.5, "a whole number"),
        ("count", True, "a number"),
        ("number", "1", "a number"),
        ("flag", 1, "true or false"),
        ("plain", [], "an object"),
        ("items", {}, "a list"),
        ("texts", [1], "a list of strings"),
    ],
)
def test_a_value_of_another_kind_is_named_by_its_path(
    read: str, value: object, expected: str
) -> None:
    fields = Fields({"x": {"y": value}}).fields("x")

    with pytest.raises(Malformed, match=expected) as caught:
        getattr(fields, read)("y")
    assert caught.value.at == "x.y"


def test_odd_values_count_as_absent_where_one_is_lenient() -> None:
    fields = decoded(b'{"a": 7, "b": {"c": 1.5}, "d": [1, {"e": []}]}', lenient=True)

    inner = fields.fields("b")
    assert inner is not None
    assert (fields.text("a"), inner.count("c"), fields.fields("a")) == (None, None, None)
    assert [item.text("e") for item in fields.objects("d")] == [None]


def test_lists_of_objects_are_read_in_their_turn() -> None:
    fields = Fields({"a": [{"b": "c"}, 7]})

    with pytest.raises(Malformed, match="an object") as caught:
        list(fields.objects("a"))
    assert caught.value.at == "a[1]"
    assert Fields({}).fields("a") is None
    assert list(Fields({}).objects("a")) == []
    assert Fields({"a": 2.0}).count("a") == 2


def test_bodies_that_are_no_objects_are_refused() -> None:
    for body in (b"", b"[]", b"\xff", b"[" * 100_000):
        with pytest.raises(Malformed, match="object"):
            decoded(body)
        with pytest.raises(InvalidRequest):
            read_body(body, lambda fields: fields)
    assert read_body(b'{"a": 1}', lambda fields: fields.count("a")) == 1


def test_objects_in_texts_are_found() -> None:
    assert object_in('{"a": 1}') == {"a": 1}
    assert object_in(" ") == {}
    assert object_in("[1]") is None
    assert object_in("{") is None


def test_data_urls_are_split_and_joined() -> None:
    assert split_data_url("data:image/png;base64,QQ==") == ("image/png", "QQ==")
    assert split_data_url("data:text/plain;charset=utf-8;base64,QQ==") == ("text/plain", "QQ==")
    assert split_data_url("data:;base64,QQ==") == (None, "QQ==")
    assert split_data_url("https://e.org/a,b") is None
    assert split_data_url("data:text/plain,words") is None
    assert data_url("image/png", "QQ==") == "data:image/png;base64,QQ=="


def test_losses_are_named_once() -> None:
    losses = Losses()

    losses.drop("a", "b")
    losses.drop("a")
    losses.lack("c", "c")

    assert (losses.dropped, losses.lacks) == (("a", "b"), ("c",))


def test_a_file_without_a_name_is_called_by_its_kind() -> None:
    assert file_name("a.pdf", None) == "a.pdf"
    assert file_name(None, "application/pdf") == "file.pdf"
    assert file_name(None, None) == "file"


def test_numbers_of_an_odd_kind_are_absent_to_who_is_lenient() -> None:
    fields = Fields({"a": "7", "b": 1.5, "c": True}, lenient=True)

    assert [fields.number("a"), fields.count("b"), fields.number("c")] == [None, None, None]


def test_flags_of_an_odd_kind_are_absent_to_who_is_lenient() -> None:
    fields = Fields({"a": 1, "b": True}, lenient=True)

    assert (fields.flag("a"), fields.flag("b"), fields.flag("c")) == (None, True, None)


def test_an_empty_list_that_nobody_read_is_not_left() -> None:
    assert Fields({"a": [], "b": {}}).left() == ("b",)


def test_arguments_are_json_whether_they_came_as_text_or_not() -> None:
    fields = Fields({"a": '{"x":1}', "b": {"x": 1}, "c": None, "d": 7}, lenient=True)

    assert [fields.arguments(name) for name in "abcd"] == ['{"x":1}', '{"x":1}', "", ""]
    with pytest.raises(Malformed, match="'d' must be a string"):
        Fields({"d": 7}).arguments("d")


def test_a_string_that_is_expected_is_empty_to_who_is_lenient() -> None:
    assert Fields({"a": "x"}).expected("a") == "x"
    assert Fields({}, lenient=True).expected("a") == ""
    with pytest.raises(Malformed):
        Fields({}).expected("a")


def test_fields_are_read_as_they_were_written() -> None:
    fields = raw_fields(b'{"a": [1, 2], "b": "\xff"}')

    assert value_of(fields["a"], "a") == [1, 2]
    with pytest.raises(Malformed, match="'b' must be JSON"):
        value_of(fields["b"], "b")
    with pytest.raises(Malformed, match="a JSON object is expected"):
        raw_fields(b"[]")


def test_half_characters_are_replaced_in_what_can_not_be_sent_back() -> None:
    body = rb'{"a": "\ud83d"}'

    assert decoded(body, lenient=True).text("a") == "\ufffd"
    with pytest.raises(Malformed):
        decoded(body)

"""Which requests a scripted fault hits."""

from __future__ import annotations

import msgspec
import pytest

from spillover.simulator.faults import FAULTS, Break, Fault, Part, Script, Scripted, html_page

FIRST, SECOND = Fault(delay_s=1), Fault(delay_s=2)


def test_faults_come_one_after_another_as_often_as_said() -> None:
    script = Script()
    script.add(Scripted(fault=FIRST, times=2))
    script.add(Scripted(fault=SECOND, times=1))

    taken = [script.take("m", b"") for _ in range(4)]

    assert taken == [FIRST, FIRST, SECOND, None]
    assert script.entries == ()


def test_a_fault_without_times_stays_until_it_is_cleared() -> None:
    script = Script()
    script.add(Scripted(fault=FIRST, times=None))
    taken = [script.take("m", b"") for _ in range(3)]
    script.clear()

    assert taken == [FIRST] * 3
    assert script.take("m", b"") is None


def test_a_fault_of_one_model_leaves_the_others_alone() -> None:
    script = Script()
    script.add(Scripted(fault=FIRST, times=1, model="a"))
    script.add(Scripted(fault=SECOND, times=1))

    assert (script.take("b", b""), script.take("a", b"")) == (SECOND, FIRST)


def test_a_fault_waits_for_a_request_that_carries_its_text() -> None:
    script = Script()
    script.add(Scripted(fault=FIRST, times=1, carrying="sunny"))

    taken = [script.take("m", body) for body in (b'"rainy"', b'"sunny"', b'"sunny"')]

    assert taken == [None, FIRST, None]


def test_a_fault_for_no_request_is_not_scripted() -> None:
    script = Script()
    script.add(Scripted(fault=FIRST, times=0))

    assert script.entries == ()


def test_a_fault_is_written_and_read_as_json() -> None:
    fault = Fault(break_=Break.RESET, after=2, omit=frozenset({Part.DONE}))

    written = msgspec.json.encode(fault)

    assert msgspec.json.decode(written, type=Fault) == fault
    assert msgspec.json.decode(written)["break"] == "reset"


def test_an_unknown_field_of_a_fault_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="brake"):
        msgspec.json.decode(b'{"brake": "reset"}', type=Fault)


def test_what_is_only_late_or_odd_spoils_nothing() -> None:
    harmless = {"gzip", "deflate", "one_byte_chunks", "odd_chunks", "crlf"} | {
        name for name in FAULTS if name.startswith("no_stream_options")
    }

    assert {name for name, fault in FAULTS.items() if not fault.spoils} == harmless


def test_an_html_page_names_its_status() -> None:
    fault = html_page(502, "Bad Gateway")

    assert fault.status == 502
    assert "502 Bad Gateway" in str(fault.body)
    assert fault.headers["content-type"].startswith("text/html")

"""Unpacking: whole, in any pieces, several members, and never more than a bounded piece at a time."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spillover.core.evidence import TransportFault
from spillover.upstream import UpstreamBroken
from spillover.upstream.unpacking import UNPACKED_MOST, unpacker_of

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = b"".join(b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % n for n in range(400))


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def members(data: bytes) -> bytes:
    return gzip.compress(data[:99]) + gzip.compress(b"") + gzip.compress(data[99:])


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-Gzip ", gzip.compress),
    "several members": ("gzip", members),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
    "gzip, called deflate": ("deflate", gzip.compress),
}


def unpacked(packing: str, *parts: bytes) -> bytes:
    unpacker = unpacker_of(packing)
    assert unpacker is not None
    pieces = []
    for part in parts:
        unpacker.feed(part)
        while piece := unpacker.next():
            assert len(piece) <= UNPACKED_MOST
            pieces.append(piece)
    unpacker.end()
    return b"".join(pieces)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_body_unpacks_byte_by_byte(packer: str) -> None:
    packing, pack = PACKERS[packer]
    packed = pack(TEXT)

    assert unpacked(packing, *(packed[at : at + 1] for at in range(len(packed)))) == TEXT


@given(cuts=st.lists(st.integers(1, 5_000)), packer=st.sampled_from(sorted(PACKERS)))
def test_a_body_unpacks_to_the_same_however_it_is_cut(cuts: list[int], packer: str) -> None:
    packing, pack = PACKERS[packer]
    packed = pack(TEXT)
    at = [0, *sorted(cut for cut in set(cuts) if cut < len(packed)), len(packed)]

    assert unpacked(packing, *map(packed.__getitem__, map(slice, at, at[1:]))) == TEXT


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("size", [UNPACKED_MOST, 3 * UNPACKED_MOST, 3 * UNPACKED_MOST + 1])
def test_nothing_is_held_back_at_the_end_of_a_piece(packer: str, size: int) -> None:
    packing, pack = PACKERS[packer]

    assert unpacked(packing, pack(bytes(size))) == bytes(size)


def test_what_a_stream_has_flushed_is_there_at_once() -> None:
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    unpacker = unpacker_of("gzip")
    assert unpacker is not None

    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        unpacker.feed(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH))
        assert unpacker.next() == event
        assert unpacker.next() == b""


def test_very_many_members_do_not_take_very_long() -> None:
    assert unpacked("gzip", gzip.compress(b"") * 10_000) == b""


@pytest.mark.parametrize("packing", ["", "identity", "utf-8", "none"])
def test_what_names_no_packing_is_read_as_it_is(packing: str) -> None:
    assert unpacker_of(packing) is None


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "Compress"])
def test_a_packing_that_was_not_asked_for_is_named(packing: str) -> None:
    with pytest.raises(UpstreamBroken, match=packing.lower()) as found:
        unpacked(packing, b"\x0b\x80")

    assert found.value.fault is TransportFault.MALFORMED_HTTP


@pytest.mark.parametrize(
    ("packing", "packed", "says"),
    [
        ("gzip", b"plain text", "the packing is broken"),
        ("gzip", b'{"error":{}}', "the packing is broken"),
        ("deflate", b"plain text", "the packing is broken"),
        ("gzip", gzip.compress(TEXT)[:-1], "has no end"),
        ("gzip", gzip.compress(TEXT)[:9], "has no end"),
        ("deflate", bare(TEXT)[:-1], "has no end"),
        ("gzip", gzip.compress(TEXT) + b"more", "the packing is broken"),
        ("gzip", gzip.compress(TEXT)[:-8] + bytes(8), "the packing is broken"),
    ],
    ids=["text", "JSON", "no deflate", "end", "head", "bare end", "surplus", "checksum"],
)
def test_a_broken_packing_is_a_cut_body(packing: str, packed: bytes, says: str) -> None:
    with pytest.raises(UpstreamBroken, match=says) as found:
        unpacked(packing, packed)

    assert found.value.fault is TransportFault.CUT


def test_an_empty_body_may_be_called_packed() -> None:
    assert unpacked("gzip") == unpacked("br") == b""


@given(packing=st.sampled_from(["gzip", "deflate", "br"]), parts=st.lists(st.binary(min_size=1)))
def test_no_bytes_break_it_otherwise(packing: str, parts: list[bytes]) -> None:
    with contextlib.suppress(UpstreamBroken):
        unpacked(packing, *parts)

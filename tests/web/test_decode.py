"""Body: gzip and deflate come back whole, bombs and other codings do not."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.web.decode import STEP_BYTES, Body
from pipeline.web.failure import Failed, Reason

MEBIBYTE = 1 << 20


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


COMPRESSORS = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-Gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare_deflate),
    "none": ("", bytes),
    "identity": (" identity ", bytes),
}


def undo(
    coding: str, wire: bytes, *, chunk: int = 65536, max_bytes: int = 10 * MEBIBYTE, max_ratio: int = 100
) -> bytes:
    body = Body(coding, max_bytes, max_ratio)
    for start in range(0, len(wire), chunk):
        body.feed(wire[start : start + chunk])
    return body.end()


def reason(coding: str, wire: bytes, **limits: int) -> Reason:
    with pytest.raises(Failed) as caught:
        undo(coding, wire, **limits)
    return caught.value.reason


@pytest.mark.parametrize(("coding", "compress"), COMPRESSORS.values(), ids=COMPRESSORS)
@given(data=st.binary(max_size=3000), chunk=st.integers(1, 400))
def test_what_was_sent_comes_back_however_it_is_cut(coding: str, compress: object, data: bytes, chunk: int) -> None:
    assert callable(compress)
    assert undo(coding, compress(data), chunk=chunk) == data


@pytest.mark.parametrize("size", [STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1, 3 * STEP_BYTES])
@pytest.mark.parametrize(("coding", "compress"), COMPRESSORS.values(), ids=COMPRESSORS)
def test_a_body_that_ends_on_a_step_is_whole(coding: str, compress: object, size: int) -> None:
    assert callable(compress)
    assert undo(coding, compress(b"a" * size), max_ratio=2000) == b"a" * size


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip,deflate", "identity, gzip", "lzma"])
def test_a_coding_that_was_not_offered_is_refused(coding: str) -> None:
    assert reason(coding, b"x") is Reason.BAD_ENCODING


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_not_compressed_is_refused(coding: str) -> None:
    assert reason(coding, b"<html>this is plain</html>") is Reason.BAD_ENCODING


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_empty_body_is_empty_whatever_its_coding(coding: str) -> None:
    assert undo(coding, b"") == b""


@pytest.mark.parametrize("kept", [1, 2, 10, 40])
def test_a_compressed_body_without_its_end_is_truncated(kept: int) -> None:
    assert reason("gzip", gzip.compress(bytes(range(256)))[:kept]) is Reason.TRUNCATED


def test_a_damaged_body_is_refused() -> None:
    wire = bytearray(gzip.compress(bytes(range(256)) * 20))
    wire[-6] ^= 255  # in the checksum
    assert reason("gzip", bytes(wire)) is Reason.BAD_ENCODING


def test_what_follows_the_end_is_ignored() -> None:
    assert undo("gzip", gzip.compress(b"text") + b"\0" * 100, chunk=7) == b"text"


def test_a_bomb_is_stopped_in_little_memory() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = bytes(MEBIBYTE)
    bomb = b"".join(compressor.compress(block) for _ in range(300)) + compressor.flush()
    tracemalloc.start()
    try:
        assert reason("gzip", bomb, max_bytes=5 * MEBIBYTE, max_ratio=10_000) is Reason.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_a_bomb_is_stopped_by_its_ratio_long_before_the_limit() -> None:
    assert reason("gzip", gzip.compress(bytes(2 * MEBIBYTE)), max_bytes=50 * MEBIBYTE) is Reason.TOO_LARGE


def test_a_small_body_may_be_as_repetitive_as_it_likes() -> None:
    assert undo("gzip", gzip.compress(bytes(900_000))) == bytes(900_000)


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_the_limit_is_the_last_size_that_passes(coding: str, size: int, fits: bool) -> None:
    wire = gzip.compress(b"a" * size) if coding else b"a" * size
    if fits:
        assert undo(coding, wire, max_bytes=1000) == b"a" * size
    else:
        assert reason(coding, wire, max_bytes=1000) is Reason.TOO_LARGE


def test_endless_emptiness_is_limited_on_the_wire() -> None:
    empty_blocks = bare_deflate(b"")[:0] + b"\x00\x00\x00\xff\xff" * 1000  # stored blocks of no bytes
    assert reason("deflate", empty_blocks, max_bytes=2000) is Reason.TOO_LARGE


@pytest.mark.parametrize("announced", ["1001", "99999999999999999999"])
def test_an_announced_size_over_the_limit_is_refused_before_the_transfer(announced: str) -> None:
    with pytest.raises(Failed) as caught:
        Body("", 1000, 100).expect(announced)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("announced", [None, "0", "1000"])
def test_an_announced_size_within_the_limit_passes(announced: str | None) -> None:
    Body("", 1000, 100).expect(announced)


def test_what_came_before_the_limit_can_be_kept() -> None:
    body = Body("", 1000, 100)
    with pytest.raises(Failed):
        body.feed(b"a" * 5000)
    assert body.so_far() == b"a" * 1000

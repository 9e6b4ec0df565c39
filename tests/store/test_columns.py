"""Columns of integers: whatever goes in comes out, and what is regular takes next to nothing."""

import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.store.columns import pack, unpack

NUMBERS = st.integers(-(1 << 61), (1 << 61) - 1)


@given(st.lists(st.one_of(NUMBERS, st.integers(-200, 200))), st.integers(0, 1))
def test_what_is_packed_is_unpacked_as_it_was(values: list[int], order: int) -> None:
    assert list(unpack(pack(values, order))) == values


def test_numbers_that_are_unpacked_are_no_objects() -> None:
    packed = pack(range(10**12, 10**12 + 10_000_000_000, 1_000_000), 1)
    before = sys.getallocatedblocks()
    numbers = unpack(packed)
    assert sys.getallocatedblocks() - before < 1_000
    assert len(numbers) == 10_000


def test_a_steady_column_takes_less_than_a_tenth_of_a_byte_a_number() -> None:
    steady = pack(range(10**12, 10**12 + 10_000_000_000, 1_000_000), 2)
    assert len(zlib.compress(steady)) < 1_000
    assert unpack(steady)[-1] == 10**12 + 9_999_000_000


def test_what_has_more_than_63_bits_is_refused() -> None:
    with pytest.raises(OverflowError):
        pack([1 << 63])


@pytest.mark.parametrize("junk", [b"\x03abc", b"\x08abc", b"\x18" + b"\xff" * 14 + b"\x7f\x7f"])
def test_what_is_no_column_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="no packed column"):
        unpack(junk)

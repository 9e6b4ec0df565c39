"""Columns of integers as bytes that compress well: differences of differences, as narrow as they are, planes of bytes.

All of it is done by calls that run in C: a million numbers take some hundredths of a second. Numbers stay in arrays: as
objects they would be four times as large, and many small pieces among what is kept for days. Not here: what they mean.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

_WIDTHS = ((1, "b"), (2, "h"), (4, "i"), (8, "q"))
_CODES = dict(_WIDTHS)
_BY_SIZE = (_WIDTHS[0], _WIDTHS[1], _WIDTHS[2], _WIDTHS[2], _WIDTHS[3])  # by the number of whole bytes, without a sign


def pack(values: Sequence[int], order: int = 0) -> bytes:
    """`values` as bytes. `order`: how often to take differences, for what grows steadily.

    Raises OverflowError where a number, or a difference, has more than 63 bits.
    """
    kept = values
    for done in range(order):
        kept = array("q", kept)
        kept[done + 1 :] = array("q", map(sub, kept[done + 1 :], kept[done:]))
    largest = max(max(kept, default=0), ~min(kept, default=0))
    width, code = _BY_SIZE[min(largest.bit_length() >> 3, 4)]
    numbers = array(code, kept)
    if sys.byteorder == "big":
        numbers.byteswap()
    raw = numbers.tobytes()
    if width == 1:
        return bytes((order << 4 | 1,)) + raw
    planes = b"".join([raw[plane::width] for plane in range(width)])
    return bytes((order << 4 | width,)) + planes


def unpack(packed: bytes) -> "array[int]":
    """The values again. Raises ValueError for what `pack` cannot have made."""
    order, width = packed[0] >> 4, packed[0] & 0xF
    code = _CODES.get(width)
    if code is None or (len(packed) - 1) % width:
        raise ValueError("no packed column")
    count = (len(packed) - 1) // width
    raw = bytearray(count * width)
    for plane in range(width):
        raw[plane::width] = packed[1 + plane * count : 1 + (plane + 1) * count]
    numbers = array(code, bytes(raw))
    if sys.byteorder == "big":
        numbers.byteswap()
    values = array("q", numbers)
    try:
        for done in reversed(range(order)):
            values[done:] = array("q", accumulate(values[done:]))
    except OverflowError as error:
        raise ValueError("no packed column") from error
    return values

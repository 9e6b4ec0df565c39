"""A block: a stretch of the transcript as one compressed document. Blocks in a row merge into one.

A key is a moment of the monotonic clock in microseconds, and which of that moment's entries it is: keys order all
entries of one life of ours. A fresh block holds its observations as they came (`rows`), a merged one by check
(`findings`), as did all blocks of earlier versions. Not here: files, and what is counted of it.
"""

import zlib
from collections.abc import Callable, Iterable

import msgspec

from lifesign.store.columns import pack, unpack
from lifesign.store.findings import RANK_BITS, Columns
from lifesign.store.rows import Gathering, Rows

MOST_RANK = (1 << RANK_BITS) - 1


class Block(msgspec.Struct, array_like=True):
    """`ticks`, `reviews`: the keys of these. `clocks`: (from which key on, wall, boot: nanoseconds ahead of the
    monotonic clock). `gaps`: (last moment before, key of what ended it) where nobody read the clocks.
    """

    ticks: bytes
    reviews: bytes
    clocks: list[tuple[int, int, int]]
    gaps: list[tuple[int, int]]
    sorted: list[Columns]
    rows: Rows | None = None

    @property
    def checks(self) -> list[Columns]:
        """The observations by check."""
        if self.rows is None:
            return self.sorted
        gathering = Gathering()
        gathering.add(self.rows)
        return gathering.by_check()

    def encode(self, level: int = 1) -> bytes:
        """As bytes."""
        return zlib.compress(msgspec.msgpack.encode(self), level)

    @classmethod
    def decode(cls, body: bytes) -> "Block":
        """From bytes. Raises ValueError for what is none."""
        try:
            return msgspec.msgpack.decode(zlib.decompress(body), type=cls)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(f"no block: {error}") from error


# Learnt here, once: msgspec 0.22 crashes where two threads, as those of two requests, meet a type for the first time.
msgspec.msgpack.Decoder(Block)


def merge(blocks: Iterable[Block], breathe: Callable[[], object] = int) -> Block:
    """One block of several, the oldest first, of one life. It holds one of them at a time.

    `breathe` is called again and again, at least every few milliseconds.
    """
    ticks: list[int] = []
    reviews: list[int] = []
    gathering = Gathering()
    clocks: list[tuple[int, int, int]] = []
    gaps: list[tuple[int, int]] = []
    for block in blocks:
        ticks += unpack(block.ticks)
        reviews += unpack(block.reviews)
        clocks += [clock for clock in block.clocks if not clocks or clock[1:] != clocks[-1][1:]]
        gaps += block.gaps
        if block.rows is not None:
            gathering.add(block.rows)
        for columns in block.sorted:
            gathering.add_columns(columns)
        breathe()
    return Block(pack(ticks, 1), pack(reviews, 1), clocks, gaps, gathering.by_check(breathe))

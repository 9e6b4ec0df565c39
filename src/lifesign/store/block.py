"""A block: a stretch of the transcript as one compressed document. Blocks in a row merge into one.

Merging takes the columns of one check at a time into memory: ten thousand small pieces that live for a second among
the events that are kept for days would hold as many pages for days.

A key is a moment of the monotonic clock in microseconds, and which of that moment's entries it is: keys order all
entries of one life of ours. A fresh block holds its observations as they came (`rows`), a merged one by check
(`findings`), as did all blocks of earlier versions. Not here: files, and what is counted of it.
"""

import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator

import msgspec

from lifesign.store.columns import pack, unpack
from lifesign.store.findings import RANK_BITS, Columns
from lifesign.store.rows import Gathering, Outcomes, Rows

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
        return list(gathering.by_check())

    def encode(self) -> bytes:
        """As bytes."""
        return zlib.compress(msgspec.msgpack.encode(self), 1)

    @classmethod
    def decode(cls, body: bytes) -> "Block":
        """From bytes. Raises ValueError for what is none."""
        try:
            return msgspec.msgpack.decode(zlib.decompress(body), type=cls)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(f"no block: {error}") from error


class Merged:
    """A block by check, as it is written: each check's columns are encoded and compressed by themselves."""

    def __init__(self, gathering: Gathering, clocks: list[tuple[int, int, int]], body: bytes) -> None:
        """`body`: what `Block.decode` reads."""
        self.clocks, self.body = clocks, body
        self._gathering = gathering

    def __len__(self) -> int:
        """How many checks."""
        return len(self._gathering)

    @property
    def outcomes(self) -> Iterator[Outcomes]:
        """What the looks of each check came to, one check at a time."""
        return self._gathering.outcomes()


_FIVE, _ARRAY = b"\x95", b"\xdd"  # MessagePack: an array of five, an array whose length follows in four bytes

# Learnt here, once: msgspec 0.22 crashes where two threads, as those of two requests, meet a type for the first time.
msgspec.msgpack.Decoder(Block)


def merge(blocks: Iterable[Block], breathe: Callable[[], object] = int) -> Merged:
    """One block of several, the oldest first, of one life. It holds one of them at a time.

    `breathe` is called again and again, at least every few milliseconds.
    """
    ticks, reviews = array("q"), array("q")
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
    encode, deflate = msgspec.msgpack.encode, zlib.compressobj(6)  # once, and kept for long
    head = [encode(part) for part in (pack(ticks, 1), pack(reviews, 1), clocks, gaps)]
    body = deflate.compress(b"".join([_FIVE, *head, _ARRAY, len(gathering).to_bytes(4, "big")]))
    for columns in gathering.by_check():
        body += deflate.compress(encode(columns))
        breathe()
    return Merged(gathering, clocks, body + deflate.flush())

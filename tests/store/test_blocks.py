"""Blocks: every observation comes back as it was taken, merged or not, and is counted in its minute."""

import zlib
from collections import defaultdict
from dataclasses import replace
from random import Random

import msgspec
import pytest

from lifesign.core.model import NS_PER_S, CheckId, Instant, Observation, Verdict
from lifesign.core.transcript import Entry
from lifesign.store.block import RANK_BITS, Block, merge, rows_of
from lifesign.store.counting import Minutes, count
from lifesign.store.drafting import Drafting
from tests.store.transcripts import START, entries

Plain = list[tuple[int, CheckId, int, Observation]]


def observations(block: Block) -> Plain:
    rows = sorted((row for columns in block.checks for row in rows_of(columns)), key=lambda row: row[0])
    return [(key >> RANK_BITS, check, began_ns, seen) for key, check, began_ns, seen in rows]


def expected(written: list[Entry]) -> Plain:
    """What was written, without what is not kept."""
    plain = []
    for entry in written:
        if isinstance(entry, tuple):
            now, check, began_ns, seen = entry
            kept = replace(seen, latency_s=0.0, metrics={}, data={}, lines=())
            plain.append((now.mono_ns // 1_000, check, began_ns, kept))
    return plain


@pytest.mark.parametrize("seed", range(5))
def test_every_observation_comes_back_as_it_was_in_the_order_in_which_it_was_taken(seed: int) -> None:
    written = list(entries(seed, 2_000))
    draft = Drafting(START).draft(written)
    assert draft is not None
    assert observations(Block.decode(draft.block.encode())) == expected(written)
    assert draft.entries == 2_000


@pytest.mark.parametrize("seed", range(5))
def test_merged_blocks_hold_what_they_held_apart(seed: int) -> None:
    written, random = list(entries(seed, 2_000)), Random(seed)
    drafting, blocks, rest = Drafting(START), [], written
    while rest:
        size = random.randrange(1, 300)
        draft = drafting.draft(rest[:size])
        assert draft is not None
        blocks.append(Block.decode(draft.block.encode()))
        rest = rest[size:]
    whole = Drafting(START).draft(written)
    assert whole is not None
    assert observations(merge(blocks)) == expected(written)
    assert merge(blocks).ticks == whole.block.ticks
    assert merge(blocks).gaps == whole.block.gaps


def test_what_an_older_version_wrote_of_a_finding_is_read_as_it_was_meant() -> None:
    written = list(entries(1, 50))
    draft = Drafting(START).draft(written)
    assert draft is not None
    raw = msgspec.msgpack.decode(zlib.decompress(draft.block.encode()))
    for columns in raw[4]:
        columns[5] = [finding[:10] for finding in columns[5] if not any(finding[10:])]
    older = Block.decode(zlib.compress(msgspec.msgpack.encode(raw)))
    assert all(not finding.several for columns in older.checks for finding in columns.findings)


def test_nothing_makes_no_block() -> None:
    assert Drafting(START).draft([]) is None


def test_a_stall_a_suspend_and_a_step_of_the_clock_are_noted_with_the_moment_before_them() -> None:
    stalled = START.after(5 * NS_PER_S)
    slept = Instant(stalled.mono_ns + 1_000, stalled.wall_ns + 90 * NS_PER_S, stalled.boot_ns + 90 * NS_PER_S)
    stepped = Instant(slept.mono_ns + 1_000, slept.wall_ns - 3_600 * NS_PER_S, slept.boot_ns + 1_000)
    draft = Drafting(START).draft([START.after(1_000), stalled, slept, stepped, stepped.after(1_000)])
    assert draft is not None
    assert [before_us for before_us, _ in draft.block.gaps] == [
        START.mono_ns // 1_000 + 1,
        stalled.mono_ns // 1_000,
        slept.mono_ns // 1_000,
    ]
    assert [key >> RANK_BITS for _, key in draft.block.gaps] == [
        stalled.mono_ns // 1_000,
        slept.mono_ns // 1_000,
        stepped.mono_ns // 1_000,
    ]
    assert [silent.suspended for silent in draft.silences] == [False, True]
    assert [clock[1] for clock in draft.block.clocks] == [
        START.wall_ns - START.mono_ns,
        slept.wall_ns - slept.mono_ns,
        stepped.wall_ns - stepped.mono_ns,
    ]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_counted_is_what_was_seen_in_each_minute(seed: int) -> None:
    written = list(entries(seed, 2_000, every_us=5_000_000))
    draft = Drafting(START).draft(written)
    assert draft is not None
    naive: dict[tuple[CheckId, int], list[Observation]] = defaultdict(list)
    for entry in written:
        if isinstance(entry, tuple):
            naive[entry[1], entry[0].wall_ns // (60 * NS_PER_S)].append(entry[3])
    counted = {
        (counts.check, minute): row
        for counts in count(draft.block)
        for minute, row in Minutes.decode(counts.minutes.encode()).counts.items()
    }
    assert counted.keys() == naive.keys()
    for at, seen in naive.items():
        verdicts = [sum(s.verdict is verdict for s in seen) for verdict in Verdict]
        assert counted[at][:4] == verdicts
        assert counted[at][4] == sum(int(s.latency_s * 1e6) for s in seen)
        assert counted[at][5] == max(int(s.latency_s * 1e6) for s in seen)
    for counts in count(draft.block):
        assert all(minute // 60 == counts.hour for minute in counts.minutes.counts)


def test_a_document_that_is_no_block_is_refused() -> None:
    for junk in (b"", b"junk", b"x\x9c\x03\x00\x00\x00\x00\x01"):
        with pytest.raises(ValueError, match="no block"):
            Block.decode(junk)

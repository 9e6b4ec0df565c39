"""Blocks: every observation comes back as it was taken, merged or not, and is counted in its minute."""

import sys
import tracemalloc
import zlib
from array import array
from collections import defaultdict
from dataclasses import replace
from random import Random

import msgspec
import pytest

from lifesign.core.model import NS_PER_S, CheckId, Instant, Observation, Verdict, WorkSignal
from lifesign.core.transcript import Entry
from lifesign.store.block import Block, merge
from lifesign.store.columns import pack, unpack
from lifesign.store.counting import Minutes, count
from lifesign.store.drafting import Drafting
from lifesign.store.findings import RANK_BITS, Columns, rows_of
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
    merged = Block.decode(merge(blocks).body)
    assert observations(merged) == expected(written)
    assert merged.ticks == whole.block.ticks
    assert merged.gaps == whole.block.gaps


def test_merging_keeps_no_small_pieces_of_the_checks_it_has_done() -> None:
    checks, pieces = [CheckId(f"component{number}", "beat") for number in range(500)], array("q")
    now = START.after(NS_PER_S)
    draft = Drafting(START).draft([(now, check, now.mono_ns, Observation(Verdict.OK)) for check in checks])
    assert draft is not None
    block = draft.block

    def breathe() -> None:
        pieces.append(sys.getallocatedblocks())

    merged = merge([block], breathe)
    assert len(merged) == 500
    assert pieces[-1] - pieces[2] < 100, "they are compressed as they come"


def test_merging_keeps_rounds_as_numbers_and_not_as_objects() -> None:
    drafting, pieces = Drafting(START), array("q")
    draft = drafting.draft([START.after(number * 1_000_000) for number in range(20_000)])
    assert draft is not None
    fresh = Block.decode(draft.block.encode())
    merge([fresh], lambda: pieces.append(sys.getallocatedblocks()))
    assert pieces[-1] - sys.getallocatedblocks() < 1_000


def test_merging_holds_one_block_at_a_time() -> None:
    check, words = CheckId("mind", "beat"), "x" * 100_000
    drafting, bodies = Drafting(START), []
    for second in range(1, 51):
        now = START.after(second * NS_PER_S)
        draft = drafting.draft([(now, check, now.mono_ns, Observation(Verdict.OK, words))])
        assert draft is not None
        bodies.append(draft.block.encode())
    tracemalloc.start()
    try:
        block = merge(Block.decode(body) for body in bodies)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [finding.message for columns in Block.decode(block.body).checks for finding in columns.findings] == [words]
    assert peak < 10 * len(words), "all fifty together have five million letters"


def older_body(written: list[Entry]) -> bytes:
    """A fresh block as the first version wrote it: by check, without the members that came later."""
    drafted = Drafting(START).draft(written)
    assert drafted is not None
    by_check = [apart(columns) for columns in drafted.block.checks]
    raw = msgspec.msgpack.decode(msgspec.msgpack.encode(drafted.block))
    return zlib.compress(msgspec.msgpack.encode([*raw[:4], by_check]), 1)


def apart(columns: Columns) -> list[object]:
    """Of one check, with the whole message in each finding."""
    found = [row[3] for row in rows_of(columns)]
    findings: dict[tuple[object, ...], int] = {}
    numbers = []
    for place, finding in enumerate([columns.findings[number] for number in unpack(columns.numbers)]):
        values = msgspec.structs.astuple(finding)
        whole = (values[0], found[place].message, *values[2:10])
        numbers.append(
            findings.setdefault(whole if not any(values[10:12]) else (*whole, *values[10:12]), len(findings))
        )
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(columns))
    return [*packed[:5], [list(finding) for finding in findings], pack(numbers), *packed[7:]]


def test_what_an_older_version_wrote_is_read_as_it_was_meant_and_merges_with_what_is_written_now() -> None:
    written = list(entries(1, 900))
    drafting = Drafting(START)
    older = Block.decode(older_body(written[:400]))
    assert observations(older) == expected(written[:400])
    assert older.rows is None
    drafting.draft(written[:400])
    fresh = drafting.draft(written[400:])
    assert fresh is not None
    assert observations(Block.decode(merge([older, Block.decode(fresh.block.encode())]).body)) == expected(written)


def test_a_message_that_repeats_the_progress_comes_back_whole_and_costs_one_finding() -> None:
    written: list[Entry] = []
    for number in (7, 8, -3, 0, 10**17, 9):
        now = START.after(len(written) * 1_000_000)
        seen = Observation(Verdict.OK, f"cycle {number}", signal=WorkSignal(now.wall_ns, number))
        written.append((now, CheckId("c0", "beat"), now.mono_ns, seen))
    draft = Drafting(START).draft(written)
    assert draft is not None
    assert observations(Block.decode(draft.block.encode())) == expected(written)
    [columns] = Block.decode(merge([draft.block]).body).checks
    assert len(columns.findings) == 1


def test_a_thousand_checks_seen_once_each_take_hardly_more_room_than_one_check_seen_a_thousand_times() -> None:
    sizes = []
    for checks in (1, 1_000):
        written: list[Entry] = []
        for number in range(1_000):
            now = START.after(number * 1_000_000)
            written.append((now, CheckId(f"c{number % checks}", "port"), now.mono_ns, Observation(Verdict.OK, "well")))
        draft = Drafting(START).draft(written)
        assert draft is not None
        assert observations(Block.decode(draft.block.encode())) == expected(written)
        sizes.append(len(draft.block.encode()))
    assert sizes[1] < sizes[0] + 8_000


def test_what_was_taken_before_is_known_again_until_it_changes() -> None:
    one, other = Observation(Verdict.OK, "one", 0.1), Observation(Verdict.FAIL, "other", 0.2)
    written: list[Entry] = []
    for number, seen in enumerate((one, one, other, one, other, other)):
        now = START.after(number * 1_000_000)
        written += [(now, CheckId("c0", "port"), now.mono_ns, seen), (now, CheckId("c1", "port"), now.mono_ns, one)]
    drafting, found = Drafting(START), []
    for first in range(0, len(written), 3):
        draft = drafting.draft(written[first : first + 3])
        assert draft is not None
        found += observations(draft.block)
    assert found == expected(written)


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
        for counts in count(merge([draft.block]))
        for minute, row in Minutes.decode(counts.minutes.encode()).counts.items()
    }
    assert counted.keys() == naive.keys()
    for at, seen in naive.items():
        verdicts = [sum(s.verdict is verdict for s in seen) for verdict in Verdict]
        assert counted[at][:4] == verdicts
        assert counted[at][4] == sum(int(s.latency_s * 1e6) for s in seen)
        assert counted[at][5] == max(int(s.latency_s * 1e6) for s in seen)
    for counts in count(merge([draft.block])):
        assert all(minute // 60 == counts.hour for minute in counts.minutes.counts)


def test_a_document_that_is_no_block_is_refused() -> None:
    for junk in (b"", b"junk", b"x\x9c\x03\x00\x00\x00\x00\x01"):
        with pytest.raises(ValueError, match="no block"):
            Block.decode(junk)

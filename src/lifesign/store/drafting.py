"""From the transcript as it is written to blocks: every entry gets its key, gaps and steps of the clocks are noted."""

from collections.abc import Callable, Iterable
from dataclasses import field

from lifesign.core.model import Instant
from lifesign.core.observer import STALL_NS, STEP_NS
from lifesign.core.transcript import Entry, Moment, Reviewed
from lifesign.records import dataclass
from lifesign.store.block import MOST_RANK, Block
from lifesign.store.columns import pack
from lifesign.store.findings import RANK_BITS
from lifesign.store.rows import AT_ONCE, Rows, Seen, Writing


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody read the clocks from `start_wall_ns` to `end_wall_ns`. `suspended`: the machine slept."""

    start_wall_ns: int
    end_wall_ns: int
    suspended: bool


@dataclass(slots=True)
class Draft:
    """A block with what stands beside it: moments by their key, silences, and from when to when on the wall clock."""

    block: Block
    moments: list[tuple[int, Moment]]
    silences: list[Silent]
    first_wall_ns: int
    last_wall_ns: int
    entries: int


@dataclass(slots=True)
class Drafting:
    """Of one life of ours: keys go on from draft to draft. `last`: the newest reading of the clocks."""

    last: Instant
    _rank: int = 0
    _clock: tuple[int, int] = (0, 0)
    _ticks: list[int] = field(default_factory=list)
    _reviews: list[int] = field(default_factory=list)
    _clocks: list[tuple[int, int, int]] = field(default_factory=list)
    _gaps: list[tuple[int, int]] = field(default_factory=list)
    _silences: list[Silent] = field(default_factory=list)
    _writing: Writing = field(default_factory=Writing)

    def draft(self, entries: Iterable[Entry], breathe: Callable[[], object] = int) -> Draft | None:
        """`entries` as a block; None for none. `breathe` is called again and again, at least every few milliseconds."""
        moments: list[tuple[int, Moment]] = []
        seen = Seen([], [], [], [])
        count, first_wall_ns = 0, 0
        for entry in entries:
            now = entry[0] if isinstance(entry, tuple) else entry if isinstance(entry, Instant) else entry.now
            key = self._key(now)
            if not count:
                first_wall_ns = now.wall_ns
                if not self._clocks:
                    self._clocks.append((key, *self._clock))
            count += 1
            if not count % AT_ONCE:
                breathe()
            if isinstance(entry, tuple):
                seen.keys.append(key)
                seen.began_ages_us.append((key >> RANK_BITS) - entry[2] // 1_000)
                seen.checks.append(entry[1])
                seen.found.append(entry[3])
            elif isinstance(entry, Instant):
                self._ticks.append(key)
            elif isinstance(entry, Reviewed):
                self._reviews.append(key)
            else:
                moments.append((key, entry))
        return self._end(moments, self._writing.rows(seen, breathe), first_wall_ns, count) if count else None

    def _key(self, now: Instant) -> int:
        """The key of an entry of that moment. A monotonic clock that goes back is taken as standing, as by the core."""
        last = self.last
        if now is last or now.mono_ns <= last.mono_ns:
            self._rank = min(self._rank + 1, MOST_RANK)
            key = last.mono_ns // 1_000 << RANK_BITS | self._rank
        else:
            if now.mono_ns // 1_000 == last.mono_ns // 1_000:
                self._rank = min(self._rank + 1, MOST_RANK)
            else:
                self._rank = 0
            key = now.mono_ns // 1_000 << RANK_BITS | self._rank
        if now is not last:
            self._compare(now, key)
        return key

    def _compare(self, now: Instant, key: int) -> None:
        last = self.last
        mono_ns = max(now.mono_ns, last.mono_ns)
        clock = now.wall_ns - mono_ns, now.boot_ns - mono_ns
        if clock != self._clock:
            self._clocks.append((key, *clock))
            self._clock = clock
        suspended_ns = now.boot_ns - last.boot_ns - (mono_ns - last.mono_ns)
        stepped_ns = now.wall_ns - last.wall_ns - (now.boot_ns - last.boot_ns)
        gap_ns = max(mono_ns - last.mono_ns, suspended_ns)
        if gap_ns > STALL_NS or abs(stepped_ns) > STEP_NS:
            self._gaps.append((last.mono_ns // 1_000, key))
        if gap_ns > STALL_NS:
            self._silences.append(Silent(now.wall_ns - gap_ns, now.wall_ns, suspended_ns > STALL_NS))
        self.last = now if mono_ns == now.mono_ns else Instant(mono_ns, now.wall_ns, now.boot_ns)

    def _end(self, moments: list[tuple[int, Moment]], rows: Rows, first_wall_ns: int, count: int) -> Draft:
        block = Block(pack(self._ticks, 1), pack(self._reviews, 1), self._clocks, self._gaps, [], rows)
        draft = Draft(block, moments, self._silences, first_wall_ns, self.last.wall_ns, count)
        self._ticks, self._reviews, self._clocks, self._gaps = [], [], [], []
        self._silences = []
        return draft

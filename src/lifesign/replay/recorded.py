"""The tape of a history: what the daemon of a state folder went through, and what it told then."""

from bisect import bisect_left
from collections.abc import Collection, Iterator
from operator import itemgetter

from lifesign.core.conversation import Notify
from lifesign.core.effects import Restart
from lifesign.core.events import Event
from lifesign.core.transcript import Attended
from lifesign.records import dataclass
from lifesign.replay.tape import Item, Stretch, TapeLife, Told
from lifesign.store.block import Block
from lifesign.store.columns import unpack
from lifesign.store.findings import RANK_BITS, rows_of
from lifesign.store.history_reader import HistoryReader, StoredLife

_FOREVER = 1 << 80


@dataclass(frozen=True, slots=True)
class Range:
    """From when to when, in milliseconds of the wall clock, and of which components alone (all for None)."""

    since_ms: int = 0
    until_ms: int = 1 << 62
    components: Collection[str] | None = None


def lives(reader: HistoryReader, chosen: Range) -> Iterator[TapeLife]:
    """The lives that touch that time, the oldest first. A life is played from its start, for what it held then."""
    for life in reader.lives():
        if life.last_ms >= chosen.since_ms and life.began_ms <= chosen.until_ms:
            sinks = [(config.key, config.sinks) for config in reader.configs(life.id)]
            yield TapeLife(
                life.start,
                life.spec,
                life.memory,
                life.conversations,
                sinks,
                lambda life=life: _stretches(reader, life, chosen),  # type: ignore[misc]
            )


def _stretches(reader: HistoryReader, life: StoredLife, chosen: Range) -> Iterator[Stretch]:
    moments: list[Item] = [(key, None, 0, what) for key, what in reader.moments(life.id)]
    held: Stretch | None = None
    for block in reader.blocks(life.id, until_ms=chosen.until_ms):
        stretch = _stretch(block, chosen)
        if held is not None:
            yield _with_moments(held, moments, stretch.clocks[0][0])
        held = stretch
    if held is not None:
        yield _with_moments(held, moments, _FOREVER)


def _with_moments(stretch: Stretch, moments: list[Item], until_key: int) -> Stretch:
    """With those that came before the entry that begins the next one; they are taken off the list."""
    end = bisect_left(moments, until_key, key=itemgetter(0))
    stretch.items = sorted([*stretch.items, *moments[:end]], key=itemgetter(0))
    del moments[:end]
    stretch.end_key = max(stretch.end_key, stretch.items[-1][0] + 1 if stretch.items else 0)
    return stretch


def _stretch(block: Block, chosen: Range) -> Stretch:
    ticks, gaps = unpack(block.ticks), {key: before_us for before_us, key in block.gaps}
    items: list[Item] = []
    reviews = unpack(block.reviews)
    last_key = max([*ticks[-1:], *reviews[-1:]], default=0)
    for columns in block.checks:
        if chosen.components is None or columns.component in chosen.components:
            items += rows_of(columns)
            last_key = max(last_key, items[-1][0] if items else 0)
    ticked = set(ticks)
    held = {item[0] for item in items} if gaps else set()
    late = [key for key in gaps if key not in held]  # what told of a stall is no observation that is played
    items += [(key, None, 0, None if key in ticked else Attended()) for key in late]
    return Stretch(items, ticks, reviews, block.clocks, gaps, last_key + 1)


def told_then(reader: HistoryReader, life: StoredLife) -> Iterator[Told]:
    """What was told, asked for and decided in that life."""
    ahead = [clock for block in reader.blocks(life.id) for clock in block.clocks]
    place, wall_ns = 0, life.start.wall_ns - life.start.mono_ns
    for key, what in reader.moments(life.id):
        while place < len(ahead) and ahead[place][0] <= key:
            wall_ns = ahead[place][1]
            place += 1
        if isinstance(what, Event | Restart | Notify):
            yield Told(key >> RANK_BITS, (key >> RANK_BITS) * 1_000 + wall_ns, what)

"""Playing a tape from its first life to its last: as it was recorded, or by another config."""

from collections.abc import Iterable, Iterator

from lifesign.core.alerting import SinkSpec
from lifesign.core.effects import Restart
from lifesign.core.heralding import Herald
from lifesign.core.memory import MonitorMemory
from lifesign.core.spec import MonitorSpec
from lifesign.records import dataclass
from lifesign.replay.monitor import ReplayedMonitor
from lifesign.replay.player import Player
from lifesign.replay.tape import TapeLife, Told


@dataclass(frozen=True, slots=True)
class Setting:
    """By what is judged: specs and sinks, as they follow of one config."""

    spec: MonitorSpec
    sinks: tuple[SinkSpec, ...]


class Playing:
    """`setting` None: as it was recorded, reloads and all. `observations`: how many were played."""

    def __init__(self, setting: Setting | None = None) -> None:
        self._setting = setting
        self._memory: MonitorMemory | None = None
        self._differs = False
        self.observations = 0
        self.standing: dict[tuple[int, str], str] = {}
        self.onsets: dict[str, int] = {}
        self.monitor: ReplayedMonitor | None = None

    def play(self, lives: Iterable[TapeLife], then: Iterable[Told]) -> Iterator[Told]:
        """What is told, asked for and decided. `then`: the same of the record, for the restarts that were made."""
        known = frozenset(
            (told.what.component, told.what.attempt, told.mono_us) for told in then if isinstance(told.what, Restart)
        )
        for life in lives:
            yield from self._live(life, known)

    def _live(self, life: TapeLife, known: frozenset[tuple[str, int, int]]) -> Iterator[Told]:
        setting = self._setting or Setting(life.spec, life.sinks[0][1] if life.sinks else ())
        self._differs = self._differs or _watched(setting.spec) != _watched(life.spec)
        before = self.monitor
        memory = life.memory if before is None or not self._differs else before.memory(before.now)
        self.monitor = monitor = ReplayedMonitor(setting.spec, life.start, memory)
        herald = Herald(setting.sinks, monitor)
        player = Player(monitor, herald, follows=self._setting is None, sinks=life.sinks, known=known)
        player.recall(herald.recall(life.conversations, life.start))
        for stretch in life.stretches():
            yield from player.play(stretch)
        self.observations += player.observations
        self.standing |= player.standing
        self.onsets |= player.onsets


def _watched(spec: MonitorSpec) -> object:
    """What is watched, without what only makes the jitter."""
    return spec.components

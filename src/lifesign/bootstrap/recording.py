"""Recording: what the monitor went through reaches the history in the state folder. The event loop never waits for it.

Not here: how it is kept (`store.history`), and what can be done with it (`replay`).
"""

from collections.abc import Iterable, Mapping, Sequence

from lifesign.bootstrap.alerting import conversations_of
from lifesign.bootstrap.sinks import sink_specs
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.config import Config
from lifesign.core.conversation import Notify
from lifesign.core.memory import MonitorMemory
from lifesign.core.transcript import RecordedMonitor
from lifesign.store.history import History, Life, Loaded
from lifesign.text import redact

HAND_OVER_NS = 1_000_000_000
HAND_OVER_ENTRIES = 2_500


class Recorder:
    """Of one monitor. `folder` None: nothing is kept. Everything is called on the event loop."""

    def __init__(self, monitor: RecordedMonitor, folder: StateFolder | None) -> None:
        self._monitor = monitor
        self._folder = folder
        self._history: History | None = None
        self._handed_ns = monitor.now.mono_ns

    @property
    def writable(self) -> bool:
        """Whether what we see is kept, where it is to be."""
        return self._history is None or not self._history.trouble

    def begin(self, config: Config, memory: MonitorMemory, texts: Mapping[str, str], secrets: Sequence[str]) -> None:
        """The monitor has just begun with `memory`, and the alerts with `texts`."""
        if self._folder is not None:
            life = Life(self._monitor.now, self._monitor.spec, memory, tuple(conversations_of(texts)))
            self._history = History.open(
                self._folder.path, history_s=config.monitor.history_s, others=self._folder.other_holder
            )
            self._history.begin(life, _loaded(config, secrets))

    def after_round(self) -> None:
        """Hands over what came, once a second, or sooner where it is much."""
        now_ns = self._monitor.now.mono_ns
        if now_ns - self._handed_ns >= HAND_OVER_NS or self._monitor.waiting >= HAND_OVER_ENTRIES:
            self._handed_ns = now_ns
            self._hand_over()

    def _hand_over(self) -> None:
        entries = self._monitor.take()
        if self._history is not None:
            self._history.take(entries)

    def decided(self, notifies: Iterable[Notify]) -> None:
        """These alerts follow of what was told last."""
        for notify in notifies:
            self._monitor.note(notify)

    def configured(self, config: Config, secrets: Sequence[str]) -> None:
        """The monitor follows another config since a moment ago."""
        self._hand_over()
        if self._history is not None:
            self._history.configured(_loaded(config, secrets))

    def close(self, timeout_s: float = 1.0) -> None:
        """Writes what is left, for at most `timeout_s`."""
        self._hand_over()
        if self._history is not None:
            self._history.close(timeout_s)


def _loaded(config: Config, secrets: Sequence[str]) -> Loaded:
    return Loaded(redact(config.text, secrets), sink_specs(config))

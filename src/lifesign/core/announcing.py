"""What a governor tells of its restarts: each as an event with its figures, and a reason to withhold one only once."""

from collections.abc import Iterable, Mapping

from lifesign.core.attempts import Attempts
from lifesign.core.effects import Effect, Record
from lifesign.core.events import Event, EventName
from lifesign.core.model import Instant, JsonValue
from lifesign.core.sight import Sight


class Announcer:
    """Tells for one component. `withheld`: why a restart that is due is not made, empty if it is not due."""

    def __init__(self, component: str, method: str, attempts: Attempts, *, dry_run: bool) -> None:
        self._component = component
        self._attempts = attempts
        self._dry_run = dry_run
        self.method = method
        self.withheld = ""
        self._told: set[str] = set()

    @property
    def has_told(self) -> bool:
        """Whether some reason will not be told again."""
        return bool(self._told)

    @property
    def told(self) -> tuple[str, ...]:
        """The reasons that will not be told again."""
        return tuple(sorted(self._told))

    def recall(self, told: Iterable[str]) -> None:
        """These were told before."""
        self._told.update(told)

    def forget(self) -> None:
        """Every reason may be told again."""
        self._told.clear()

    def withhold(self, key: str, words: str, sight: Sight, now: Instant, *, again: bool = False) -> list[Effect]:
        """Tells a reason once, however long it holds and whichever others come between; `again`: this time too."""
        self.withheld = words
        if key in self._told and not again:
            return []
        self._told.add(key)
        return [self.tell(EventName.RESTART_WITHHELD, f"restart withheld: {words}", sight, now, {"reason": words})]

    def tell(
        self, name: EventName, words: str, sight: Sight, now: Instant, more: Mapping[str, JsonValue] | None = None
    ) -> Effect:
        """One event, with the figures of the last restart."""
        data = {"method": self.method, **self._attempts.data(name), **(more or {})}
        words = f"dry run: {words}" if self._dry_run else words
        return Record(Event(name, now.wall_ns, self._component, incident=sight.incident, message=words, data=data))

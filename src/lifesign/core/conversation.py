"""A conversation: what one sink has been told of one incident, what survives us of it, and the next word in it.

Not here: when that word is said (`alerting`).
"""

from enum import StrEnum

from lifesign.core.model import Instant
from lifesign.records import dataclass

MOST_NAMED = 40  # in a sentence


class Stage(StrEnum):
    """What a sink is told of an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    REMINDER = "reminder"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One sink on one incident. Moments are of the clock that counts a suspend, in nanoseconds.

    `shared`: its component went down with others by one cause, and that is not over. `speaks_for`: of whom the sink
    was told with it, of those that it wants to hear of, itself among them; empty where another speaks, or nobody.
    """

    sink: str
    component: str
    incident: str
    opened_boot_ns: int
    told: bool = False
    told_boot_ns: int = 0
    reminded_boot_ns: int = 0
    diagnosis: str = ""
    was_quiet: bool = False
    shared: bool = False
    speaks_for: tuple[str, ...] = ()

    def memory(self, now: Instant) -> "ConversationMemory":
        """What must survive of it."""
        return ConversationMemory(
            self.sink,
            self.component,
            self.incident,
            now.wall_ns,
            now.boot_ns - self.opened_boot_ns,
            self.told,
            now.boot_ns - self.told_boot_ns,
            now.boot_ns - self.reminded_boot_ns,
            self.diagnosis,
            self.was_quiet,
            self.shared,
            self.speaks_for,
        )


@dataclass(frozen=True, slots=True)
class ConversationMemory:
    """A conversation as of `taken_wall_ns`, its moments as ages."""

    sink: str
    component: str
    incident: str
    taken_wall_ns: int
    opened_age_ns: int
    told: bool = False
    told_age_ns: int = 0
    reminded_age_ns: int = 0
    diagnosis: str = ""
    was_quiet: bool = False
    shared: bool = False
    speaks_for: tuple[str, ...] = ()

    def recalled(self, now: Instant) -> Conversation:
        """Goes on; the time in which we were away counts."""
        then_ns = now.boot_ns - max(0, now.wall_ns - self.taken_wall_ns)
        return Conversation(
            self.sink,
            self.component,
            self.incident,
            then_ns - self.opened_age_ns,
            self.told,
            then_ns - self.told_age_ns,
            then_ns - self.reminded_age_ns,
            self.diagnosis,
            self.was_quiet,
            self.shared,
            self.speaks_for,
        )


class OpenConversations(dict[tuple[str, str], Conversation]):
    """Those that are not over, by sink and component; `touched`: where something has changed since that was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: set[tuple[str, str]] = set()

    def __setitem__(self, key: tuple[str, str], conversation: Conversation) -> None:
        """Another state of one, or a new one."""
        if self.get(key) != conversation:
            self.touched.add(key)
            super().__setitem__(key, conversation)

    def __delitem__(self, key: tuple[str, str]) -> None:
        """One is over."""
        self.touched.add(key)
        super().__delitem__(key)


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell `conversation.sink`. `note`: what is to be said besides."""

    stage: Stage
    conversation: Conversation
    note: str = ""

    @property
    def words(self) -> str:
        """What is to be said besides, and for whom else it speaks."""
        return "; ".join(filter(None, (self.note, self._others())))

    def _others(self) -> str:
        names = self.conversation.speaks_for
        ends = self.stage is Stage.RECOVERED
        if len(names) < 2 or not (ends or self.conversation.shared):
            return ""
        listed = [*names[:MOST_NAMED], *([f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])]
        words = f"one common cause: {len(names)} went down: {', '.join(listed)}"
        return f"{words}; who of them stays down is told of by itself" if ends else words

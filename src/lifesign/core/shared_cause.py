"""Those that went down by one cause, as alerts see them: from its announcement until one of them recovers.

As long as none has, it is one outage, however long it lasts and however often we die over it: who belongs to it stands
in the conversations with the sinks. With the first recovery each that stays down is an incident of its own; it is told
a minute later, for most of them will be well by then, and all have been named before. Not here: what makes a cause a
common one, and what it means for restarts (`common_cause`), and who speaks (`alerting`).
"""

from collections.abc import Collection, Iterable, Mapping

from lifesign.core.common_cause import WITHIN_NS
from lifesign.core.conversation import Conversation
from lifesign.core.incident import TrackedComponent
from lifesign.core.model import CheckState, Instant
from lifesign.core.suspicion import PARENT_WAIT_NS
from lifesign.records import dataclass

Held = Mapping[str, TrackedComponent]


def longest_grace_ns(held: Held) -> int:
    """So long after our own start some failure may still be no evidence."""
    graces_ns = (check.spec.grace_ns for component in held.values() for check in component.checks.values())
    return max(graces_ns, default=0)


@dataclass(frozen=True, slots=True)
class _Over:
    names: set[str]  # who has not recovered since
    at: Instant


class SharedCause:
    """One at a time. `together`: who went down by it; empty while there is none."""

    def __init__(self) -> None:
        self.together: set[str] = set()
        self._joins_until_ns = 0
        self._over: _Over | None = None

    def begin(self, names: Iterable[str], held: Held, now: Instant) -> None:
        """It is announced; of one that is not over it is the same. Who is well again already has no part in it."""
        self.together.update(name for name in names if name in held and held[name].incident is not None)
        self._joins_until_ns = now.mono_ns + WITHIN_NS

    def went_down(self, name: str, now: Instant) -> bool:
        """Who goes down shortly after the others went down by the same cause (R7): whether `name` does."""
        joins = bool(self.together) and now.mono_ns <= self._joins_until_ns
        if joins:
            self.together.add(name)
            self._joins_until_ns = max(self._joins_until_ns, now.mono_ns + WITHIN_NS)
        return joins

    def recovered(self, name: str, held: Held, now: Instant) -> bool:
        """The incident of `name` is over: with it the cause, but if it was only taken out of the config.

        Whether that changes who went down together.
        """
        if self._over is not None:
            self._over.names.discard(name)
        if name not in self.together:
            return False
        self.together.discard(name)
        if name in held:
            self._over, self.together = _Over(self.together, now), set()
        return True

    def leave(self, name: str) -> None:
        """There is more to be said of `name` than that it went down with the others."""
        self.together.discard(name)

    def recall(self, conversations: Collection[Conversation], held: Held, now: Instant) -> None:
        """Goes on with what was kept. Who failed already when we died may join once our own start excuses nobody."""
        shared = [conversation for conversation in conversations if conversation.shared]
        names = self.together.union(*({c.component, *c.speaks_for} for c in shared)).intersection(held)
        self.together = set(names)
        if names:
            self._joins_until_ns = max(self._joins_until_ns, now.mono_ns + longest_grace_ns(held) + WITHIN_NS)
        for name in sorted(names):
            if held[name].incident is None:  # its end was told, and we died over it
                self.recovered(name, held, now)

    def next_boot_ns(self) -> int | None:
        """When nobody is waited for any more, on the clock that counts a suspend; None where nobody is."""
        return None if self._over is None else self._over.at.boot_ns + PARENT_WAIT_NS

    def may_recover_too(self, component: TrackedComponent, now: Instant) -> bool:
        """Whether it went down by a cause that has been over for less than a minute.

        In a run of one round, for which no later moment comes, only if it has not been looked at since.
        """
        over = self._over
        if over is None or component.spec.name not in over.names or now.boot_ns - over.at.boot_ns >= PARENT_WAIT_NS:
            return False
        if now.boot_ns > over.at.boot_ns:
            return True
        failed = (c for c in component.checks.values() if c.state is CheckState.FAILED and not c.spec.optional)
        return any(check.looked_ns < over.at.mono_ns for check in failed)

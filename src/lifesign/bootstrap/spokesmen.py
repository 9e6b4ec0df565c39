"""Who speaks for whom in a mass outage, so that each that is down shows the issue in which it is told of.

Not here: who speaks (`core.alerting`), and where an issue is (`alerts.outbox`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from lifesign.core.conversation import Conversation

Spokesman: TypeAlias = tuple[str, str]  # a component, and its incident


class Spokesmen:
    """Of the conversations as they stand: `follow` them."""

    def __init__(self) -> None:
        self._of: Mapping[str, Collection[Spokesman]] = {}

    def follow(self, conversations: Iterable[Conversation]) -> set[str]:
        """As they stand now; for whom another speaks than before, or nobody any more."""
        found = defaultdict[str, list[Spokesman]](list)
        for conversation in conversations:
            speaks_for = conversation.speaks_for if conversation.shared else ()
            for name in speaks_for:
                if name != conversation.component:
                    found[name].append((conversation.component, conversation.incident))
        before, self._of = self._of, dict(found)
        return {name for name in before.keys() | found.keys() if before.get(name) != found.get(name)}

    def of(self, component: str) -> Collection[Spokesman]:
        """Who speaks for `component`, to one sink or another."""
        return self._of.get(component, ())

    def spoken_for(self, component: str) -> list[str]:
        """For whom `component` speaks besides itself."""
        return [name for name, speakers in self._of.items() if any(speaker == component for speaker, _ in speakers)]

"""What the console has to say to the operator's own actions, for a few seconds each. It covers nothing: pages give it
lines of their own. Not here: alerts, which are a list.
"""

from collections import deque
from dataclasses import field

from lifesign.records import dataclass
from lifesign.text import clean

SHOWN_FOR_S = 6.0
WARNED_FOR_S = 15.0
_MOST_KEPT = 50
_ROLES = {"information": "accent", "warning": "warn", "error": "down"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One sentence, and until which second of the console's clock it is shown."""

    words: str
    role: str
    until_s: float


@dataclass(slots=True)
class Answers:
    """The newest answers, oldest first."""

    kept: deque[Answer] = field(default_factory=lambda: deque(maxlen=_MOST_KEPT))

    def say(self, text: str, severity: str, now_s: float) -> None:
        """Keeps one; the same words again are shown once, for longer."""
        words = clean(text, 300)
        shown_for_s = SHOWN_FOR_S if severity == "information" else WARNED_FOR_S
        for known in [one for one in self.kept if one.words == words]:
            self.kept.remove(known)
        self.kept.append(Answer(words, _ROLES.get(severity, "accent"), now_s + shown_for_s))

    def current(self, now_s: float) -> list[tuple[str, str]]:
        """The words and roles of those that are still shown."""
        return [(one.words, one.role) for one in self.kept if now_s < one.until_s]

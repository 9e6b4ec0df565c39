"""What is kept of the hour: the archive from which the API tells how a component stood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lifesign.api.documents import EventDocument
from lifesign.api.looking_back import past
from lifesign.api.past import PastState, Step
from lifesign.core.hindsight import PastLook
from lifesign.core.model import Instant, Observation, Verdict
from lifesign.core.spec import ComponentSpec


@dataclass
class Remembered:
    """Everything that was seen and told, oldest first."""

    told: list[EventDocument] = field(default_factory=list)
    seen: dict[str, dict[str, list[PastLook]]] = field(default_factory=dict)

    def look(self, component: str, check: str, now: Instant, found: Observation) -> None:
        """One look has ended."""
        looks = self.seen.setdefault(component, {}).setdefault(check, [])
        last = looks[-1] if looks else PastLook(0, Verdict.OK, failures=0)
        failed, ok = found.verdict is Verdict.FAIL, found.verdict is Verdict.OK
        new = PastLook(
            at_ns=now.wall_ns,
            verdict=found.verdict,
            message=found.message,
            latency_s=found.latency_s,
            failures=(last.failures or 0) + 1 if failed else 0,
            successes=last.successes + 1 if ok else 0,
            not_failed=0 if failed else last.not_failed + 1,
            signal_ns=None if found.signal is None else found.signal.timestamp_ns,
        )
        looks.append(new)

    def told_of(self, component: str | None, moment: str, *, later: bool, most: int) -> Sequence[EventDocument]:
        """As the daemon's archive: the nearest first."""
        of_it = [event for event in self.told if component is None or event.component in (component, None)]
        near = [event for event in of_it if (event.ts > moment if later else event.ts < moment)]
        return near[:most] if later else near[::-1][:most]

    def looks(self, component: str, until_ns: int) -> Mapping[str, PastLook]:
        """By check the newest."""
        kept = ((name, [one for one in seen if one.at_ns <= until_ns]) for name, seen in self.seen[component].items())
        return {name: seen[-1] for name, seen in kept if seen}

    def moments(self, spec: ComponentSpec, now_ns: int) -> list[PastState]:
        """How that component stood at each of its changes, oldest first, as the API tells it."""
        found: list[PastState] = []
        while True:
            moment = past(self, spec, Step(count=len(found) + 1), now_ns).moment
            if moment is None or (found and moment.at == found[-1].at):
                return found[::-1]
            found.append(moment)

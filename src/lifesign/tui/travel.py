"""Where an operator stands in the past, and what of it is asked for. One request at a time, however fast the keys
come: what is pressed meanwhile is asked for in one go. Not here: asking, and drawing.
"""

from typing import Generic, TypeVar

from lifesign.api.past import MOST_STEPS, PastState, Step
from lifesign.api.past_incidents import IncidentsThen
from lifesign.records import dataclass

Moment = TypeVar("Moment", PastState, IncidentsThen)


@dataclass(slots=True)
class Travel(Generic[Moment]):
    """`moment`: what is shown, None for the present. `asked`: what is under way. `wanted`: steps since then."""

    moment: Moment | None = None
    asked: Step | None = None
    wanted: int = 0

    def press(self, by: int) -> None:
        """So many changes later, or earlier where it is negative."""
        self.wanted += by

    def next_step(self, now: str) -> Step | None:
        """What is to be asked for now; None for nothing. `now`: the moment that is the present, RFC 3339."""
        if self.asked is not None or self.wanted == 0 or (self.moment is None and self.wanted > 0):
            return None
        at = self.moment.at if self.moment is not None else now
        self.asked = Step(at, later=self.wanted > 0, count=min(abs(self.wanted), MOST_STEPS))
        self.wanted = 0
        return self.asked

    def arrive(self, moment: Moment | None, *, told: bool) -> None:
        """Takes the answer to what is asked, if any was `told`. Past the newest change is the present."""
        asked, self.asked = self.asked, None
        if not told:
            self.wanted = 0
        elif moment is not None:
            self.moment = moment
        elif asked is not None and asked.later:
            self.moment, self.wanted = None, 0
        else:
            self.wanted = max(self.wanted, 0)  # there is nothing before it

    def leave(self) -> bool:
        """Back to the present; whether it was anywhere else, or on its way."""
        was = self.moment is not None or self.asked is not None
        self.moment, self.asked, self.wanted = None, None, 0
        return was

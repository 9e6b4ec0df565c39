"""What the server needs of whoever runs the monitor: the seam between the API and the daemon."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from lifesign.api.documents import EventDocument, MonitorInfo
from lifesign.api.tally import Tallies
from lifesign.core.commands import OperatorCommand
from lifesign.core.hindsight import PastLook
from lifesign.core.known import Known
from lifesign.core.model import ComponentState, Observation
from lifesign.core.view import Changes, ComponentGlance, MonitorView


class Archive(Protocol):
    """What is kept of the past. Every method may block, and is called in a thread; each is bounded in cost."""

    def told_of(self, component: str | None, moment: str, *, later: bool, most: int) -> Sequence[EventDocument]:
        """At most `most` events, the nearest first, told before `moment` (RFC 3339), or `later`: after it.

        Those of the component, and of the monitor: its starts, its reloads, and holds of everything. Without one, those
        of every component that begin or end an incident, or tell what operators did about it.
        """
        ...

    def looks(self, component: str, until_ns: int) -> Mapping[str, PastLook]:
        """By check the newest look that is kept until then, Unix nanoseconds."""
        ...


class Backend(Protocol):
    """The daemon, seen from its API. All methods are called on the daemon's own event loop."""

    def view(self, names: Iterable[str] | None = None) -> MonitorView:
        """The state at this moment; with `names`, of the components only these, as far as they exist."""
        ...

    def changes(self, known: Known, names: Iterable[str] | None = None, *, ages: bool = True) -> Changes:
        """What became, up to this moment, of views of which `known` tells for how long they are right.

        `names`: of these components only. `ages`: whether what goes on with the clock alone is told.
        """
        ...

    def outdated(self, known: Known, *, ages: bool = True) -> Sequence[str]:
        """Of which components there may be `changes` at this moment: costs next to nothing."""
        ...

    def glance(self) -> Sequence[ComponentGlance]:
        """The least of every component at this moment, for a tenth of what a view costs."""
        ...

    def states(self) -> Mapping[str, ComponentState]:
        """The state of every component at this moment: costs next to nothing."""
        ...

    def info(self) -> MonitorInfo:
        """The monitor itself; `last_round_age_s` tells how long ago the scheduler finished a round."""
        ...

    def told(self, kinds: Sequence[str]) -> Iterable[EventDocument]:
        """Every event that is kept whose name begins with one of `kinds`, oldest first.

        What it returns may block, and may be walked over by another thread.
        """
        ...

    @property
    def archive(self) -> Archive:
        """What is kept of the past."""
        ...

    def tallies(self) -> Tallies:
        """What was counted since our start."""
        ...

    async def probe(self, component: str, author: str) -> None:
        """Looks at every check of `component` now; returns when each has been observed.

        NotPossibleError: nobody looks at it now.
        """
        ...

    def act(self, command: OperatorCommand) -> None:
        """Carries out what an operator asks for, and leaves an audit event.

        KeyError: no such component. NotPossibleError: not now, and why. A restart has only begun when this returns.
        """
        ...

    def push(self, component: str, token: str | None, observation: Observation) -> bool:
        """Gives an observation to the component's push checks that `token` opens (None: all).

        False where the component has no push check that may take it, or does not exist. A token is compared in
        constant time (`hmac.compare_digest`).
        """
        ...

    def started(self, component: str, token: str | None) -> bool:
        """A job of `component` has begun: no work is finished, so there is nothing to observe. As `push` otherwise."""
        ...

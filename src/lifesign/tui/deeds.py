"""What the operator asks for, frozen at the key press, and how it is carried out. Not here: keys and dialogs."""

import msgspec

from lifesign.api.documents import Component
from lifesign.api.failures import ClientError
from lifesign.records import dataclass
from lifesign.text import clean
from lifesign.tui.source import StateSource

EXHAUSTED = "exhausted"
_PAST = {
    "restart": "began to restart",
    "rearm": "re-armed",
    "silence": "silenced",
    "unsilence": "ended the silence of",
    "hold": "held",
    "release": "released",
    "ack": "acknowledged the incident of",
    "pause": "paused",
    "resume": "resumed",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a restart would hit: the process that was last seen. `pid` is None where none was."""

    pid: int | None
    started_at: str | None

    @classmethod
    def of(cls, component: Component) -> "Target":
        """The process behind `component` as its document tells it."""
        process = component.process
        if isinstance(process, msgspec.UnsetType):
            return cls(None, None)
        return cls(process.pid, process.started_at)

    def words(self) -> str:
        """`pid 3117`, or that none is known."""
        return f"pid {self.pid}" if self.pid is not None else "no process that is known"


@dataclass(frozen=True, slots=True)
class Deed:
    """One action on one component. `target` is what the operator saw, where the action is to hit just that."""

    component: str
    action: str
    reason: str | None = None
    duration_s: float | None = None
    target: Target | None = None

    def told(self) -> str:
        """What is said once it is done."""
        return f"{_PAST.get(self.action, self.action)} {clean(self.component, 60)}"


def carry_out(source: StateSource, deed: Deed, author: str | None) -> Component:
    """Does it; the component as it stands afterwards.

    A frozen target is proven again first. Raises ClientError with one line for the operator.
    """
    if deed.target is not None:
        _prove(source, deed, deed.target)
    return source.act(deed.component, deed.action, author=author, reason=deed.reason, duration_s=deed.duration_s)


def _prove(source: StateSource, deed: Deed, target: Target) -> None:
    found = next((one for one in source.state().components if one.name == deed.component), None)
    if found is None:
        raise ClientError("it is no longer watched: nothing was done")
    now = Target.of(found)
    if now != target:
        raise ClientError(f"you were asked about {target.words()}, now there is {now.words()}: nothing was done")

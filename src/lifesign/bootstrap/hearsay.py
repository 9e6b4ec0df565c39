"""What the daemon knows of beats: a one-shot cannot have heard them itself.

Beats come to the daemon. So one round of our own asks it once for the state of every push check, and where no
daemon answers such a check is unknown, with the reason.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lifesign.api.documents import Check, Component, State
from lifesign.core.model import CheckId, Observation, Verdict

if TYPE_CHECKING:
    from lifesign.api.failures import ClientError

_VERDICTS = {
    "passing": Verdict.OK,
    "warning": Verdict.WARN,
    "failing": Verdict.FAIL,
    "failed": Verdict.FAIL,
}


class Hearsay:
    """The word of the daemon of `state_dir`, asked for once at most, by whoever needs it first."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._lock = threading.Lock()
        self._state: State | None = None
        self._failure: ClientError | None = None

    def check(self, check: CheckId, timeout_s: float) -> Check | None:
        """What it holds of `check`; None where it knows of none. Blocks. Raises ClientError where nobody answers."""
        from lifesign.api.client import Client
        from lifesign.api.failures import ClientError

        with self._lock:
            if self._state is None and self._failure is None:
                try:
                    self._state = Client.of_state_dir(self._state_dir, timeout_s).state()
                except ClientError as error:
                    self._failure = error
        if self._failure is not None:
            raise self._failure
        found = self._component(check.component)
        return next((known for known in found.checks if known.name == check.check), None) if found else None

    def _component(self, name: str) -> Component | None:
        components = self._state.components if self._state is not None else []
        return next((component for component in components if component.name == name), None)

    def with_work(self, component: Component) -> Component:
        """`component` with its last work as the daemon knows it, where our own look could not tell."""
        known = self._component(component.name) if component.last_work_at is None else None
        if known is None or known.last_work_at is None:
            return component
        return replace(component, last_work_at=known.last_work_at, staleness_s=known.staleness_s)


class HearsayProbe:
    """Tells what the daemon holds of the push check `check`."""

    def __init__(self, check: CheckId, hearsay: Hearsay, timeout_s: float) -> None:
        self._check = check
        self._hearsay = hearsay
        self._timeout_s = timeout_s

    async def look(self, now_wall_ns: int) -> Observation:
        """The daemon's word; unknown without one."""
        import asyncio

        from lifesign.api.failures import ClientError

        del now_wall_ns
        try:
            known = await asyncio.to_thread(self._hearsay.check, self._check, self._timeout_s)
        except ClientError:
            return Observation(Verdict.UNKNOWN, "unknown here: beats come to the daemon, and none answers")
        if known is None:
            return Observation(Verdict.UNKNOWN, "the daemon that answers has no such check")
        return Observation(_VERDICTS.get(known.state, Verdict.UNKNOWN), known.message)

    def close(self) -> None:
        """Nothing is held."""

"""What the daemon knows of beats: a one-shot cannot have heard them itself.

Beats come to the daemon. So one round of our own asks it for the state of each push check, and where no
daemon answers the check is unknown, with the reason.
"""

import asyncio
from pathlib import Path

from lifesign.api.client import Client
from lifesign.api.documents import Check
from lifesign.api.failures import ClientError
from lifesign.core.model import CheckId, Observation, Verdict

_VERDICTS = {
    "passing": Verdict.OK,
    "warning": Verdict.WARN,
    "failing": Verdict.FAIL,
    "failed": Verdict.FAIL,
}


class HearsayProbe:
    """Tells what the daemon of `state_dir` holds of the push check `check`."""

    def __init__(self, check: CheckId, state_dir: Path, timeout_s: float) -> None:
        self._check = check
        self._state_dir = state_dir
        self._timeout_s = timeout_s

    async def look(self, now_wall_ns: int) -> Observation:
        """The daemon's word; unknown without one."""
        del now_wall_ns
        try:
            known = await asyncio.to_thread(self._ask)
        except ClientError:
            return Observation(Verdict.UNKNOWN, "beats come to the daemon, and none answers")
        if known is None:
            return Observation(Verdict.UNKNOWN, "the daemon that answers has no such check")
        return Observation(_VERDICTS.get(known.state, Verdict.UNKNOWN), known.message)

    def _ask(self) -> Check | None:
        state = Client.of_state_dir(self._state_dir, self._timeout_s).state()
        for component in state.components:
            for check in component.checks:
                if (component.name, check.name) == self._check:
                    return check
        return None

    def close(self) -> None:
        """Nothing is held."""

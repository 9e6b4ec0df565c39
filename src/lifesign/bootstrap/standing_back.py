"""While another instance has our state folder, which was taken away under us, we look on and keep our hands off.

That one watches the same things by now: who is told by both is told twice, and what both restart is restarted twice.
Not here: what a hold stops (`core.operations`), and that nothing is written there (`state_folder`, `store`).
"""

import asyncio
from collections.abc import Callable

from lifesign.bootstrap.state_folder import StateFolder
from lifesign.core.commands import Hold
from lifesign.core.model import NS_PER_S

LOOKS_EVERY_S = 2.0
HOLD_S, RENEWED_EVERY_S = 120, 60.0  # it ends by itself once the other is gone, and whatever becomes of us


class StandingBack:
    """Of one daemon. `act` lays a hold upon everything, which is told like that of an operator."""

    def __init__(self, folder: StateFolder, act: Callable[[Hold], None]) -> None:
        self._folder = folder
        self._act = act

    async def run(self) -> None:
        """Until cancelled, where there is a folder that is ours to lose."""
        while self._folder.held:
            holder = self._folder.other_holder()
            if holder:
                reason = f"{holder} has the state folder {self._folder.path} by now"
                self._act(Hold(None, "lifesign", HOLD_S * NS_PER_S, reason))
            await asyncio.sleep(RENEWED_EVERY_S if holder else LOOKS_EVERY_S)

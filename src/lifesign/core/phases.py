"""The phases of a restart as a table that is data: a cue alone changes the phase, and only as `NEXT` says."""

from collections.abc import Mapping
from enum import StrEnum

from lifesign.core.restart import Phase


class Cue(StrEnum):
    """What may change the phase."""

    DOWN = "down"
    UP = "up"
    BEGUN = "begun"
    SENT = "sent"
    WITHHELD = "withheld"
    WITHHELD_AGAIN = "withheld again"
    PRODUCTIVE = "productive"
    IN_VAIN = "in vain"
    ENOUGH = "enough"
    REARMED = "rearmed"


NEXT: Mapping[Phase, Mapping[Cue, Phase]] = {
    Phase.IDLE: {Cue.DOWN: Phase.WAITING, Cue.BEGUN: Phase.RESTARTING},
    Phase.WAITING: {Cue.UP: Phase.IDLE, Cue.BEGUN: Phase.RESTARTING},
    Phase.RESTARTING: {
        Cue.SENT: Phase.VERIFYING,
        Cue.WITHHELD: Phase.IDLE,
        Cue.WITHHELD_AGAIN: Phase.BACKOFF,
        Cue.IN_VAIN: Phase.BACKOFF,
        Cue.ENOUGH: Phase.EXHAUSTED,
    },
    Phase.VERIFYING: {Cue.PRODUCTIVE: Phase.IDLE, Cue.IN_VAIN: Phase.BACKOFF, Cue.ENOUGH: Phase.EXHAUSTED},
    Phase.BACKOFF: {Cue.UP: Phase.IDLE, Cue.BEGUN: Phase.RESTARTING},
    Phase.EXHAUSTED: {Cue.REARMED: Phase.IDLE},
}
IN_FLIGHT = (Phase.RESTARTING, Phase.VERIFYING)

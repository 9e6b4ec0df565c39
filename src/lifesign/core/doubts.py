"""Why a restart that is due is not made (reliability.md, R1, R7, R8): one row a reason, in the order of telling.

An automatic restart is made only where every row is empty. Not here: the budget and the pauses between restarts, which
the governor counts itself.
"""

from collections.abc import Callable

from lifesign.core.model import NS_PER_S
from lifesign.core.sight import Sight


def _held(sight: Sight) -> str:
    return f"held by {sight.held_by}" if sight.held_by else ""


def _suppressed(sight: Sight) -> str:
    return f"it depends on {sight.suppressed_by}, which has not recovered" if sight.suppressed_by else ""


def _common_cause(sight: Sight) -> str:
    return sight.common_cause


def _stalled(sight: Sight) -> str:
    return "we had stalled ourselves: failures are not evidence" if sight.stalled else ""


def _jumped(sight: Sight) -> str:
    return "the wall clock was just stepped" if sight.jumped else ""


def _in_grace(sight: Sight) -> str:
    return f"grace {clock(sight.grace_left_ns)}" if sight.grace_left_ns > 0 else ""


def _flapping(sight: Sight) -> str:
    return "it flaps, which a restart does not cure" if sight.flapping else ""


DOUBTS: tuple[Callable[[Sight], str], ...] = (
    _held,
    _suppressed,
    _common_cause,
    _stalled,
    _jumped,
    _in_grace,
    _flapping,
)


def first_doubt(sight: Sight) -> tuple[str, str] | None:
    """The first reason: a key that stays the same while its words count down, and the words. None: there is none."""
    for doubt in DOUBTS:
        words = doubt(sight)
        if words:
            return doubt.__name__, words
    return None


def clock(left_ns: int) -> str:
    """`0:42`."""
    minutes, seconds = divmod(-(-left_ns // NS_PER_S), 60)
    return f"{minutes}:{seconds:02}"

"""`lifesign rearm COMPONENT`: allows automatic restarts again after they were exhausted; its counts begin anew.

The budget of the window does not: at most so many restarts in any window, whoever re-arms.
"""

from typing import TYPE_CHECKING

from lifesign.cli.asking import action_command

if TYPE_CHECKING:
    from lifesign.api.documents import Component, Restart


def _told(seen: "Component") -> str:
    return f"armed, {seen.restart.phase}; {_budget(seen.restart)}" if seen.restart else seen.state


def _budget(restart: "Restart") -> str:
    from lifesign.text import format_until, parse_timestamp

    most = f" of {restart.max_restarts}" if isinstance(restart.max_restarts, int) else ""
    words = f"budget: {restart.budget_left}{most} left"
    if not isinstance(restart.budget_at, str):
        return words
    import time

    return f"{words} until {format_until(parse_timestamp(restart.budget_at), time.time_ns())}"


command = action_command(
    "rearm",
    "Allow automatic restarts of COMPONENT again after they were exhausted. The budget of the window stays spent.",
    _told,
)
